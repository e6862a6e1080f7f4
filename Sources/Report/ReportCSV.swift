import Throughput
import Worker

/// A report as comma-separated values (RFC 4180): one row for each throughput line, in the logs' order.
package enum ReportCSV {
    private static let columns: [(name: String, value: @Sendable (ThroughputLine) -> String)] =
        head + counts(.flow) + rates + counts(.content) + deadLetters + counts(.steps) + lag + shares + percentiles
        + state + gauges + verdict

    private static let head: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("time", { $0.time }), ("message", { $0.message.rawValue }), ("group", { $0.group }), ("worker", { $0.worker }),
        ("version", { $0.version }), ("state", { $0.state.rawValue }), ("seconds", { number($0.seconds) }),
        ("uptimeSeconds", { number($0.uptimeSeconds) }),
    ]

    private static let rates: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("recordsInPerSecond", { number($0.recordsInPerSecond) }),
        ("bytesInPerSecond", { number($0.bytesInPerSecond) }),
        ("recordsOutPerSecond", { number($0.recordsOutPerSecond) }),
        ("bytesOutPerSecond", { number($0.bytesOutPerSecond) }),
    ]

    private static let deadLetters: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("deadLettersTotal", { String($0.deadLettersTotal) }),
        ("deadLetters", { line in pairs(line.deadLetters.mapValues(Int64.init)) }),
    ]

    private static func counts(
        _ group: LaneCounter.Group
    ) -> [(name: String, value: @Sendable (ThroughputLine) -> String)] {
        LaneCounter.logged.filter { $0.field.group == group }.map { total, field in
            (field.name, { String($0.counts[keyPath: total]) })
        }
    }

    private static let lag: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("lagTotal", { $0.lag.total.map(String.init) ?? "" }), ("lagTopics", { pairs($0.lag.topics) }),
        ("lagLargestTopic", { $0.lag.largest?.topic ?? "" }),
        ("lagLargestPartition", { $0.lag.largest.map { String($0.partition) } ?? "" }),
        ("lagLargestRecords", { $0.lag.largest.map { String($0.records) } ?? "" }),
    ]

    private static let shares: [(name: String, value: @Sendable (ThroughputLine) -> String)] =
        LaneActivity.allCases.map { activity in (activity.field, { number($0.timeShares[activity]) }) }

    private static let percentiles: [(name: String, value: @Sendable (ThroughputLine) -> String)] = {
        let kinds: [(String, @Sendable (ThroughputLine) -> ThroughputLine.Percentiles?)] = [
            ("latencyMs", { $0.latencyMs }), ("eventLatencyMs", { $0.eventLatencyMs }),
            ("commitLatencyMs", { $0.commitLatencyMs }),
        ]
        return kinds.flatMap { name, percentiles in
            let columns: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
                ("\(name).count", { percentiles($0).map { String($0.count) } ?? "" }),
                ("\(name).p50", { percentiles($0).map { number($0.p50) } ?? "" }),
                ("\(name).p90", { percentiles($0).map { number($0.p90) } ?? "" }),
                ("\(name).p99", { percentiles($0).map { number($0.p99) } ?? "" }),
                ("\(name).max", { percentiles($0).map { number($0.max) } ?? "" }),
            ]
            return columns
        }
    }()

    private static let state: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("storeBytes", { String($0.store.bytes) }), ("storeAnswers", { String($0.store.answers) }),
        ("storeVotes", { String($0.store.votes) }), ("partitions", { String($0.store.partitions) }),
        ("restoring", { String($0.store.restoring.count) }), ("residentBytes", { String($0.process.residentBytes) }),
        ("cpuSeconds", { number($0.process.cpuSeconds) }), ("cpuCores", { number($0.process.cpuCores) }),
        (
            "waitingFor",
            { line in
                line.lanes.compactMap { lane in lane.waitingFor.map { "lane \(lane.lane): \($0)" } }.joined(
                    separator: "; ")
            }
        ),
    ]

    private static let gauges: [(name: String, value: @Sendable (ThroughputLine) -> String)] =
        LaneGauge.allCases.map { gauge in (gauge.field, { $0[gauge].map(number) ?? "" }) }

    private static let verdict: [(name: String, value: @Sendable (ThroughputLine) -> String)] = [
        ("verdict", { $0.kind.rawValue })
    ]

    /// The header row with its line end.
    package static var header: String { row(columns.map(\.name)) }

    /// The row of a line, with its line end.
    package static func row(_ line: ThroughputLine) -> String { row(columns.map { $0.value(line) }) }

    static func row(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

    static func field(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 != 0x22 && $0 != 0x2C && $0 != 0x0A && $0 != 0x0D }
        return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    /// `a=1;b=2`, in order of names.
    private static func pairs(_ counts: [String: Int64]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ";")
    }
}
