import Foundation
import Testing

@testable import Throughput
@testable import Worker

@Suite("The throughput line")
struct ThroughputLineTests {
    @Test("its JSON has every field, and reads back as the same line", arguments: [ThroughputLine.full, .bare])
    func json(line: ThroughputLine) throws {
        let json = line.json
        #expect(!json.utf8.contains { $0 < 0x20 })
        #expect(ThroughputLine(json: json) == line)
    }

    @Test("fields stand in the order of their declaration, behind what every line of the log begins with")
    func order() throws {
        #expect(
            ThroughputLine.full.json.hasPrefix(
                #"{"time":"2026-03-01T09:05:10.000Z","level":"info","logger":"throughput","message":"throughput","#
                    + #""seconds":10.0,"#
            ))
        func isInOrder(_ names: [String]) -> Bool {
            var rest = ThroughputLine.full.json[...]
            for name in names {
                guard let range = rest.range(of: "\"\(name)\":") else { return false }
                rest = rest[range.upperBound...]
            }
            return true
        }
        let tables: Set = ["counts", "gauges"]
        let names = Mirror(reflecting: ThroughputLine.full).children.compactMap(\.label).filter { !tables.contains($0) }
        #expect(names.count > 20)
        #expect(isInOrder(names))
        #expect(isInOrder(LaneActivity.allCases.map(\.field)))
        #expect(
            isInOrder(
                ["uptimeSeconds"] + LaneCounter.logged.map(\.field.name) + LaneGauge.allCases.map(\.field) + ["store"])
        )
    }

    @Test("every counter of a lane is in the table, so that everything which walks it has it")
    func counters() {
        let properties = Mirror(reflecting: LaneTotals()).children.filter { $0.value is Int }.count
        #expect(LaneCounter.all.count == properties)
        #expect(Set(LaneCounter.all.map(\.total)).count == properties)
        #expect(Set(LaneCounter.logged.map(\.field.name)).count == LaneCounter.logged.count)
    }

    @Test("the schema describes every counter and every activity of the tables")
    func schema() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Schemas/throughput-log.schema.json")
        let schema = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        func properties(_ path: String...) -> [String: Any] {
            path.reduce(schema) { $0[$1] as? [String: Any] ?? [:] }
        }
        let line = properties("properties")
        let lane = properties("properties", "lanes", "items", "properties")
        for (_, field) in LaneCounter.logged {
            #expect(line[field.name] != nil, "Schemas/throughput-log.schema.json lacks \(field.name): \(field.title)")
            #expect((lane[field.name] != nil) == field.isOfLanes, "the schema's lanes and \(field.name)")
        }
        for gauge in LaneGauge.allCases {
            #expect(line[gauge.field] != nil, "the schema lacks \(gauge.field): \(gauge.title)")
        }
        let shares = properties("$defs", "timeShares", "properties")
        #expect(Set(shares.keys) == Set(LaneActivity.allCases.map(\.field)))
    }

    @Test("names with odd characters are escaped, maps are in order of their keys, and no number is none of JSON's")
    func odd() throws {
        var line = ThroughputLine.full
        line.group = "a\"\\\u{7}\u{2028}</script>"
        line.lag.topics = ["z": 1, "a\n": 2]
        line.recordsInPerSecond = .infinity
        line.process.cpuCores = .nan
        let json = line.json
        #expect(json.contains(#""topics":{"a\n":2,"z":1}"#))
        let read = try #require(ThroughputLine(json: json))
        #expect(read.group == line.group)
        #expect(read.recordsInPerSecond == 0)
    }

    @Test("a line whose level and logger somebody has left out is one all the same")
    func withoutLevel() throws {
        var line = ThroughputLine.bare
        line.level = nil
        line.logger = nil
        #expect(!line.json.contains("level"))
        #expect(ThroughputLine(json: line.json) == line)
    }
}

extension ThroughputLine {
    private static let shares = TimeShares {
        switch $0 {
        case .idle: 0.1
        case .waitingForInput: 0.02
        case .reading: 0.13
        case .lookup: 0.25
        case .rendering: 0.2
        case .producing: 0.15
        case .committing: 0.05
        case .applyingTables: 0.07
        case .other: 0.03
        }
    }

    private static func counts(_ set: (inout LaneTotals) -> Void) -> LaneTotals {
        var counts = LaneTotals()
        set(&counts)
        return counts
    }

    /// Everything that can be there is.
    static let full = ThroughputLine(
        time: "2026-03-01T09:05:10.000Z", message: .interval, seconds: 10, uptimeSeconds: 70.5, version: "1.2.3",
        group: "readers", worker: "w-1", state: .restoring,
        counts: counts { counters in
            counters.recordsIn = 1_000
            counters.bytesIn = 320_000
            counters.recordsOut = 998
            counters.bytesOut = 1_800_000
            counters.tableAnswers = 5
            counters.tableVotes = 6
            counters.answersAttached = 2_400
            counters.answersOmitted = 1
            counters.questionsWithoutAnswers = 30
            counters.commits = 98
            counters.aborts = 1
            counters.rebalances = 2
            counters.sourceRecords = 40
            counters.sourceRecordsPublished = 38
            counters.sourceRecordsPassedOver = 1
            counters.sourceVotesWaited = 3
        }, recordsInPerSecond: 100, bytesInPerSecond: 32_000, recordsOutPerSecond: 99.8,
        bytesOutPerSecond: 180_000,
        deadLetters: [
            "invalid-json": 1, "too-deep": 0, "schema": 1, "key-mismatch": 0, "too-large": 0, "refused": 0, "source": 0,
        ],
        deadLettersTotal: 2,
        lag: Lag(
            total: 12_345, topics: ["questions": 12_345, "answers": 0],
            largest: .init(topic: "questions", partition: 3, records: 12_300),
            partitions: [
                .init(topic: "answers", partition: 3, records: 0), .init(topic: "questions", partition: 0, records: 45),
                .init(topic: "questions", partition: 3, records: 12_300),
            ], seconds: 12.5, ageSeconds: 0.5,
            heldBack: [.init(topic: "questions", partition: 3, records: 7, from: 12_300)]),
        verdict: Verdict(
            kind: .behind, tone: .bad, title: "Behind", line: "Behind: lag 12,345", more: "Its \"cause\".",
            runbook: "rejoinderlaggrowing"),
        timeShares: shares, latencyMs: Percentiles(count: 1_000, p50: 12.3, p90: 30, p99: 45.6, max: 99.8),
        eventLatencyMs: Percentiles(count: 1_000, p50: 1_200, p90: 3_000, p99: 4_500, max: 9_900),
        commitLatencyMs: Percentiles(count: 98, p50: 2.5, p90: 3, p99: 4, max: 9.9),
        freshness: Freshness(objectiveMs: 5_000, within: 990, of: 1_000),
        gauges: LaneGauge.allCases.reduce(into: [:]) { $0[$1.field] = 1.5 },
        offsetResets: 4,
        store: Store(
            bytes: 1 << 20, answers: 300, votes: 200, partitions: 2,
            restoring: [
                .init(partition: 1, done: 0, of: nil, seconds: 0.5), .init(partition: 3, done: 10, of: 100, seconds: 2),
            ]), process: Process(residentBytes: 123_456_789, cpuSeconds: 33.25, cpuCores: 0.75),
        lanes: [
            Lane(
                lane: 0, partitions: [0, 3],
                counts: counts { counters in
                    counters.recordsIn = 1_000
                    counters.recordsOut = 998
                    counters.tableAnswers = 5
                    counters.tableVotes = 6
                    counters.commits = 98
                    counters.aborts = 1
                }, deadLetters: 2, lag: 12_345, timeShares: shares,
                waitingFor: "the broker to acknowledge what was produced", waitingSeconds: 0.25,
                waitingCause: "Local: Timed out")
        ])

    /// Without any of the optional fields.
    static let bare = ThroughputLine(
        time: "2026-03-01T09:05:10.000Z", message: .totals, seconds: 0.5, uptimeSeconds: 0.5, version: "", group: "",
        worker: "", state: .idle, counts: LaneTotals(), recordsInPerSecond: 0,
        bytesInPerSecond: 0, recordsOutPerSecond: 0, bytesOutPerSecond: 0, deadLetters: [:], deadLettersTotal: 0,
        lag: Lag(total: 0, topics: [:], largest: nil, partitions: []), timeShares: shares,
        store: Store(bytes: 0, answers: 0, votes: 0, partitions: 0, restoring: []),
        process: Process(residentBytes: 0, cpuSeconds: 0, cpuCores: 0), lanes: [])
}
