import KafkaClient
import Logging

/// One turn's take from a consumer: messages, ends of partitions, and the reason why no more were taken. The same for
/// every consumer of a lane.
///
/// Owns the messages, which are released at the end of its life. Lane thread only.
struct Gathering: ~Copyable {
    /// Why no more was taken.
    enum End {
        /// A bound was reached; more may be there.
        case full
        /// No event came in time.
        case dry
        /// The consumer handed over an error.
        case failed(KafkaError)
        /// The lane answers the rebalance once the messages are worked on.
        case rebalance(Rebalance)
    }

    /// In memory that the consumer's next gathering uses again.
    let messages: MessageBatch
    let end: End
    /// Whether it may have waited for its first event, rather than only for another to share a commit with.
    let hasWaited: Bool

    /// Ends of partitions that brokers reported, in the order of their arrival.
    var ends: [MessageBatch.PartitionEnd] { messages.ends }

    /// A turn without a poll.
    init(nothingIn messages: MessageBatch, end: End) {
        (self.messages, self.end, hasWaited) = (messages, end, false)
    }

    /// Polls until a bound is reached, or no event comes, or one comes that the lane has to look at.
    /// - Parameters:
    ///   - messages: the memory to fill; empty.
    ///   - wait: milliseconds to wait for the first event. The others must be there.
    ///   - poll: polls the consumer, waiting for so many milliseconds.
    ///   - rest: called when no event came: milliseconds to wait once more; nil: none.
    @inline(__always)
    init(
        into messages: MessageBatch, upTo bounds: (records: Int, bytes: Int), wait: Int32,
        poll: (_ milliseconds: Int32) -> ConsumerEvent, rest: () -> Int32? = { nil }
    ) {
        var (timeout, hasWaited) = (wait, wait > CommitPace.shortestWait)
        var end = End.full
        polling: while messages.count < bounds.records && messages.byteCount < bounds.bytes {
            switch poll(timeout) {
            case .message(let message):
                messages.append(message)
            case .endOfPartition(let place, let offset):
                messages.append(MessageBatch.PartitionEnd(place: place, offset: offset))
            case .nothing:
                if let left = rest() {
                    (timeout, hasWaited) = (left, true)
                    continue
                }
                end = .dry
                break polling
            case .failure(let error):
                end = .failed(error)
                break polling
            case .rebalance(let rebalance):
                end = .rebalance(rebalance)
                break polling
            }
            timeout = 0
        }
        (self.messages, self.end, self.hasWaited) = (messages, end, hasWaited)
    }

    deinit { messages.removeAll() }

    /// Logs the consumer's error, if there is one and it passes.
    /// - Parameter reading: "questions", "tables".
    /// - Throws: `fatal` for an error that ends the worker, `evicted` for the loss of the place in the group.
    func settle(reading: String, _ logger: Logger) throws(LaneFault) {
        guard case .failed(let error) = end else { return }
        var failure = ConsumerFailure()
        failure.note(error)
        try failure.settle(reading: reading, logger)
    }
}
