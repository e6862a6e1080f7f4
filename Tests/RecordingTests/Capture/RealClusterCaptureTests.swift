import KafkaClient
import Logging
import TestSupport
import Testing

@testable import Recording

/// Times, transactions and groups as a real server has them.
@Suite(
    "Capturing a window of a real cluster",
    .enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct RealClusterCaptureTests {
    let cluster: RealCluster
    static let start: Int64 = 1_700_000_000_000

    init() throws { cluster = try RealCluster.shared() }

    private func capture(_ topics: [String], _ window: Window, properties: KafkaProperties? = nil) -> Capture {
        Capture(
            topics: topics, window: window, properties: properties ?? cluster.properties, groupID: "live",
            logger: .silent)
    }

    /// One record a second and partition from `start` on, for 100 seconds.
    private func withSeconds(_ body: (String) throws -> Void) throws {
        try cluster.withTopic(partitions: 2, settings: ["retention.ms": "-1"]) { name in
            let producer = try Producer(properties: cluster.properties, transactionalID: nil, logger: .silent)
            let topic = try producer.topic(name)
            for second in 0..<100 as Range<Int64> {
                for partition in 0..<2 as Range<Int32> {
                    try producer.produce(
                        "\(second)", key: "k", to: topic, partition: partition, timestamp: Self.start + second * 1_000)
                }
            }
            try producer.flush(timeout: .seconds(20))
            producer.close(timeout: .seconds(1))
            try body(name)
        }
    }

    @Test("times: the first is in, the last is not")
    func times() throws {
        try withSeconds { (name) throws in
            func seconds(_ from: WindowBound, _ to: WindowBound) throws -> [Int64] {
                let found = try RecordingWriter.capture(capture([name], Window(from: from, to: to))).records
                #expect(found == found.merged)
                return found.filter { $0.partition == 0 }.map { (($0.timestamp ?? 0) - Self.start) / 1_000 }
            }
            #expect(try seconds(.time(Self.start + 10_000), .time(Self.start + 20_000)) == Array(10..<20))
            #expect(try seconds(.time(Self.start + 10_001), .time(Self.start + 20_001)) == Array(11...20))
            #expect(try seconds(.time(Self.start + 95_000), .end) == Array(95..<100))
            #expect(try seconds(.beginning, .time(Self.start + 3_000)) == Array(0..<3))
            #expect(try seconds(.time(Self.start + 200_000), .end) == [])
            #expect(try seconds(.time(0), .time(Self.start + 200_000)).count == 100)
            #expect(try seconds(.ago(60_000), .end) == [])
            #expect(try seconds(.time(Self.start + 50_000), .count(4)) == [50, 51])
            #expect(try seconds(.offset(97), .end) == [97, 98, 99])
        }
    }

    @Test("only what was committed; control records at a partition's end do not hold it up")
    func transactions() throws {
        try cluster.withTopic { (name) throws in
            let producer = try Producer(
                properties: cluster.properties, transactionalID: RealCluster.uniqueName("tx"), logger: .silent)
            try producer.initTransactions(timeout: .seconds(20))
            let topic = try producer.topic(name)
            for (text, isCommitted) in [("one", true), ("two", false), ("three", true), ("four", false)] {
                try producer.beginTransaction()
                try producer.produce(text, key: text, to: topic, partition: 0)
                if isCommitted {
                    try producer.commitTransaction(timeout: .seconds(20))
                } else {
                    try producer.flush(timeout: .seconds(20))
                    try producer.abortTransaction(timeout: .seconds(20))
                }
            }
            #expect(try RecordingWriter.capture(capture([name], Window())).records.map(\.keyText) == ["one", "three"])
            // The end is before the open transaction: it may be aborted yet.
            try producer.beginTransaction()
            try producer.produce("five", key: "five", to: topic, partition: 0)
            try producer.flush(timeout: .seconds(20))
            #expect(try RecordingWriter.capture(capture([name], Window())).records.map(\.keyText) == ["one", "three"])
            let uncommitted = cluster.properties.overlaid(by: KafkaProperties(["isolation.level": "read_uncommitted"]))
            let all = try RecordingWriter.capture(capture([name], Window(), properties: uncommitted)).records
            #expect(all.map(\.keyText) == ["one", "two", "three", "four", "five"])
            try producer.abortTransaction(timeout: .seconds(20))
            producer.close(timeout: .seconds(1))
        }
    }

    @Test("the live group's offsets stay as they are, and no other group appears with offsets")
    func committedOffsets() throws {
        try withSeconds { (name) throws in
            let group = RealCluster.uniqueName("live")
            let consumer = try GroupConsumer(
                properties: cluster.properties.overlaid(
                    by: KafkaProperties(["group.id": group, "auto.offset.reset": "earliest"])), logger: .silent)
            try consumer.subscribe([name])
            let partitions = (0..<2).map { TopicPartition(topic: name, partition: $0) }
            _ = try consumer.poll { messages, _ in messages.count >= 10 }
            try consumer.commit([partitions[0]: 5, partitions[1]: 7])
            let admin = try AdminClient(properties: cluster.properties, logger: .silent)
            defer { admin.close() }
            let before = try admin.committedOffsets(group: group, of: partitions, timeout: .seconds(20))
            #expect(before == [partitions[0]: 5, partitions[1]: 7])

            // The user's properties of groups do not matter.
            let properties = cluster.properties.overlaid(
                by: KafkaProperties(["enable.auto.commit": "true", "auto.commit.interval.ms": "1"]))
            let capture = Capture(
                topics: [name], window: try Window(), properties: properties, groupID: group, logger: .silent)
            #expect(try RecordingWriter.capture(capture).records.count == 200)
            #expect(try admin.committedOffsets(group: group, of: partitions, timeout: .seconds(20)) == before)
            // Nothing was moved: the member still has both partitions.
            let after = try consumer.poll { messages, _ in messages.count >= 1 }
            #expect(after.rebalances.isEmpty)
            consumer.close(timeout: .seconds(10))
        }
    }

    @Test("two runs over what a cluster holds, byte for byte, and headers, nulls and large values in it")
    func roundTrip() throws {
        try cluster.withTopic(partitions: 3, settings: ["retention.ms": "-1", "max.message.bytes": "2000000"]) { name in
            let producer = try Producer(
                properties: cluster.properties.overlaid(by: KafkaProperties(["message.max.bytes": "2000000"])),
                transactionalID: nil, logger: .silent)
            let topic = try producer.topic(name)
            let large = (0..<900_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }
            let headers = [
                RecordHeader("a", "1"), RecordHeader("a", "2"), RecordHeader(name: "n", value: nil),
                RecordHeader(name: "e", value: []), RecordHeader(name: "é", value: [0xFF, 0]),
            ]
            let values: [[UInt8]?] = [nil, [], large, Array("text \"ü\"\u{0}\n".utf8), [0xC3]]
            for (index, value) in values.enumerated() {
                let key = values[(index + 3) % values.count].map { Array($0.prefix(20)) }
                try Self.lend(key) { key in
                    try Self.lend(value) { value in
                        try producer.produce(
                            to: topic, partition: Int32(index % 3), key: key, value: value,
                            timestamp: Self.start - Int64(index), extraHeaders: index == 2 ? headers : [])
                    }
                }
            }
            try producer.flush(timeout: .seconds(20))
            producer.close(timeout: .seconds(1))
            let first = try RecordingWriter.capture(capture([name], Window()))
            #expect(try RecordingWriter.capture(capture([name], Window())).bytes == first.bytes)
            #expect(Set(first.records.map(\.value)) == Set(values))
            let withHeaders = try #require(first.records.first { !$0.headers.isEmpty })
            #expect(withHeaders.headers == headers)
            #expect(withHeaders.value == large)
            #expect(first.records.allSatisfy { $0.timestampType == .create })
        }
    }

    @Test("the broker's own timestamps are marked")
    func logAppendTime() throws {
        try cluster.withTopic(settings: ["message.timestamp.type": "LogAppendTime"]) { name in
            let producer = try Producer(properties: cluster.properties, transactionalID: nil, logger: .silent)
            try producer.produce("v", key: "k", to: producer.topic(name), partition: 0, timestamp: 1_000)
            try producer.flush(timeout: .seconds(20))
            producer.close(timeout: .seconds(1))
            let record = try #require(try RecordingWriter.capture(capture([name], Window())).records.first)
            // A server that knows no such setting keeps the producer's.
            #expect((record.timestampType == .logappend) == (record.timestamp != 1_000))
        }
    }

    private static func lend<Result>(
        _ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        guard let bytes else { return try body(nil) }
        return try bytes.withUnsafeBytes { try body($0) }
    }
}
