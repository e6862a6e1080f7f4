import KafkaClient
import Logging
import Records
import Worker

/// Where a replay publishes: an idempotent producer that keeps the order within each partition, waits for room, and notices
/// failed deliveries soon.
///
/// Idempotent and not transactional: a replay commits no offsets, so a transaction would only make one that is stopped
/// half-way invisible, and a long one cannot be one transaction anyway. Not Sendable: used on one thread.
final class ClusterOutput {
    /// librdkafka gives a record up after `message.timeout.ms`, five minutes by default, and says why; this is beyond it.
    private static let patience = Duration.seconds(330)
    /// How long a stopped replay waits for what it has queued.
    private static let grace = Duration.seconds(15)
    /// How often failed deliveries are looked for.
    private static let checkInterval = Duration.seconds(5)

    private let producer: Producer
    private let stop: StopSignal
    private let isPaced: Bool
    private var checked = ContinuousClock.now
    private var tried = ContinuousClock.now
    private(set) var published = 0
    private(set) var bytes = 0

    /// - Parameters:
    ///   - properties: the user's own, which win.
    ///   - isPaced: records leave at once instead of in full batches.
    ///   - largestRecord: bytes that one record may have, where that is known; the producer is made to take it.
    init(
        properties: KafkaProperties, isPaced: Bool, largestRecord: Int = 0, stop: StopSignal, logger: Logger
    ) throws(KafkaError) {
        self.stop = stop
        self.isPaced = isPaced
        var own = KafkaProperties([
            "client.id": "rejoinder-replay",
            "linger.ms": isPaced ? "1" : "20",
            // Half a gigabyte of queue by default: what a replay reads is there to be read again.
            "queue.buffering.max.kbytes": "65536",
        ])
        if largestRecord > 1_000_000 { own["message.max.bytes"] = String(largestRecord) }
        producer = try Producer(properties: own.overlaid(by: properties), transactionalID: nil, logger: logger)
    }

    func topic(_ name: String) throws(KafkaError) -> ProducerTopic { try producer.topic(name) }

    /// Queues one record; waits while the queue is full.
    /// - Parameters:
    ///   - partition: nil: where the key hashes, as Java clients do it.
    ///   - timestamp: milliseconds since 1970; nil (and 0, to librdkafka) is now.
    /// - Returns: false when the replay was stopped while it waited, and the record is not queued.
    /// - Throws: `MSG_SIZE_TOO_LARGE` among others; failed deliveries of earlier records too.
    func publish(
        to topic: ProducerTopic, partition: Int32?, key: Bytes?, value: Bytes?, timestamp: Int64?,
        headers: [RecordHeader], headersOf message: ConsumedMessage? = nil
    ) throws(KafkaError) -> Bool {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(KafkaError) {
                try producer.produce(
                    to: topic, partition: partition, key: key, value: value, timestamp: timestamp,
                    headersOf: message, extraHeaders: headers)
                break
            } catch {
                guard error.isQueueFull, .now < deadline else { throw error }
                if stop.isRequested { return false }
                producer.poll(timeoutMilliseconds: 10)
            }
        }
        published += 1
        bytes += (key?.count ?? 0) + (value?.count ?? 0)
        if published & 255 == 0 { try check() }
        return true
    }

    /// Now and then looks whether everything is delivered, since only that tells of failures. A paced replay must not stand
    /// still for it: it waits only when the queue was never found empty for long.
    func check() throws(KafkaError) {
        let now = ContinuousClock.now
        guard now - checked > Self.checkInterval else { return }
        if isPaced, now - checked < Self.checkInterval * 12 {
            guard now - tried > .milliseconds(100) else { return }
            tried = now
            do throws(KafkaError) {
                try producer.flush(timeout: .zero)
            } catch {
                if error.isTimeout, !error.isFatal { return }
                throw error
            }
        } else {
            try finish()
        }
        checked = .now
    }

    /// Waits until every record is acknowledged; once the replay is stopped, no longer than a grace.
    func finish() throws(KafkaError) {
        let began = ContinuousClock.now
        var stopped: ContinuousClock.Instant?
        while true {
            do throws(KafkaError) {
                return try producer.flush(timeout: .seconds(1))
            } catch {
                let now = ContinuousClock.now
                if stop.isRequested, stopped == nil { stopped = now }
                guard error.isTimeout, !error.isFatal, now - began < Self.patience,
                    now - (stopped ?? now) < Self.grace, producer.queuedMessageCount > 0
                else { throw error }
            }
        }
    }

    func close() { producer.close(timeout: .zero) }
}
