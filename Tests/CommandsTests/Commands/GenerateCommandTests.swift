import ArgumentParser
import Foundation
import KafkaClient
import TestSupport
import Testing
import Workload

@testable import Commands

@Suite struct GenerateCommandTests {
    private let small = ["--questions", "20", "--votes", "50", "--events", "100"]

    @Test func filesAreWhatLoadReads() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/made"
        let command = try GenerateCommand.parse(small + ["--directory", path])
        try command.run()
        for (kind, count) in [(RecordKind.answers, 60), (.votes, 50), (.questions, 100)] {
            let source = try LoadSource(path: "\(path)/\(kind.rawValue).jsonl")
            let found = try LineCheck(kind: kind, limit: 100_000).run(source)
            #expect(found == LineCheck.Result(good: count))
        }
    }

    @Test func recordsArriveUnderTheirKeys() throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        for topic in ["questions", "answers", "votes"] { try broker.createTopic(topic, partitions: 3) }
        let command = try GenerateCommand.parse(small + ["--bootstrap-servers", broker.bootstrapServers])
        try command.run()
        let consumer = try AssignedConsumer(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), logger: .silent)
        defer { consumer.close() }
        try consumer.assign(
            Dictionary(
                uniqueKeysWithValues: (0..<3).map {
                    (TopicPartition(topic: "questions", partition: $0), AssignedConsumer.beginning)
                }))
        let records = try consumer.readToEnd()
        #expect(records.count == 100)
        for record in records {
            let key = String(decoding: record.key ?? [], as: UTF8.self)
            #expect(record.text?.hasPrefix(#"{"id":"\#(key)""#) == true)
        }
    }

    @Test(arguments: [
        [], ["--directory", "/tmp/x", "--print", "votes"], ["--publish", "--scale", "0"],
        ["--publish", "--vote-share", "1"],
        ["--publish", "--answers-per-question", "5-2"], ["--publish", "--skew", "zipf:-1"],
        ["--publish", "--questions", "0"],
        ["--publish", "--workload", "w4", "--scale", "1000"],
    ])
    func whatCannotBeMeantIsRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try GenerateCommand.parse(arguments) }
    }

    @Test func optionsChangeThePreset() throws {
        let command = try GenerateCommand.parse([
            "--publish", "--workload", "w2", "--scale", "0.1", "--votes", "7", "--answers-per-question", "0-50",
            "--skew", "zipf:1.2",
        ])
        #expect(command.plan.questions == 5_000)
        #expect(command.plan.votes == 7)
        #expect(command.plan.answersPerQuestion == 0...50)
        #expect(command.plan.skew == .zipf(exponent: 1.2))
    }
}
