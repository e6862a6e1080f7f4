import Foundation
import Testing

@testable import Monitoring

@Suite("The throughput line")
struct ThroughputLineTests {
    @Test("its JSON has every field, and reads back as the same line", arguments: [ThroughputLine.full, .bare])
    func json(line: ThroughputLine) throws {
        let json = line.json
        #expect(!json.utf8.contains { $0 < 0x20 })
        #expect(try JSONDecoder().decode(ThroughputLine.self, from: Data(json.utf8)) == line)
    }

    @Test("fields stand in the order of their declaration, behind what every line of the log begins with")
    func order() throws {
        #expect(
            ThroughputLine.full.json.hasPrefix(
                #"{"time":"2026-03-01T09:05:10.000Z","level":"info","logger":"throughput","message":"throughput","seconds":10.0,"#
            ))
        func isInOrder(_ names: [String]) -> Bool {
            var rest = ThroughputLine.full.json[...]
            for name in names {
                guard let range = rest.range(of: "\"\(name)\":") else { return false }
                rest = rest[range.upperBound...]
            }
            return true
        }
        let names = Mirror(reflecting: ThroughputLine.full).children.compactMap(\.label)
        #expect(names.count > 30)
        #expect(isInOrder(names))
        #expect(isInOrder(Mirror(reflecting: ThroughputLine.full.timeShares).children.compactMap(\.label)))
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
        let read = try JSONDecoder().decode(ThroughputLine.self, from: Data(json.utf8))
        #expect(read.group == line.group)
        #expect(read.recordsInPerSecond == 0)
    }

    @Test("a line whose level and logger somebody has left out is one all the same")
    func withoutLevel() throws {
        var line = ThroughputLine.bare
        line.level = nil
        line.logger = nil
        #expect(!line.json.contains("level"))
        #expect(try JSONDecoder().decode(ThroughputLine.self, from: Data(line.json.utf8)) == line)
    }
}

extension ThroughputLine {
    private static let shares = TimeShares(
        idle: 0.1, waitingForInput: 0.02, reading: 0.13, lookup: 0.25, rendering: 0.2, producing: 0.15,
        committing: 0.05,
        applyingTables: 0.07, other: 0.03)

    /// Everything that can be there is.
    static let full = ThroughputLine(
        time: "2026-03-01T09:05:10.000Z", message: .interval, seconds: 10, uptimeSeconds: 70.5, version: "1.2.3",
        group: "readers", worker: "w-1", state: .restoring, recordsIn: 1_000, bytesIn: 320_000, recordsOut: 998,
        bytesOut: 1_800_000, recordsInPerSecond: 100, bytesInPerSecond: 32_000, recordsOutPerSecond: 99.8,
        bytesOutPerSecond: 180_000, answers: 5, votes: 6, answersAttached: 2_400, answersOmitted: 1,
        questionsWithoutAnswers: 30,
        deadLetters: ["invalid-json": 1, "too-deep": 0, "schema": 1, "key-mismatch": 0, "too-large": 0, "refused": 0],
        deadLettersTotal: 2,
        lag: Lag(
            total: 12_345, topics: ["questions": 12_345, "answers": 0],
            largest: .init(topic: "questions", partition: 3, records: 12_300),
            partitions: [
                .init(topic: "answers", partition: 3, records: 0), .init(topic: "questions", partition: 0, records: 45),
                .init(topic: "questions", partition: 3, records: 12_300),
            ]),
        timeShares: shares, latencyMs: Percentiles(count: 1_000, p50: 12.3, p90: 30, p99: 45.6, max: 99.8),
        eventLatencyMs: Percentiles(count: 1_000, p50: 1_200, p90: 3_000, p99: 4_500, max: 9_900),
        commitLatencyMs: Percentiles(count: 98, p50: 2.5, p90: 3, p99: 4, max: 9.9), commits: 98, aborts: 1,
        rebalances: 2,
        store: Store(
            bytes: 1 << 20, answers: 300, votes: 200, partitions: 2,
            restoring: [
                .init(partition: 1, done: 0, of: nil, seconds: 0.5), .init(partition: 3, done: 10, of: 100, seconds: 2),
            ]), process: Process(residentBytes: 123_456_789, cpuSeconds: 33.25, cpuCores: 0.75),
        lanes: [
            Lane(
                lane: 0, partitions: [0, 3], recordsIn: 1_000, recordsOut: 998, answers: 5, votes: 6, deadLetters: 2,
                commits: 98, aborts: 1, lag: 12_345, timeShares: shares,
                waitingFor: "the broker to acknowledge what was produced", waitingSeconds: 0.25)
        ])

    /// What need not be there is not.
    static let bare = ThroughputLine(
        time: "2026-03-01T09:05:10.000Z", message: .totals, seconds: 0.5, uptimeSeconds: 0.5, version: "", group: "",
        worker: "", state: .idle, recordsIn: 0, bytesIn: 0, recordsOut: 0, bytesOut: 0, recordsInPerSecond: 0,
        bytesInPerSecond: 0, recordsOutPerSecond: 0, bytesOutPerSecond: 0, answers: 0, votes: 0, answersAttached: 0,
        answersOmitted: 0, questionsWithoutAnswers: 0, deadLetters: [:], deadLettersTotal: 0,
        lag: Lag(total: 0, topics: [:], largest: nil, partitions: []), timeShares: shares, commits: 0, aborts: 0,
        rebalances: 0, store: Store(bytes: 0, answers: 0, votes: 0, partitions: 0, restoring: []),
        process: Process(residentBytes: 0, cpuSeconds: 0, cpuCores: 0), lanes: [])
}
