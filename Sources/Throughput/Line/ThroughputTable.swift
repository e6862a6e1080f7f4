import Worker

/// The throughput log for people who follow it on a screen: one aligned line an interval, with titles at the beginning
/// and every twenty lines. Where the screen is too narrow, the less important columns are left out.
package struct ThroughputTable: Sendable {
    private static let linesBetweenTitles = 20
    /// All columns fit into this many characters.
    static let fullWidth = 152
    /// For a screen of unknown width.
    package static let usualWidth = 120

    /// In display order. `rank`: the lower, the longer a column is kept on a narrow screen.
    private static let all = [
        Column("time", 20, .left, rank: 0) { seconds(of: $0.time) },
        Column("state", 12, .left, rank: 1) { $0.verdict?.kind.rawValue ?? $0.state.rawValue },
        Column("in/s", 5, rank: 2) { ShortNumber.count($0.recordsInPerSecond) },
        Column("out/s", 5, rank: 3) { ShortNumber.count($0.recordsOutPerSecond) },
        Column("MB/s", 5, rank: 13) { ShortNumber.count($0.bytesOutPerSecond / 1_000_000) },
        Column("lag", 5, rank: 4) { $0.lag.total.map { ShortNumber.count($0) } ?? "?" },
        Column("largest lag", 20, .left, rank: 9) { largest($0.lag, width: 20) },
        Column("p50/p99 ms", 11, rank: 6) { latency($0.latencyMs) },
        Column("most time", 23, .left, rank: 8) { mostTime($0.timeShares) },
        Column("ans/s", 5, rank: 11) { ShortNumber.count(Double($0.answers) / $0.seconds) },
        Column("vote/s", 6, rank: 12) { ShortNumber.count(Double($0.votes) / $0.seconds) },
        Column("dead", 5, rank: 5) { ShortNumber.count($0.deadLettersTotal) },
        Column("commit/abort", 12, rank: 7) { ShortNumber.count($0.commits) + "/" + ShortNumber.count($0.aborts) },
        Column("mem", 5, rank: 10) { ShortNumber.count($0.process.residentBytes) },
    ]

    /// Replaces the first column on a narrow screen.
    private static let shortTime = Column("time", 8, .left, rank: 0) {
        String(seconds(of: $0.time).dropFirst(11).prefix(8))
    }

    private let columns: [Column]
    private var linesSinceTitles = ThroughputTable.linesBetweenTitles

    /// - Parameter width: the screen's, in characters.
    package init(width: Int = usualWidth) {
        columns = Self.columns(width: width)
    }

    /// One line, two with titles; `totals` has lines of its own.
    package mutating func lines(for line: ThroughputLine) -> [String] {
        if line.message == .totals { return [Self.sentence(line)] }
        defer { linesSinceTitles += 1 }
        guard linesSinceTitles >= Self.linesBetweenTitles else { return [row(line)] }
        linesSinceTitles = 0
        return [titles, row(line)]
    }

    var titles: String { Self.joined(columns.map { $0.padded($0.title) }) }

    func row(_ line: ThroughputLine) -> String { Self.joined(columns.map { $0.padded($0.cell(line)) }) }

    private static func columns(width: Int) -> [Column] {
        guard width < fullWidth else { return all }
        let columns = [shortTime] + all.dropFirst()
        var left = width + 1
        var shown: Set<Int> = []
        for column in columns.sorted(by: { $0.rank < $1.rank }) where column.width + 1 <= left {
            left -= column.width + 1
            shown.insert(column.rank)
        }
        return columns.filter { shown.contains($0.rank) }
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
        LaneActivity.allCases.map { ($0.shortTitle, shares[$0]) }.sorted { $0.1 > $1.1 }.prefix(2)
            .filter { $0.1 >= 0.005 }.map { "\($0) \(Int(($1 * 100).rounded()))%" }.joined(separator: " ")
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

    private struct Column: Sendable {
        enum Side { case left, right }

        let title: String
        let width: Int
        let side: Side
        let rank: Int
        let cell: @Sendable (ThroughputLine) -> String

        init(
            _ title: String, _ width: Int, _ side: Side = .right, rank: Int,
            cell: @escaping @Sendable (ThroughputLine) -> String
        ) {
            self.title = title
            self.width = width
            self.side = side
            self.rank = rank
            self.cell = cell
        }

        func padded(_ text: String) -> String {
            let room = String(repeating: " ", count: max(0, width - text.count))
            return side == .left ? text + room : room + text
        }
    }
}
