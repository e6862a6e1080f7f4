import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Recording

/// The records surely there when publishing breaks off. On the embedded broker, which fails to order.
@Suite struct ClusterOutputTests {
    private let broker: EmbeddedBroker
    private let properties: KafkaProperties

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
    }

    private func output(_ delivery: ClusterOutput.Delivery) throws -> ClusterOutput {
        try ClusterOutput(properties: properties, delivery: delivery, stop: StopSignal(), logger: .silent)
    }

    private func publish(_ count: Int, to output: ClusterOutput) throws {
        let topic = try output.topic("t")
        for _ in 0..<count {
            _ = try output.publish(to: topic, partition: 0, key: nil, value: nil, timestamp: nil, headers: [])
        }
    }

    @Test func aRefusedRecordLeavesWhatWasCommitted() throws {
        let output = try output(.transactions(idPrefix: "test"))
        defer { output.close() }
        try publish(3, to: output)
        try output.finish()
        #expect(output.certain == 3)
        try broker.inject(Array(repeating: "TOPIC_AUTHORIZATION_FAILED", count: 20), into: .produce)
        let failure = try #require(throws: PublishFailure.self) {
            try publish(2, to: output)
            try output.finish()
        }
        #expect(failure.certain == 3 && failure.handedOver == 2 && failure.rest == .takenBack)
        #expect(
            failure.description.hasSuffix(
                "; the first 3 records are there for certain, each once and in order, and none after them: the 2 that "
                    + "followed were taken back"))
    }

    @Test func aCommitThatIsNotAnsweredIsInDoubt() throws {
        let output = try output(.transactions(idPrefix: "test"))
        defer { output.close() }
        output.commitPatience = .seconds(1)
        try publish(2, to: output)
        try broker.inject(Array(repeating: "_TRANSPORT", count: 1_000), into: .endTransaction)
        let failure = try #require(throws: PublishFailure.self) { try output.finish() }
        #expect(failure.certain == 0 && failure.handedOver == 2 && failure.rest == .inDoubt, "\(failure)")
        #expect(failure.description.contains("all of them are, or none"))
    }

    @Test func withoutTransactionsOnlyWhatWasAcknowledgedIsCertain() throws {
        let output = try output(.atLeastOnce)
        defer { output.close() }
        try publish(3, to: output)
        try output.finish()
        try broker.inject(Array(repeating: "TOPIC_AUTHORIZATION_FAILED", count: 20), into: .produce)
        let failure = try #require(throws: PublishFailure.self) {
            try publish(2, to: output)
            try output.finish()
        }
        #expect(failure.certain == 3 && failure.rest == .unknown)
        #expect(failure.description.contains("even twice"))
    }
}
