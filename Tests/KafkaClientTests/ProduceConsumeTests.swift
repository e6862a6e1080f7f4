import KafkaClient
import Logging
import TestSupport
import Testing

/// Records go in and come out unchanged, on the embedded broker.
@Suite struct ProduceConsumeTests {
    let broker: EmbeddedBroker
    let properties: KafkaProperties

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("in", partitions: 4)
        try broker.createTopic("out", partitions: 4)
        properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
    }

    private func producer() throws -> Producer {
        try Producer(properties: properties, transactionalID: nil, logger: .silent)
    }

    private func read(_ topic: String, partitions: Range<Int32> = 0..<4) throws -> [Consumed] {
        let consumer = try AssignedConsumer(properties: properties, logger: .silent)
        defer { consumer.close() }
        try consumer.assign(at(topic, partitions))
        return try consumer.readToEnd()
    }

    private func at(_ topic: String, _ partitions: Range<Int32>) -> [TopicPartition: Int64] {
        Dictionary(
            uniqueKeysWithValues: partitions.map {
                (TopicPartition(topic: topic, partition: $0), AssignedConsumer.beginning)
            })
    }

    @Test func nullAndEmptyStayApart() throws {
        let producer = try producer()
        let topic = try producer.topic("in")
        for (key, value) in [(nil, nil), ("", ""), ("k", nil), (nil, "v"), ("k", ""), ("", "v")] as [(String?, String?)]
        {
            try producer.produce(value, key: key, to: topic, partition: 1)
        }
        try producer.flush(timeout: .seconds(10))
        let found = try read("in")
        #expect(found.map(\.key) == [nil, [], [107], nil, [107], []])
        #expect(found.map(\.value) == [nil, [], nil, [118], [], [118]])
        #expect(found.allSatisfy { $0.partition == 1 })
        #expect(found.map(\.offset) == [0, 1, 2, 3, 4, 5])
        #expect(found.allSatisfy { $0.headers.isEmpty })
        producer.close(timeout: .seconds(1))
    }

    @Test func anEmptyBufferWithoutAddressIsEmptyNotNull() throws {
        let producer = try producer()
        let topic = try producer.topic("in")
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        try producer.produce(to: topic, partition: 0, key: empty, value: empty, timestamp: nil)
        try producer.flush(timeout: .seconds(10))
        let found = try read("in")
        #expect(found.map(\.key) == [[]])
        #expect(found.map(\.value) == [[]])
    }

    @Test func headersAndTimestampsPassThrough() throws {
        let producer = try producer()
        let first = try producer.topic("in")
        let original = [
            RecordHeader("trace", "one"), RecordHeader("trace", "two"), RecordHeader(name: "none", value: nil),
            RecordHeader(name: "empty", value: []), RecordHeader(name: "bytes", value: [0, 255, 10]),
            RecordHeader("ünïcode", "✓"),
        ]
        try producer.produce(
            to: first, partition: 0, key: nil, value: nil, timestamp: 1_234_567, extraHeaders: original)
        try producer.flush(timeout: .seconds(10))

        let consumer = try AssignedConsumer(properties: properties, logger: .silent)
        try consumer.assign([TopicPartition(topic: "in", partition: 0): AssignedConsumer.beginning])
        let second = try producer.topic("out")
        let more = [RecordHeader("trace", "three")]
        var passedOn = false
        let deadline = ContinuousClock.now + .seconds(20)
        while !passedOn, .now < deadline {
            guard case .message(let message) = consumer.poll(timeoutMilliseconds: 100) else { continue }
            #expect(message.hasHeaders)
            #expect(message.topicIndex == 0)
            try producer.produce(
                to: second, partition: 2, key: message.key, value: message.value, timestamp: message.timestamp,
                headersOf: message)
            try producer.produce(
                to: second, partition: 2, key: message.key, value: message.value, timestamp: message.timestamp,
                headersOf: message, extraHeaders: more)
            message.release()
            passedOn = true
        }
        consumer.close()
        try producer.flush(timeout: .seconds(10))
        let found = try read("out")
        #expect(found.map(\.headers) == [original, original + more])
        #expect(found.map(\.timestamp) == [1_234_567, 1_234_567])
        #expect(found.map(\.partition) == [2, 2])
    }

    @Test func keysAreHashedAsJavaDoes() throws {
        let producer = try producer()
        let topic = try producer.topic("in")
        // Partitions that Java's client chooses of 4: (murmur2(key) & 0x7fffffff) % 4.
        let keys = ["q1", "q2", "question-17", "", "日本語"]
        for key in keys { try producer.produce("v", key: key, to: topic) }
        try producer.flush(timeout: .seconds(10))
        let found = try read("in")
        for key in keys {
            let record = try #require(found.first { $0.key == Array(key.utf8) })
            #expect(record.partition == Int32(Self.murmur2(Array(key.utf8)) & 0x7FFF_FFFF) % 4, "key \(key)")
        }
    }

    /// Kafka's `Utils.murmur2`.
    private static func murmur2(_ data: [UInt8]) -> UInt32 {
        let m: UInt32 = 0x5bd1_e995
        var h: UInt32 = 0x9747_b28c ^ UInt32(data.count)
        let whole = data.count / 4 * 4
        for i in stride(from: 0, to: whole, by: 4) {
            var k = UInt32(data[i]) | UInt32(data[i + 1]) << 8 | UInt32(data[i + 2]) << 16 | UInt32(data[i + 3]) << 24
            k = k &* m
            k ^= k >> 24
            k = k &* m
            h = h &* m
            h ^= k
        }
        for (i, byte) in data[whole...].enumerated().reversed() { h ^= UInt32(byte) << (8 * UInt32(i)) }
        if whole < data.count { h = h &* m }
        h ^= h >> 13
        h = h &* m
        h ^= h >> 15
        return h
    }

    @Test func producingToAPartitionThatIsNotThereFails() throws {
        let producer = try producer()
        let topic = try producer.topic("in")
        #expect(try producer.partitionCount(of: topic, timeout: .seconds(10)) == 4)
        let error = try #require(throws: KafkaError.self) {
            try producer.produce("v", key: nil, to: topic, partition: 9)
            try producer.flush(timeout: .seconds(10))
        }
        #expect(error.description.contains("in [9]") || error.description.contains("Delivering"))
        #expect(error.name == "_UNKNOWN_PARTITION")
    }

    @Test func aRecordThatTheBrokerRefusesFailsTheFlush() throws {
        try broker.inject(["TOPIC_AUTHORIZATION_FAILED"], into: .produce)
        let producer = try producer()
        let topic = try producer.topic("in")
        try producer.produce("v", key: nil, to: topic, partition: 3)
        let error = try #require(throws: KafkaError.self) { try producer.flush(timeout: .seconds(20)) }
        #expect(error.description.contains("1 record could not be delivered"))
        #expect(error.description.contains("in [3]"))
        // Told once.
        try producer.flush(timeout: .seconds(5))
        #expect(producer.queuedMessageCount == 0)
    }

    @Test func errorsThatPassAreRetriedByItself() throws {
        try broker.inject(["NOT_LEADER_FOR_PARTITION", "_TRANSPORT", "REQUEST_TIMED_OUT"], into: .produce)
        let producer = try producer()
        let topic = try producer.topic("in")
        for number in 0..<20 { try producer.produce("\(number)", key: nil, to: topic, partition: 0) }
        try producer.flush(timeout: .seconds(30))
        #expect(try read("in").map(\.text) == (0..<20).map { "\($0)" })
    }

    @Test func aFullQueueSaysSo() throws {
        try broker.stopBroker(1)
        let producer = try Producer(
            properties: properties.overlaid(by: KafkaProperties(["queue.buffering.max.messages": "10"])),
            transactionalID: nil, logger: .silent)
        let topic = try producer.topic("in")
        let error = try #require(throws: KafkaError.self) {
            for _ in 0..<11 { try producer.produce("v", key: nil, to: topic, partition: 0) }
        }
        #expect(error.isQueueFull)
        // Reports that the broker is gone may count too.
        #expect(producer.queuedMessageCount >= 10)
        let late = try #require(throws: KafkaError.self) { try producer.flush(timeout: .milliseconds(200)) }
        #expect(late.isTimeout)
        producer.close(timeout: .milliseconds(10))
    }

    @Test func everyCallOnAClosedClientFails() throws {
        let producer = try producer()
        let topic = try producer.topic("in")
        producer.close(timeout: .seconds(1))
        producer.close(timeout: .seconds(1))
        #expect(throws: KafkaError.self) {
            try producer.produce(to: topic, partition: 0, key: nil, value: nil, timestamp: nil)
        }
        #expect(throws: KafkaError.self) { try producer.flush(timeout: .seconds(1)) }
        #expect(throws: KafkaError.self) { try producer.topic("out") }
        producer.poll(timeoutMilliseconds: 0)
        #expect(producer.queuedMessageCount == 0)
    }

    @Test func aPropertyThatOnlyNewClientsRefuseIsNamed() throws {
        let error = try #require(throws: KafkaError.self) {
            try Producer(
                properties: properties.overlaid(by: KafkaProperties(["acks": "1"])), transactionalID: nil,
                logger: .silent)
        }
        #expect(error.description.contains("acks"))
    }
}
