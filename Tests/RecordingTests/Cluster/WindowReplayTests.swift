import Foundation
import KafkaClient
import Records
import TestSupport
import Testing
import Worker

@testable import Recording

@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct WindowReplayTests {
    static let start: Int64 = 1_700_000_000_000
    private static let names = ["questions", "answers", "votes", "out", "live", "dead"]

    /// Random records of a few questions; times that run mostly forwards, often equal, sometimes far back.
    struct Scenario {
        var questions: [RecordedRecord] = []
        var tables: [RecordedRecord] = []
        var entries: [WindowModel.Entry] = []

        init(_ site: ClusterSite, seed: UInt64, isOrdered: Bool) {
            var random = SeededRandom(state: seed)
            var offsets: [String: Int] = [:]
            func next(_ topic: String, _ partition: Int32) -> Int {
                defer { offsets["\(topic) \(partition)", default: 0] += 1 }
                return offsets["\(topic) \(partition)", default: 0]
            }
            for step in 0..<900 {
                let number = Int.random(in: 0..<8, using: &random)
                let (question, partition) = ("q\(number)", Int32(number % 2))
                let late =
                    isOrdered
                    ? 0 : Int.random(in: 0..<10, using: &random) == 0 ? 4000 : Int.random(in: 0..<40, using: &random)
                let time = WindowReplayTests.start + Int64(max(0, step * 10 - late))
                let answer = "a\(Int.random(in: 0..<4, using: &random))"
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<7:
                    let offset = next("questions", partition)
                    questions.append(
                        RecordedRecord(
                            site["questions"], partition, Int64(offset), at: time, key: question,
                            "{\"id\":\"\(question)\",\"title\":\"t \(step)\"}"))
                    questions[questions.count - 1].headers = step % 3 == 0 ? [RecordHeader("step", "\(step)")] : []
                case 7..<12:
                    let at = Int.random(in: 0..<3, using: &random)
                    let json =
                        "{\"id\":\"\(answer)\",\"questionId\":\"\(question)\",\"body\":\"\(step)\","
                        + "\"answeredAt\":\"2024-01-0\(at + 1)T00:00:00Z\"}"
                    add(
                        site["answers"], partition, next("answers", partition), time, question, json,
                        .answer(question: question, id: answer, json: json, answeredAt: at))
                case 12:
                    add(
                        site["answers"], partition, next("answers", partition), time, question,
                        "{\"id\":\"\(answer)\",\"questionId\":\"\(question)\",\"withdrawn\":true}",
                        .withdrawn(question: question, id: answer))
                case 13:
                    let isVote = Bool.random(using: &random)
                    add(
                        site[isVote ? "votes" : "answers"], partition, next(isVote ? "votes" : "answers", partition),
                        time,
                        question, nil,
                        isVote ? .votesForgotten(question: question) : .answersForgotten(question: question), isVote)
                case 14:
                    add(site["votes"], partition, next("votes", partition), time, question, "{", .broken, true)
                case 15:
                    let count = Int.random(in: -5...5, using: &random)
                    add(
                        site["votes"], partition, next("votes", partition), time, question,
                        "{\"questionId\":\"\(question)\",\"answerId\":\"\(answer)\",\"voteCount\":\(count),"
                            + "\"countedAt\":\"2024-01-01T00:00:00Z\"}",
                        .counted(question: question, answer: answer, count: count), true)
                default:
                    let voter = "v\(Int.random(in: 0..<3, using: &random))"
                    let value = Int.random(in: -1...1, using: &random)
                    add(
                        site["votes"], partition, next("votes", partition), time, question,
                        "{\"questionId\":\"\(question)\",\"answerId\":\"\(answer)\",\"voterId\":\"\(voter)\","
                            + "\"value\":\(value),\"castAt\":\"2024-01-01T00:00:00Z\"}",
                        .cast(question: question, answer: answer, voter: voter, value: value), true)
                }
            }
        }

        private mutating func add(
            _ topic: String, _ partition: Int32, _ offset: Int, _ time: Int64, _ key: String, _ value: String?,
            _ record: WindowModel.TableRecord, _ isVote: Bool = false
        ) {
            tables.append(RecordedRecord(topic, partition, Int64(offset), at: time, key: key, value))
            entries.append(
                WindowModel.Entry(partition: partition, offset: offset, time: time, isVote: isVote, record: record))
        }

        func expected(_ record: RecordedRecord, asOf time: Int64?) -> String {
            var seen = entries.filter { $0.partition == record.partition }
            if let time {
                seen = seen.filter { $0.time <= time }.sorted { ($0.time, $0.offset) < ($1.time, $1.offset) }
            }
            return WindowModel.enriched(
                question: String(decoding: record.key ?? [], as: UTF8.self),
                json: String(decoding: record.value ?? [], as: UTF8.self), by: seen)
        }
    }

    private func configuration(_ site: ClusterSite) -> WorkerConfiguration {
        WorkerConfiguration(
            kafkaProperties: site.cluster.properties,
            topics: TopicNames(
                questions: site["questions"], answers: site["answers"], votes: site["votes"], enriched: site["live"],
                deadLetter: site["dead"]))
    }

    private func replay(
        _ site: ClusterSite, from: WindowBound = .beginning, to: WindowBound = .end, told: Told = Told(),
        stop: StopSignal = StopSignal(), _ change: (inout WindowReplay.Options) -> Void = { _ in }
    ) throws -> WindowReplay.Summary {
        var options = WindowReplay.Options(
            configuration: configuration(site), window: try Window(from: from, to: to), outputTopic: site["out"])
        change(&options)
        return try WindowReplay(options: options, stop: stop, logger: .silent).run(progress: told.take)
    }

    private func compare(_ found: [Consumed], _ expected: [(RecordedRecord, String)]) {
        #expect(found.count == expected.count)
        for (found, (record, value)) in zip(found, expected) {
            #expect(found.text == value)
            #expect(found.key == record.key)
            #expect(found.partition == record.partition)
            #expect(found.timestamp == record.timestamp)
            #expect(found.headers == record.headers)
        }
    }

    private func byPlace(_ records: [RecordedRecord]) -> [RecordedRecord] {
        records.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    @Test(arguments: [(1, true, 16 << 20), (2, false, 16 << 20), (3, false, 1 << 12), (4, false, 1 << 12)])
    func asOfEachEvent(seed: UInt64, isOrdered: Bool, sorterBytes: Int) throws {
        try ClusterSite.with(Self.names) { site in
            let scenario = Scenario(site, seed: seed, isOrdered: isOrdered)
            try site.publish(scenario.tables + scenario.questions)
            let summary = try replay(site) {
                $0.tables = .event
                $0.sorterBytes = sorterBytes
            }
            #expect(summary.events == scenario.questions.count)
            #expect(summary.enriched == scenario.questions.count)
            #expect(summary.deadLetters.isEmpty)
            compare(
                try site.read(site["out"]),
                byPlace(scenario.questions).map { ($0, scenario.expected($0, asOf: $0.timestamp)) })
        }
    }

    @Test func asTheTablesStand() throws {
        try ClusterSite.with(Self.names) { site in
            let scenario = Scenario(site, seed: 5, isOrdered: false)
            try site.publish(scenario.tables + scenario.questions)
            let summary = try replay(site)
            #expect(summary.tableRecords + summary.tableRecordsRefused == scenario.tables.count)
            #expect(
                summary.tableRecordsRefused
                    == scenario.entries.count { if case .broken = $0.record { true } else { false } })
            compare(
                try site.read(site["out"]), byPlace(scenario.questions).map { ($0, scenario.expected($0, asOf: nil)) })
        }
    }

    @Test func onlyTheWindow() throws {
        try ClusterSite.with(Self.names) { site in
            try site.publish(
                (0..<10).map {
                    RecordedRecord(
                        site["questions"], 1, Int64($0), at: Self.start + Int64($0), key: "q",
                        "{\"id\":\"q\",\"title\":\"\($0)\"}")
                })
            for tables in WindowReplay.Tables.allCases {
                let summary = try replay(site, from: .offset(3), to: .offset(7)) { $0.tables = tables }
                #expect(summary.events == 4)
            }
            let titles = try site.read(site["out"]).map { $0.text?.split(separator: "\"")[9] }
            #expect(titles == ["3", "4", "5", "6", "3", "4", "5", "6"])
        }
    }

    @Test func aNumberOfRecordsAreTheFirstByTime() throws {
        try ClusterSite.with(Self.names) { site in
            try site.publish(
                (0..<10).map {
                    RecordedRecord(
                        site["questions"], Int32($0 % 3 == 0 ? 1 : 0), Int64($0), at: Self.start + Int64($0), key: "q",
                        "{\"id\":\"q\",\"title\":\"\($0)\"}")
                })
            let summary = try replay(site, to: .count(6))
            #expect(summary.events == 6)
            #expect(
                try site.read(site["out"]).map { $0.text?.split(separator: "\"")[9] } == ["1", "2", "4", "5", "0", "3"])
        }
    }

    @Test func topicsInUseAreNotWrittenTo() throws {
        try ClusterSite.with(Self.names) { site in
            for name in ["questions", "answers", "votes", "live", "dead"] {
                let error = try #require(throws: WorkerError.self, "\(name)") {
                    _ = try replay(site) { $0.outputTopic = site[name] }
                }
                #expect(error.matter == .configuration)
                #expect(error.message.contains("--output-topic"))
            }
            for name in ["questions", "live", "out"] {
                #expect(throws: WorkerError.self, "\(name)") {
                    _ = try replay(site) { $0.deadLetterTopic = site[name] }
                }
            }
            let missing = RealCluster.uniqueName("missing")
            let error = try #require(throws: WorkerError.self) { _ = try replay(site) { $0.outputTopic = missing } }
            #expect(error.message.contains(missing))

            try site.publish([
                RecordedRecord(site["questions"], 0, 0, at: Self.start, key: "q", "{\"id\":\"q\",\"title\":\"t\"}")
            ])
            let summary = try replay(site) {
                $0.outputTopic = site["live"]
                $0.allowsLiveOutput = true
            }
            #expect(summary.enriched == 1)
            #expect(try site.read(site["live"]).count == 1)
        }
    }

    @Test func anOutputOfAnotherPartitionCountIsPlacedByKey() throws {
        try ClusterSite.with(Self.names, partitions: ["out": 1]) { site in
            try site.publish([
                RecordedRecord(site["questions"], 1, 0, at: Self.start, key: "q", nil)
            ])
            #expect(try replay(site).enriched == 1)
            #expect(try site.read(site["out"], partitions: 1).map(\.value) == [nil])
        }
    }

    @Test(arguments: [WindowReplay.Tables.now, .event])
    func deadLettersAreCountedAndPublishedOnlyWhereWanted(tables: WindowReplay.Tables) throws {
        try ClusterSite.with(Self.names + ["letters"]) { site in
            let bad = [
                RecordedRecord(
                    topic: site["questions"], partition: 1, offset: 0, timestamp: Self.start + 9,
                    headers: [RecordHeader(name: "h", value: [0xFF]), RecordHeader(name: "h", value: nil)],
                    key: Array("q".utf8), value: Array("{\"id\":\"q\"}".utf8)),
                RecordedRecord(site["questions"], 1, 1, at: Self.start, key: nil, nil),
            ]
            let good = RecordedRecord(
                site["questions"], 1, 2, at: Self.start + 5, key: "q", "{\"id\":\"q\",\"title\":\"t\"}")
            try site.publish(bad + [good])
            let told = Told()
            let counted = try replay(site, told: told) { $0.tables = tables }
            #expect(counted.deadLetters == [.schema: 1, .keyMismatch: 1])
            #expect(counted.enriched == 1)
            #expect(!counted.deadLettersPublished)
            #expect(told.warnings.count == 2, "\(told.warnings)")
            #expect(try site.read(site["dead"]).isEmpty)

            let summary = try replay(site) {
                $0.tables = tables
                $0.deadLetterTopic = site["letters"]
            }
            #expect(summary.deadLettersPublished)
            let letters = try site.read(site["letters"])
            #expect(letters.map(\.key) == bad.map(\.key))
            #expect(letters.map(\.value) == bad.map(\.value))
            #expect(letters.map(\.partition) == [1, 1])

            // And back: byte for byte the original records.
            var options = DeadLetterReturn.Options(configuration: configuration(site), window: try Window())
            options.configuration.topics.deadLetter = site["letters"]
            let returned = try DeadLetterReturn(options: options, stop: StopSignal(), logger: .silent).run(progress: {
                _ in
            })
            #expect(returned.returned == [site["questions"]: 2])
            let again = try site.read(site["questions"]).suffix(2).map(RecordedRecord.init)
            for (again, record) in zip(again, bad) {
                var expected = record
                expected.headers.append(RecordHeader("rejoinder.returned", "1"))
                expected.offset = record.offset + 3
                #expect(again == expected)
            }
        }
    }

    @Test func noGroupIsTouched() throws {
        try ClusterSite.with(Self.names) { site in
            let group = RealCluster.uniqueName("group")
            let inputs = ["questions", "answers", "votes"].map { TopicPartition(topic: site[$0], partition: 0) }
            let consumer = try GroupConsumer(
                properties: site.cluster.properties.overlaid(by: KafkaProperties(["group.id": group])), logger: .silent)
            defer { consumer.close(timeout: .seconds(10)) }
            try consumer.subscribe([site["questions"]])
            _ = try consumer.poll { _, rebalances in !rebalances.isEmpty }
            let offsets = Dictionary(uniqueKeysWithValues: inputs.map { ($0, Int64(0)) })
            try consumer.commit(offsets)
            let scenario = Scenario(site, seed: 6, isOrdered: true)
            try site.publish(scenario.tables + scenario.questions)
            for tables in WindowReplay.Tables.allCases {
                _ = try replay(site) {
                    $0.tables = tables
                    $0.configuration.groupID = group
                    $0.configuration.kafkaProperties["group.id"] = group
                }
            }
            var options = DeadLetterReturn.Options(configuration: configuration(site), window: try Window())
            options.configuration.groupID = group
            _ = try DeadLetterReturn(options: options, stop: StopSignal(), logger: .silent).run(progress: { _ in })
            #expect(try site.admin.committedOffsets(group: group, of: inputs, timeout: .seconds(10)) == offsets)
            #expect(try site.admin.committedOffsets(group: "rejoinder", of: inputs, timeout: .seconds(10)).isEmpty)
        }
    }

    @Test func stoppedAtOnceItPublishesNothing() throws {
        try ClusterSite.with(Self.names) { site in
            try site.publish([RecordedRecord(site["questions"], 0, 0, at: Self.start, key: "q", nil)])
            let stop = StopSignal()
            stop.request()
            let summary = try replay(site, stop: stop)
            #expect(summary.wasStopped)
            #expect(summary.enriched == 0)
        }
    }
}
