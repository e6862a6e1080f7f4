import Foundation
import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Recording

@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct ClusterReplayTests {
    private static let start: Int64 = 1_700_000_000_000

    private func replay(
        _ file: RecordingFile, on site: ClusterSite, clock: any ReplayClock = TestClock(),
        stop: StopSignal = StopSignal(),
        told: Told = Told(), _ change: (inout ClusterReplay.Options) -> Void = { _ in }
    ) throws -> ClusterReplay.Summary {
        var options = ClusterReplay.Options(path: file.path, properties: site.cluster.properties)
        // They are called as they were recorded.
        options.allowsLiveTopics = true
        change(&options)
        return try ClusterReplay(options: options, stop: stop, clock: clock, logger: .silent).run(progress: told.take)
    }

    @Test func everythingOfARecordArrives() throws {
        try ClusterSite.with(["test.a", "test.b"]) { site in
            let (a, b) = (String(site["test.a"].dropFirst(5)), String(site["test.b"].dropFirst(5)))
            var records: [RecordedRecord] = []
            let keys: [[UInt8]?] = [nil, [], Array("q1".utf8), [0xFF, 0x00]]
            let values: [[UInt8]?] = [nil, [], Array("{}".utf8), Array(repeating: 0x80, count: 900_000)]
            for (index, key) in keys.enumerated() {
                for (other, value) in values.enumerated() {
                    let offset = Int64(index * 4 + other)
                    records.append(
                        RecordedRecord(
                            topic: index < 2 ? a : b, partition: Int32(other % 2), offset: offset,
                            timestamp: Self.start + offset * 1000,
                            headers: other == 2
                                ? [
                                    RecordHeader("n", "1"), RecordHeader(name: "n", value: nil),
                                    RecordHeader(name: "n", value: []), RecordHeader(name: "b", value: [0xFE]),
                                ] : [], key: key, value: value))
                }
            }
            let told = Told()
            let summary = try replay(try RecordingFile(records), on: site, told: told) { $0.topicPrefix = "test." }
            #expect(summary.records == 16)
            #expect(summary.topics == [site["test.a"]: 8, site["test.b"]: 8])
            #expect(summary.planned == nil)
            for topic in [a, b] {
                let expected = records.filter { $0.topic == topic }.sorted {
                    ($0.partition, $0.offset) < ($1.partition, $1.offset)
                }
                let found = try site.read("test.\(topic)")
                #expect(found.map(\.partition) == expected.map(\.partition))
                #expect(found.map(\.key) == expected.map(\.key))
                #expect(found.map(\.value) == expected.map(\.value))
                #expect(found.map(\.headers) == expected.map(\.headers))
                #expect(found.map(\.timestamp) == expected.map(\.timestamp))
            }
            #expect(
                told.notes.suffix(2) == [
                    "  \(a) -> test.\(a): 8 records into 2 partitions",
                    "  \(b) -> test.\(b): 8 records into 2 partitions",
                ])
        }
    }

    @Test func missingAndTooSmallTopicsAreErrorsBeforeAnythingIsPublished() throws {
        try ClusterSite.with(["fits", "small"], partitions: ["small": 1]) { site in
            let missing = RealCluster.uniqueName("missing")
            let records = [
                RecordedRecord(site["fits"], 0, 0, at: Self.start, key: "a", "1"),
                RecordedRecord(site["small"], 1, 0, at: Self.start, key: "a", "2"),
                RecordedRecord(missing, 0, 0, at: Self.start, key: "a", "3"),
            ]
            let file = try RecordingFile(records)
            let error = try #require(throws: WorkerError.self) { _ = try replay(file, on: site) }
            #expect(error.matter == .configuration)
            #expect(error.message.contains("there is no topic '\(missing)'"), "\(error)")
            #expect(error.message.contains("'\(site["small"])' has 1 partition"), "\(error)")
            #expect(try site.read(site["fits"]).isEmpty)
            #expect(try site.admin.describe(topics: [missing], timeout: .seconds(10)).isEmpty)

            // Placed by key, the records fit.
            let other = try RecordingFile(Array(records.prefix(2)))
            #expect(try replay(other, on: site) { $0.repartition = true }.records == 2)
            #expect(try site.read(site["small"], partitions: 1).map(\.text) == ["2"])
        }
    }

    @Test func aBrokenLineIsAnErrorBeforeAnythingIsPublished() throws {
        try ClusterSite.with(["t"]) { site in
            let file = try RecordingFile([RecordedRecord(site["t"], 0, 0, at: Self.start, key: "a", "1")])
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file.path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("{\"topic\":\n".utf8))
            try handle.close()
            let error = try #require(throws: RecordingError.self) { _ = try replay(file, on: site) }
            #expect(error.line == 2)
            #expect(try site.read(site["t"]).isEmpty)
        }
    }

    @Test func theRecordedPaceIsKeptWhateverTheClocksUnrest() throws {
        try ClusterSite.with(["t"]) { site in
            // Ten minutes, in unequal steps; one record is late.
            var records = (0...1000).map { index in
                let time = Self.start + Int64(index * index * 600_000 / 1_000_000)
                return RecordedRecord(site["t"], Int32(index % 2), Int64(index), at: time, key: "k", "\(index)")
            }
            records[500].timestamp = Self.start + 10
            let file = try RecordingFile(records)
            let summary = try replay(file, on: site, clock: TestClock(overshoot: .milliseconds(7))) {
                $0.speed = .recorded(times: 10)
            }
            #expect(summary.planned == .seconds(60))
            #expect(summary.elapsed >= .seconds(60) && summary.elapsed <= .seconds(60) + .milliseconds(7))
            #expect(summary.farthestBehind == .zero)
            #expect(summary.backwards == 1)
            let expected = records.filter { $0.partition == 0 } + records.filter { $0.partition == 1 }
            #expect(try site.read(site["t"]).map(\.value) == expected.map(\.value))
        }
    }

    @Test func fallingBehindIsTold() throws {
        try ClusterSite.with(["t"]) { site in
            let records = (0...10).map {
                RecordedRecord(site["t"], 0, Int64($0), at: Self.start + Int64($0 * 1000), key: "k", "\($0)")
            }
            let summary = try replay(
                try RecordingFile(records), on: site, clock: TestClock(overshoot: .milliseconds(2500))
            ) { $0.speed = .recorded(times: 1) }
            #expect(summary.farthestBehind >= .milliseconds(1500) && summary.farthestBehind <= .milliseconds(2500))
            #expect(summary.planned == .seconds(10))
            #expect(summary.behindAtEnd == summary.elapsed - .seconds(10))
        }
    }

    @Test func stoppedItCountsWhatWasPublished() throws {
        try ClusterSite.with(["t"]) { site in
            let records = (0..<100).map {
                RecordedRecord(site["t"], 0, Int64($0), at: Self.start + Int64($0 * 1000), key: "k", "\($0)")
            }
            let stop = StopSignal()
            let clock = TestClock { if $0 >= .milliseconds(9500) { stop.request() } }
            let summary = try replay(try RecordingFile(records), on: site, clock: clock, stop: stop) {
                $0.speed = .recorded(times: 1)
            }
            #expect(summary.wasStopped)
            #expect(summary.records == 10)
            #expect(summary.total == 100)
            #expect(try site.read(site["t"]).map(\.text) == (0..<10).map { "\($0)" })
        }
    }

    @Test func whatRetentionWouldDeleteIsToldBefore() throws {
        try ClusterSite.with(["short"], settings: ["short": ["retention.ms": "3600000"]]) { site in
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let file = try RecordingFile([
                RecordedRecord(site["short"], 0, 0, at: Self.start, key: "k", "old"),
                RecordedRecord(site["short"], 0, 1, at: now, key: "k", "new"),
                RecordedRecord(site["short"], 0, 2, at: 0, key: "k", "zero"),
            ])
            let told = Told()
            #expect(try replay(file, on: site, told: told).records == 3)
            let warnings = told.warnings.filter { !$0.contains("--repartition") }
            #expect(warnings.count == 2, "\(warnings)")
            #expect(
                warnings.contains {
                    $0.hasPrefix("1 of 3 records for '\(site["short"])'")
                        && $0.contains("retention.ms=3600000 (1 h 0 min)")
                        && $0.contains("2023-11-14T22:13:20.000Z")
                }, "\(warnings)")
            #expect(warnings.contains { $0.hasPrefix("1 record with timestamp 0") }, "\(warnings)")

            let other = Told()
            _ = try replay(file, on: site, told: other) { $0.timestamps = .now }
            #expect(other.warnings.allSatisfy { $0.contains("--repartition") }, "\(other.warnings)")
            let young = try site.read(site["short"]).filter { ($0.timestamp ?? 0) >= now }
            // The first time only the record of now, and the one of 0.
            #expect(young.map(\.text) == ["new", "zero", "old", "new", "zero"])
        }
    }

    @Test func aPipeIsReadOnce() throws {
        try ClusterSite.with(["t"]) { site in
            let file = try RecordingFile(
                [RecordedRecord(site["t"], 1, 0, at: Self.start, key: "k", "v")], name: "recording.jsonl.gz")
            let pipe = file.path + ".pipe.gz"
            #expect(mkfifo(pipe, 0o600) == 0)
            let data = try Data(contentsOf: URL(fileURLWithPath: file.path))
            let writer = Thread { try? FileHandle(forWritingAtPath: pipe)?.write(contentsOf: data) }
            writer.start()
            var options = ClusterReplay.Options(path: pipe, properties: site.cluster.properties)
            options.allowsLiveTopics = true
            let summary = try ClusterReplay(options: options, stop: StopSignal(), logger: .silent).run { _ in }
            #expect(summary.records == 1)
            #expect(try site.read(site["t"]).map(\.text) == ["v"])
        }
    }

    @Test func committedOffsetsStayAsTheyAre() throws {
        try ClusterSite.with(["t"]) { site in
            let group = RealCluster.uniqueName("group")
            let place = TopicPartition(topic: site["t"], partition: 0)
            let consumer = try GroupConsumer(
                properties: site.cluster.properties.overlaid(by: KafkaProperties(["group.id": group])), logger: .silent)
            defer { consumer.close(timeout: .seconds(10)) }
            try consumer.subscribe([site["t"]])
            _ = try consumer.poll { _, rebalances in !rebalances.isEmpty }
            try consumer.commit([place: 0])
            let file = try RecordingFile([RecordedRecord(site["t"], 0, 0, at: Self.start, key: "k", "v")])
            _ = try replay(file, on: site) { $0.properties["group.id"] = group }
            #expect(
                try site.admin.committedOffsets(group: group, of: [place], timeout: .seconds(10)) == [place: 0])
        }
    }

    @Test func liveTopicsAreNotPublishedToUnasked() throws {
        try ClusterSite.with(["t", "configured"]) { site in
            let file = try RecordingFile([RecordedRecord(site["t"], 0, 0, at: Self.start, key: "k", "v")])
            let error = try #require(throws: WorkerError.self) {
                _ = try replay(file, on: site) { $0.allowsLiveTopics = false }
            }
            #expect(error.message.contains("'\(site["t"])' may be live topics"), "\(error)")
            #expect(error.message.contains("--yes-to-live-topics"))
            // A topic of the settings is live, also for records that come to it by a renaming.
            #expect(throws: WorkerError.self) {
                _ = try replay(file, on: site) {
                    $0.allowsLiveTopics = false
                    $0.renaming = try! TopicRenaming(["\(site["t"])=\(site["configured"])"])
                    $0.liveTopics = [site["configured"]]
                }
            }
            #expect(try site.read(site["t"]).isEmpty && site.read(site["configured"]).isEmpty)

            let told = Told()
            let summary = try replay(file, on: site, told: told) {
                $0.allowsLiveTopics = false
                $0.isDryRun = true
            }
            #expect(summary.isDryRun && summary.records == 0 && summary.total == 1)
            #expect(told.notes.last == "  \(site["t"]), as recorded: 1 record into 2 partitions")
            #expect(told.warnings.contains { $0.contains("--yes-to-live-topics") })
            #expect(try site.read(site["t"]).isEmpty)
        }
    }

    @Test func renamedTopicsGetTheRecords() throws {
        try ClusterSite.with(["t", "copy"]) { site in
            let file = try RecordingFile([RecordedRecord(site["t"], 0, 0, at: Self.start, key: "k", "v")])
            _ = try replay(file, on: site) {
                $0.allowsLiveTopics = false
                $0.renaming = try! TopicRenaming(["\(site["t"])=\(site["copy"])"])
            }
            #expect(try site.read(site["copy"]).map(\.text) == ["v"])
            #expect(try site.read(site["t"]).isEmpty)
        }
    }

    @Test func aRecordWithoutATimestampGetsNone() throws {
        try ClusterSite.with(["t"]) { site in
            let file = try RecordingFile([
                RecordedRecord(site["t"], 0, 0, at: Self.start, key: "k", "a"),
                RecordedRecord(site["t"], 0, 1, at: nil, key: "k", "b"),
                RecordedRecord(site["t"], 0, 2, at: Self.start + 1, key: "k", "c"),
            ])
            let told = Told()
            _ = try replay(file, on: site, told: told)
            #expect(try site.read(site["t"]).map(\.timestamp) == [Self.start, nil, Self.start + 1])
            #expect(told.warnings.contains { $0.hasPrefix("1 record without a timestamp") })
        }
    }

    @Test func recordsThatStandWhereTheirKeysDoNotHashAreTold() throws {
        try ClusterSite.with(["t"], partitions: ["t": 4]) { site in
            // By murmur2 among 4 partitions, "21" belongs to 2 (Kafka's own test vector).
            let bytes = Array("21".utf8)
            let right = bytes.withUnsafeBytes { KeyPlacement.partition(of: $0, count: 4) }
            let file = try RecordingFile([
                RecordedRecord(site["t"], right, 0, at: Self.start, key: "21", "a"),
                RecordedRecord(site["t"], (right + 1) % 4, 0, at: Self.start, key: "21", "b"),
            ])
            let told = Told()
            _ = try replay(file, on: site, told: told)
            #expect(told.warnings.contains { $0.hasPrefix("1 of 2 records") && $0.contains("--repartition") })
            let other = Told()
            _ = try replay(file, on: site, told: other) { $0.repartition = true }
            #expect(other.warnings.isEmpty)
        }
    }
}
