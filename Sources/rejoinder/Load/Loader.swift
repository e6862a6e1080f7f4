import KafkaClient
import Logging
import Records

/// Publishes the records of a source with the idempotent producer, placed by key as Java clients place them.
struct Loader {
    let topic: String
    let check: LineCheck
    let properties: KafkaProperties
    let logger: Logger

    /// How long a full queue may stay full, and how long the last records may take: librdkafka gives a record up after
    /// `message.timeout.ms`, five minutes by default, and says why; this is beyond it.
    private static let patience = Duration.seconds(330)

    /// - Parameter progress: called now and then with the records and bytes of the file that are queued.
    /// - Returns: how many records the brokers acknowledged.
    /// - Throws: ``CommandFailure`` or ``KafkaError``; what was acknowledged before it stays published.
    func run(_ source: LoadSource, progress: (_ records: Int, _ bytes: Int) -> Void) throws -> Int {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        let handle = try producer.topic(topic)
        var count = 0
        _ = try check.run(source) { key, value, done in
            try produce(key, value, to: handle, with: producer)
            count += 1
            if count % 1_000 == 0 {
                producer.poll(timeoutMilliseconds: 0)
                progress(count, done)
            }
        }
        try producer.flush(timeout: Self.patience)
        progress(count, source.size)
        return count
    }

    private func produce(_ key: Bytes, _ value: Bytes, to topic: ProducerTopic, with producer: Producer) throws {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do throws(KafkaError) {
                return try producer.produce(to: topic, partition: nil, key: key, value: value, timestamp: nil)
            } catch {
                guard error.isQueueFull, .now < deadline else { throw error }
                producer.poll(timeoutMilliseconds: 100)
            }
        }
    }
}
