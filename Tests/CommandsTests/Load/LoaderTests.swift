import Foundation
import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Commands

@Suite struct LoaderTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Where each key belongs in three partitions, as the recording has it, which was made with Java's placing.
    private func recordedPartitions() throws -> [String: Int32] {
        var partitions: [String: Int32] = [:]
        for record in try Demo.records(of: root.appendingPathComponent("Examples/questions.jsonl")) {
            if let key = record.key { partitions[String(decoding: key, as: UTF8.self)] = record.partition }
        }
        return partitions
    }

    @Test func valuesArriveByteForByteAndWhereJavaPutsThem() throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        try broker.createTopic("questions", partitions: 3)
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
        let file = root.appendingPathComponent("Examples/load/questions.jsonl").path
        let loader = Loader(
            topic: "questions", check: LineCheck(kind: .questions, limit: 100_000), properties: properties,
            delivery: .transactions(idPrefix: "test"), stop: StopSignal(), logger: .silent)
        let count = try loader.run(try LoadSource(path: file)) { _, _ in }

        let consumer = try AssignedConsumer(properties: properties, logger: .silent)
        defer { consumer.close() }
        try consumer.assign(
            Dictionary(
                uniqueKeysWithValues: (0..<3).map {
                    (TopicPartition(topic: "questions", partition: $0), AssignedConsumer.beginning)
                }))
        let records = try consumer.readToEnd()
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(count == lines.count)
        #expect(records.map { $0.text ?? "" }.sorted() == lines.sorted())
        let partitions = try recordedPartitions()
        for record in records {
            let key = String(decoding: record.key ?? [], as: UTF8.self)
            #expect(partitions[key] == record.partition, "\(key)")
            #expect(record.text?.contains("\"\(key)\"") == true)
        }
        #expect(records.count > 5)
    }

    @Test func aRefusedRecordIsAnError() throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        try broker.createTopic("questions", partitions: 1)
        try broker.inject(Array(repeating: "TOPIC_AUTHORIZATION_FAILED", count: 20), into: .produce)
        let directory = try TemporaryDirectory()
        let source = try LoadSource(path: try directory.file("{\"id\":\"a\",\"title\":\"t\"}\n"))
        let loader = Loader(
            topic: "questions", check: LineCheck(kind: .questions, limit: 1_000),
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers]),
            delivery: .transactions(idPrefix: "test"), stop: StopSignal(), logger: .silent)
        #expect { try loader.run(source) { _, _ in } } throws: { error in
            CommandFailure(error).status == .configuration || CommandFailure(error).status == .internalError
        }
    }
}
