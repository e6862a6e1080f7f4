/// The throughput log for people who follow it down a screen: one aligned line an interval, with a line of titles at first and
/// now and then.
package struct ThroughputTable: Sendable {
    private static let linesBetweenTitles = 20

    private static let columns = [
        Column("time", 20, .left), Column("state", 9, .left), Column("in/s", 5), Column("out/s", 5),
        Column("MB/s", 5), Column("lag", 5), Column("largest lag", 20, .left), Column("p50/p99 ms", 11),
        Column("most time", 23, .left), Column("ans/s", 5), Column("vote/s", 6), Column("dead", 5),
        Column("commit/abort", 12), Column("mem", 5),
    ]

    private var linesSinceTitles = ThroughputTable.linesBetweenTitles

    package init() {}

    /// One line, two with titles; for `totals` lines of their own.
    package mutating func lines(for line: ThroughputLine) -> [String] {
        if line.message == .totals { return [Self.sentence(line)] }
        defer { linesSinceTitles += 1 }
        guard linesSinceTitles >= Self.linesBetweenTitles else { return [Self.row(line)] }
        linesSinceTitles = 0
        return [Self.titles, Self.row(line)]
    }

    static var titles: String { joined(columns.map { $0.padded($0.title) }) }

    static func row(_ line: ThroughputLine) -> String {
        let cells = [
            seconds(of: line.time), line.state.rawValue, ShortNumber.count(line.recordsInPerSecond),
            ShortNumber.count(line.recordsOutPerSecond), ShortNumber.count(line.bytesOutPerSecond / 1_000_000),
            line.lag.total.map { ShortNumber.count($0) } ?? "?", largest(line.lag, width: 20), latency(line.latencyMs),
            mostTime(line.timeShares), ShortNumber.count(Double(line.answers) / line.seconds),
            ShortNumber.count(Double(line.votes) / line.seconds), ShortNumber.count(line.deadLettersTotal),
            ShortNumber.count(line.commits) + "/" + ShortNumber.count(line.aborts),
            ShortNumber.count(line.process.residentBytes),
        ]
        return joined(zip(columns, cells).map { $0.padded($1) })
    }

    /// "2026-03-01T09:05:00Z"
    private static func seconds(of time: String) -> String { time.prefix { $0 != "." && $0 != "Z" } + "Z" }

    private static func largest(_ lag: ThroughputLine.Lag, width: Int) -> String {
        guard let largest = lag.largest else { return "-" }
        let end = " [\(largest.partition)] \(ShortNumber.count(largest.records))"
        let room = max(1, width - end.count)
        let topic = largest.topic
        return (topic.count <= room ? topic : topic.prefix(room - 1) + "~") + end
    }

    private static func latency(_ percentiles: ThroughputLine.Percentiles?) -> String {
        guard let percentiles else { return "-" }
        return ShortNumber.milliseconds(percentiles.p50) + "/" + ShortNumber.milliseconds(percentiles.p99)
    }

    /// The two largest shares of the lanes' time: "lookup 31% idle 40%", the larger first.
    private static func mostTime(_ shares: ThroughputLine.TimeShares) -> String {
        shares.named.sorted { $0.share > $1.share }.prefix(2).filter { $0.share >= 0.005 }
            .map { "\($0.name) \(Int(($0.share * 100).rounded()))%" }.joined(separator: " ")
    }

    private static func sentence(_ line: ThroughputLine) -> String {
        var parts = [
            "\(line.recordsIn) in, \(line.recordsOut) out (\(ShortNumber.count(line.recordsOutPerSecond))/s, "
                + "\(ShortNumber.count(line.bytesOutPerSecond / 1_000_000)) MB/s)",
            "\(line.answers) answers, \(line.votes) votes", deadLetters(line),
            "\(line.commits) commits, \(line.aborts) aborts, \(line.rebalances) rebalances",
        ]
        if let latency = line.latencyMs {
            parts.append(
                "latency p50 \(FigureText.milliseconds(latency.p50)), p99 \(FigureText.milliseconds(latency.p99)), "
                    + "max \(FigureText.milliseconds(latency.max))")
        }
        parts.append("CPU \(FigureText.milliseconds(line.process.cpuSeconds * 1000))")
        return "\(seconds(of: line.time)) totals of \(FigureText.duration(line.seconds)): "
            + parts.joined(separator: "; ")
    }

    private static func deadLetters(_ line: ThroughputLine) -> String {
        let codes = line.deadLetters.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "\(line.deadLettersTotal) dead letters" + (codes.isEmpty ? "" : " (\(codes.joined(separator: ", ")))")
    }

    private static func joined(_ cells: [String]) -> String {
        var line = cells.joined(separator: " ")
        while line.last == " " { line.removeLast() }
        return line
    }

    private struct Column {
        enum Side { case left, right }

        let title: String
        let width: Int
        let side: Side

        init(_ title: String, _ width: Int, _ side: Side = .right) {
            self.title = title
            self.width = width
            self.side = side
        }

        func padded(_ text: String) -> String {
            let room = String(repeating: " ", count: max(0, width - text.count))
            return side == .left ? text + room : room + text
        }
    }
}

extension ThroughputLine.TimeShares {
    /// With short names, in the order of a record's way.
    package var named: [(name: String, share: Double)] {
        [
            ("idle", idle), ("input", waitingForInput), ("read", reading), ("lookup", lookup), ("render", rendering),
            ("produce", producing), ("commit", committing), ("tables", applyingTables), ("other", other),
        ]
    }
}
