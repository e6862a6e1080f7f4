/// Decides when a consumer's broker threads have to be woken so that they fetch on.
///
/// A broker thread that finds the consumer's queue full (`queued.min.messages`, `queued.max.messages.kbytes`) looks at it again
/// when something else wakes it, in librdkafka before 2.2 a second later at the latest (rdkafka_broker.c:
/// `rd_kafka_max_block_ms`), however soon the queue is empty; newer ones have `fetch.queue.backoff.ms`. A queue that holds less
/// than a second's work would leave its reader waiting for most of each second.
struct FetchAhead {
    /// Where librdkafka stops to fetch.
    private let maxRecords: Int
    private let maxBytes: Int
    /// Of the last records.
    private var bytesPerRecord = 0
    /// The queue was full since the last waking.
    private var wasFull = false
    private var woken: ContinuousClock.Instant?
    private var pause = FetchAhead.shortest

    /// Where waking does not help, the broker has nothing or is slow: it is done less and less often.
    private static let shortest = Duration.milliseconds(5)
    private static let longest = Duration.milliseconds(320)

    init(properties: KafkaProperties) {
        maxRecords = properties.effectiveValue("queued.min.messages").flatMap { Int($0) } ?? 100_000
        maxBytes = (properties.effectiveValue("queued.max.messages.kbytes").flatMap { Int($0) } ?? 65536) * 1024
    }

    /// To be asked once a batch.
    /// - Parameters:
    ///   - queued: records in the consumer's queue.
    ///   - records: how many were taken just now, of `bytes`.
    ///   - isStarving: nothing came, though there is more at the broker.
    /// - Returns: whether to wake the broker threads now.
    mutating func isDue(
        queued: Int, records: Int, bytes: Int, isStarving: Bool, now: ContinuousClock.Instant
    ) -> Bool {
        if records > 0 { bytesPerRecord = bytes / records + 1 }
        let room = min(maxRecords, maxBytes / max(1, bytesPerRecord))
        if !isStarving { pause = Self.shortest }
        if queued >= room * 9 / 10 {
            wasFull = true
            return false
        }
        // Early enough for what is fetched to arrive before the rest is worked on.
        if wasFull, queued < room / 2 {
            wasFull = false
            woken = now
            return true
        }
        guard isStarving, woken.map({ now - $0 >= pause }) ?? true else { return false }
        woken = now
        pause = min(Self.longest, pause * 2)
        return true
    }
}
