/// Decides when a consumer's broker threads must be woken so that they fetch on.
///
/// A broker thread that finds the consumer's queue full (`queued.min.messages`, `queued.max.messages.kbytes`) checks it
/// again only when another event wakes it. In librdkafka before 2.2 that may take a second (rdkafka_broker.c:
/// `rd_kafka_max_block_ms`), however soon the queue is empty; later versions have `fetch.queue.backoff.ms`. With a
/// queue that holds less than a second's work, the reader would wait for most of each second.
struct FetchAhead {
    /// The limits at which librdkafka stops fetching.
    private let maxRecords: Int
    private let maxBytes: Int
    /// Average of the latest batch.
    private var bytesPerRecord = 0
    /// The queue was full at some time since the last waking.
    private var wasFull = false
    private var woken: ContinuousClock.Instant?
    private var pause = FetchAhead.shortest

    /// The pause between wakings doubles while waking does not help: the broker has no records or is slow.
    private static let shortest = Duration.milliseconds(5)
    private static let longest = Duration.milliseconds(320)

    init(properties: KafkaProperties) {
        maxRecords = properties.effectiveValue("queued.min.messages").flatMap { Int($0) } ?? 100_000
        maxBytes = (properties.effectiveValue("queued.max.messages.kbytes").flatMap { Int($0) } ?? 65536) * 1024
    }

    /// Call once a batch.
    /// - Parameters:
    ///   - queued: records in the consumer's queue.
    ///   - records: the number of records just taken, of `bytes`.
    ///   - isStarving: the batch was empty, though the broker has more records.
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
        // Early enough for new records to arrive before the queued ones are used up.
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
