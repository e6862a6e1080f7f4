import KafkaClient
import Logging
import Testing

@testable import Admin
@testable import Throughput

/// On the embedded broker.
@Suite("The latest event of a question")
struct QuestionSearchTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let place = TopicPartition(topic: "questions", partition: 1)

    private let broker: EmbeddedBroker
    private let properties: KafkaProperties

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("questions", partitions: 2)
        properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "auto.offset.reset": "earliest"])
    }

    /// Publishes keys with values, nil values being null, and then so many others.
    private func publish(_ records: [(String, String?)], others: Int = 0) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: Self.logger)
        let topic = try producer.topic("questions")
        func put(_ key: String, _ value: String?) throws {
            let (key, value) = (Array(key.utf8), value.map { Array($0.utf8) })
            try key.withUnsafeBytes { key in
                if let value {
                    try value.withUnsafeBytes { value in
                        try producer.produce(to: topic, partition: 1, key: key, value: value, timestamp: nil)
                    }
                } else {
                    try producer.produce(to: topic, partition: 1, key: key, value: nil, timestamp: nil)
                }
            }
        }
        for (key, value) in records { try put(key, value) }
        for number in 0..<others { try put("other-\(number % 100)", "{}") }
        try producer.flush(timeout: .seconds(30))
    }

    private func search(_ id: String, within patience: Duration = .seconds(60)) throws -> QuestionEvent? {
        try QuestionSearch.latest(
            of: Array(id.utf8), in: Self.place, properties: properties, deadline: .now + patience,
            cancellation: SearchCancellation(), logger: Self.logger)
    }

    @Test("the last one counts, wherever it is")
    func latest() throws {
        #expect(try search("q1") == nil)
        try publish([("q1", "first"), ("q1", "second"), ("q2", "x"), ("q2", nil), ("q3", "")], others: 30_000)
        let first = try #require(try search("q1"))
        #expect(first.value == Array("second".utf8))
        #expect(first.offset == 1)
        #expect(first.place == Self.place)
        let deleted = try #require(try search("q2"))
        #expect(deleted.value == nil)
        #expect(deleted.offset == 3)
        #expect(try search("q3")?.value == [])
        #expect(try search("q") == nil)
        #expect(try search("other-99")?.offset == 30_004)
        try publish([("q1", "third")])
        #expect(try search("q1")?.value == Array("third".utf8))
    }

    @Test("ends when the time is over or nobody waits")
    func ends() throws {
        try publish([], others: 100)
        #expect(throws: QuestionSearch.Failure.self) { try search("q1", within: .zero) }
        let cancellation = SearchCancellation()
        cancellation.cancel()
        #expect(throws: QuestionSearch.Failure.cancelled) {
            try QuestionSearch.latest(
                of: [1], in: Self.place, properties: properties, deadline: .now + .seconds(60),
                cancellation: cancellation,
                logger: Self.logger)
        }
    }

    @Test("a broker that is not there: a sentence")
    func unreachable() {
        let nobody = KafkaProperties(["bootstrap.servers": "127.0.0.1:1"])
        #expect(throws: QuestionSearch.Failure.self) {
            try QuestionSearch.latest(
                of: [1], in: Self.place, properties: nobody, deadline: .now + .milliseconds(300),
                cancellation: SearchCancellation(), logger: Self.logger)
        }
    }
}
