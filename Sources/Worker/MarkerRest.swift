/// The rest between a transaction's commit and the next transaction's first request.
///
/// A transaction coordinator answers a commit before it has written the transaction's markers. Until they are written
/// it refuses the next transaction's requests (`CONCURRENT_TRANSACTIONS`), and librdkafka repeats these after 20 ms
/// (AddPartitionsToTxn) or `retry.backoff.ms` (AddOffsetsToTxn). The markers take some milliseconds, so a lane whose
/// input has run dry gains by a rest, in which it gathers more events.
///
/// The length is found by trial: repeated requests make it longer, transactions without any make it shorter. Where the
/// coordinator never refuses, it stays at zero. Lane thread only.
struct MarkerRest {
    static let longest = Duration.milliseconds(10)
    private static let step = Duration.milliseconds(1)
    /// Transactions without a repeated request after which a shorter rest is tried.
    private static let patience = 50

    private(set) var length = Duration.zero
    /// Transactions in a row without a repeated request.
    private var quiet = 0
    /// End of the current rest.
    private(set) var end: ContinuousClock.Instant?

    /// A transaction was committed.
    /// - Parameters:
    ///   - requests: AddPartitionsToTxn and AddOffsetsToTxn requests that were sent for it.
    ///   - hasRecords: false: it held offsets alone.
    mutating func committed(requests: Int, hasRecords: Bool, now: ContinuousClock.Instant = .now) {
        if requests > (hasRecords ? 2 : 1) {
            quiet = 0
            length = min(Self.longest, length + Self.step)
        } else {
            quiet += 1
            if quiet >= Self.patience {
                quiet = 0
                length = max(.zero, length - Self.step)
            }
        }
        end = length > .zero ? now + length : nil
    }

    /// Milliseconds left of the rest, rounded up; nil: it is over.
    func left(now: ContinuousClock.Instant = .now) -> Int32? {
        guard let end, now < end else { return nil }
        return Int32(((end - now) / .milliseconds(1)).rounded(.up))
    }
}
