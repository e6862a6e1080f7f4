import Foundation
import KafkaClient
import Testing
import Worker

@testable import Recording

/// Records in as few words as a test needs, and their replay.
enum ReplaySite {
    static let limits = RecordLimits(maxMessageBytes: 1_000_000, maxRecordBytes: 997_952)

    static func question(
        _ id: String, _ title: String = "Why?", partition: Int32 = 0, offset: Int64 = 0, timestamp: Int64? = 1_000
    ) -> RecordedRecord {
        record("questions", id, #"{"id":"\#(id)","title":"\#(title)"}"#, partition, offset, timestamp)
    }

    static func answer(
        _ id: String, to question: String, _ body: String = "So.", partition: Int32 = 0, offset: Int64 = 0
    ) -> RecordedRecord {
        record(
            "answers", question, #"{"id":"\#(id)","questionId":"\#(question)","body":"\#(body)"}"#, partition, offset,
            500)
    }

    static func vote(
        _ value: Int, by voter: String, for answer: String, to question: String, partition: Int32 = 0
    ) -> RecordedRecord {
        record(
            "votes", question,
            #"{"questionId":"\#(question)","answerId":"\#(answer)","voterId":"\#(voter)","value":\#(value),"#
                + #""castAt":"2025-01-01T00:00:00Z"}"#, partition, 0, 600)
    }

    static func record(
        _ topic: String, _ key: String?, _ value: String?, _ partition: Int32 = 0, _ offset: Int64 = 0,
        _ timestamp: Int64? = 700, headers: [RecordHeader] = []
    ) -> RecordedRecord {
        RecordedRecord(
            topic: topic, partition: partition, offset: offset, timestamp: timestamp, headers: headers,
            key: key.map { Array($0.utf8) }, value: value.map { Array($0.utf8) })
    }

    /// Feeds records in their order.
    static func replay(
        _ records: [RecordedRecord], topics: TopicNames = TopicNames(), prefix: String = "",
        limits: RecordLimits = Self.limits, startState: String? = nil
    ) throws -> [RecordedRecord] {
        let engine = try ReplayEngine(topics: topics, prefix: prefix, limits: limits, startState: startState)
        let sink = Collected()
        for record in records { try engine.feed(record, into: sink) }
        return sink.records
    }

    /// The comparison's report on two outputs.
    static func compare(
        _ actual: [RecordedRecord], with golden: [RecordedRecord], ignoring: [String] = [], listsQuestions: Bool = false
    ) throws -> ComparisonReport {
        try withDirectory { directory in
            let file = directory + "/golden.jsonl"
            try write(golden, to: file)
            let comparison = GoldenComparison(
                golden: try RecordingReader(path: file, allowsEmpty: true),
                ignoring: try ignoring.map { try IgnoredPath($0) }, listsQuestions: listsQuestions)
            for record in actual { try comparison.take(ReplayOutput(record)) }
            return try comparison.finish()
        }
    }

    static func write(_ records: [RecordedRecord], to file: String) throws {
        let writer = try RecordingWriter(path: file)
        for record in records { try writer.write(record) }
        try writer.finish()
    }

    static func withDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try body(directory.path)
    }

    static var examples: [String] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Examples")
        return ["answers", "votes", "questions"].map { folder.appendingPathComponent("\($0).jsonl").path }
    }
}

final class Collected: ReplaySink {
    var records: [RecordedRecord] = []

    func take(_ output: ReplayOutput) { records.append(output.copy()) }
}

extension RecordedRecord {
    var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }

    func header(_ name: String) -> String? {
        headers.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
    }
}

extension ReplayOutput {
    /// Keeps the record's bytes for ever: for tests.
    init(_ record: RecordedRecord) {
        func kept(_ bytes: [UInt8]?) -> UnsafeRawBufferPointer? {
            guard let bytes else { return nil }
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
            copy.copyBytes(from: bytes)
            return UnsafeRawBufferPointer(rebasing: copy[..<bytes.count])
        }
        self.init(
            kind: record.topic == TopicNames().enriched ? .enriched : .deadLetter, topic: record.topic,
            partition: record.partition, offset: record.offset, timestamp: record.timestamp, headers: record.headers,
            key: kept(record.key), value: kept(record.value))
    }
}
