import KafkaClient
import TestSupport
import Testing

@Suite struct MessageBatchTests {
    @Test func growsCountsAndReleases() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        let topic = try producer.topic("t")
        for number in 0..<10 { try producer.produce("value \(number)", key: "key", to: topic, partition: 0) }
        try producer.flush(timeout: .seconds(10))

        let consumer = try AssignedConsumer(properties: properties, logger: .silent)
        try consumer.assign([TopicPartition(topic: "t", partition: 0): 0])
        let batch = MessageBatch(capacity: 2)
        let deadline = ContinuousClock.now + .seconds(20)
        while batch.count < 10, .now < deadline {
            if case .message(let message) = consumer.poll(timeoutMilliseconds: 100) { batch.append(message) }
        }
        #expect(batch.count == 10)
        #expect(batch.byteCount == 10 * (7 + 3))
        #expect((0..<10).map { batch[$0].offset } == (0..<10).map { Int64($0) })
        #expect(batch[9].value.map { String(decoding: $0, as: UTF8.self) } == "value 9")
        batch.removeAll()
        #expect(batch.isEmpty)
        #expect(batch.byteCount == 0)
        consumer.close()
        producer.close(timeout: .seconds(1))
    }
}
