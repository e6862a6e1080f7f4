import KafkaClient
import TestSupport
import Testing

/// Ends of transactions whose answers come later than the call waits, on the embedded broker.
@Suite struct LateAnswerTests {
    let broker: EmbeddedBroker

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("out", partitions: 1)
    }

    private func producerInTransaction() throws -> Producer {
        let producer = try Producer(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "linger.ms": "0"]),
            transactionalID: "late", logger: .silent)
        try producer.initTransactions(timeout: .seconds(20))
        try producer.beginTransaction()
        try producer.produce("one", key: nil, to: producer.topic("out"), partition: 0)
        try producer.flush(timeout: .seconds(20))
        return producer
    }

    private enum End: CaseIterable { case commit, abort }

    /// librdkafka gives a repeated call the results of the first one, and ends the process when the answer comes after
    /// both have returned.
    @Test(arguments: End.allCases) private func anEndWithoutAnAnswerIsNotRepeated(_ end: End) throws {
        let producer = try producerInTransaction()
        func finish() throws(KafkaError) {
            switch end {
            case .commit: try producer.commitTransaction(timeout: .milliseconds(100))
            case .abort: try producer.abortTransaction(timeout: .milliseconds(100))
            }
        }
        try broker.setRoundTrip(.milliseconds(400), ofBroker: 1)
        let first = try #require(throws: KafkaError.self) { try finish() }
        #expect(first.isTimeout && first.isFatal && !first.isRetriable, "\(first)")
        // The producer takes no further call: closed before the answer comes.
        let second = try #require(throws: KafkaError.self) { try finish() }
        #expect(second.name == "_DESTROY", "\(second)")
        #expect(throws: KafkaError.self) { try producer.beginTransaction() }
        try broker.setRoundTrip(.zero, ofBroker: 1)
        let next = try producerInTransaction()
        try next.commitTransaction(timeout: .seconds(20))
        next.close(timeout: .seconds(1))
    }

    @Test func aLongWaitIsTold() throws {
        let producer = try producerInTransaction()
        try broker.setRoundTrip(.milliseconds(5_500), ofBroker: 1)
        var told: [String] = []
        try producer.commitTransaction(timeout: .seconds(30), noting: { told.append($0.description) })
        #expect(told.count == 1)
        #expect(told.first?.contains("no answer for 5 s") == true, "\(told)")
        producer.close(timeout: .seconds(1))
    }
}
