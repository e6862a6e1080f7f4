import Foundation
import KafkaClient
import Logging
import Synchronization
import TestSupport
import Testing
import Worker

@testable import Recording

/// Topics of a real cluster for one test, and a test's operations on them.
struct ClusterSite {
    let cluster: RealCluster
    /// By the names that were asked for.
    let topics: [String: String]

    /// Makes topics that keep old records, hands them out, deletes them after.
    static func with<Result>(
        _ names: [String], partitions: [String: Int32] = [:], settings: [String: [String: String]] = [:],
        _ body: (ClusterSite) throws -> Result
    ) throws -> Result {
        let cluster = try RealCluster.shared()
        func make(_ rest: ArraySlice<String>, _ made: [String: String]) throws -> Result {
            guard let name = rest.first else { return try body(ClusterSite(cluster: cluster, topics: made)) }
            return try cluster.withTopic(
                name, partitions: partitions[name] ?? 2,
                settings: settings[name] ?? ["retention.ms": "-1"]
            ) { topic in
                try make(rest.dropFirst(), made.merging([name: topic]) { $1 })
            }
        }
        return try make(names[...], [:])
    }

    subscript(name: String) -> String { topics[name] ?? name }

    var admin: AdminClient {
        get throws { try AdminClient(properties: cluster.properties, logger: .silent) }
    }

    /// Publishes in order, each record to its own partition.
    func publish(_ records: [RecordedRecord]) throws {
        let output = try ClusterOutput(
            properties: cluster.properties, delivery: .atLeastOnce, stop: StopSignal(), logger: .silent)
        defer { output.close() }
        for record in records {
            let topic = try output.topic(record.topic)
            _ = try Self.lend(record.key) { key in
                try Self.lend(record.value) { value in
                    try output.publish(
                        to: topic, partition: record.partition, key: key, value: value, timestamp: record.timestamp,
                        headers: record.headers)
                }
            }
        }
        try output.finish()
    }

    /// Everything in a topic, partition by partition.
    func read(_ topic: String, partitions: Int32 = 2) throws -> [Consumed] {
        let consumer = try AssignedConsumer(
            properties: cluster.properties.overlaid(by: KafkaProperties(["isolation.level": "read_committed"])),
            logger: .silent)
        defer { consumer.close() }
        try consumer.assign(
            Dictionary(
                uniqueKeysWithValues: (0..<partitions).map {
                    (TopicPartition(topic: topic, partition: $0), AssignedConsumer.beginning)
                }))
        return try consumer.readToEnd().sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    static func lend<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        guard let bytes else { return try body(nil) }
        return try bytes.withUnsafeBytes { try body($0) }
    }
}

/// Collects a replay's events.
final class Told {
    private(set) var events: [ReplayEvent] = []
    func take(_ event: ReplayEvent) { events.append(event) }
    var notes: [String] { events.compactMap { if case .note(let text) = $0 { text } else { nil } } }
    var warnings: [String] { events.compactMap { if case .warning(let text) = $0 { text } else { nil } } }
}

/// A clock that only waiting moves; each wait takes a little longer than asked for.
final class TestClock: ReplayClock {
    private let time = Mutex(Duration.zero)
    private let overshoot: Duration
    private let onWait: @Sendable (Duration) -> Void

    init(overshoot: Duration = .zero, onWait: @escaping @Sendable (Duration) -> Void = { _ in }) {
        self.overshoot = overshoot
        self.onWait = onWait
    }

    var now: Duration { time.withLock { $0 } }

    func wait(_ duration: Duration) {
        onWait(
            time.withLock {
                $0 += duration + overshoot
                return $0
            })
    }
}

/// A file of records in a directory that goes with it.
final class RecordingFile {
    let path: String
    private let directory: URL

    init(_ records: [RecordedRecord], name: String = "recording.jsonl") throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("recording-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.appendingPathComponent(name).path
        let writer = try RecordingWriter(path: path)
        for record in records { try writer.write(record) }
        try writer.finish()
    }

    deinit { try? FileManager.default.removeItem(at: directory) }
}

extension RecordedRecord {
    init(_ consumed: Consumed) {
        self.init(
            topic: consumed.topic, partition: consumed.partition, offset: consumed.offset,
            timestamp: consumed.timestamp,
            headers: consumed.headers, key: consumed.key, value: consumed.value)
    }

    /// Text for key and value.
    init(_ topic: String, _ partition: Int32, _ offset: Int64, at timestamp: Int64?, key: String?, _ value: String?) {
        self.init(
            topic: topic, partition: partition, offset: offset, timestamp: timestamp, key: key.map { Array($0.utf8) },
            value: value.map { Array($0.utf8) })
    }
}
