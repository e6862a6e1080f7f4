import Testing

@testable import Throughput

@Suite("The throughput table")
struct ThroughputTableTests {
    private var busy: ThroughputLine {
        var line = ThroughputLine.full
        line.state = .working
        return line
    }

    /// Every figure larger than it will ever be.
    private var huge: ThroughputLine {
        var line = ThroughputLine.full
        line.recordsInPerSecond = 1e18
        line.recordsOutPerSecond = 999_499
        line.bytesOutPerSecond = 999_500_000_000
        line.lag.total = .max
        line.lag.largest = .init(
            topic: String(repeating: "a very long name of a topic ", count: 9), partition: .max, records: .max)
        line.latencyMs = .init(count: 1, p50: 3_600_000 * 23, p90: 0, p99: 31_536_000_000, max: 0)
        line.timeShares = .init { $0 == .producing ? 0.995 : $0 == .committing ? 0.005 : 0 }
        line.counts.tableAnswers = .max
        line.counts.tableVotes = .max
        line.deadLettersTotal = .max
        line.commits = .max
        line.aborts = .max
        line.process.residentBytes = .max
        return line
    }

    private let full = ThroughputTable(width: 152)

    @Test("a screen of 80 or 120 characters shows what matters most, and no line is longer", arguments: [80, 120])
    func widths(width: Int) {
        let table = ThroughputTable(width: width)
        for title in ["time", "state", "in/s", "out/s", "lag", "p50/p99 ms", "dead", "commit/abort"] {
            #expect(table.titles.contains(title))
        }
        #expect(table.titles.contains("most time") == (width == 120))
        for line in [busy, .full, .bare, huge] {
            #expect(table.row(line).count <= width)
            #expect(table.row(line).hasPrefix("09:05:10 "))
        }
    }

    @Test("a line for people")
    func row() {
        #expect(
            full.titles + "\n" + full.row(busy) == """
                time                 state         in/s out/s  MB/s   lag largest lag           p50/p99 ms most \
                time               ans/s vote/s  dead commit/abort   mem
                2026-03-01T09:05:10Z behind         100  99.8  0.18 12.3k questions [3] 12.3k    12.3/45.6 lookup 25% \
                render 20%    0.50   0.60     2         98/1  123M
                """)
    }

    @Test("columns stand under each other, whatever is in them, and the line is not too long")
    func alignment() {
        let titles = full.titles
        let ends = ["in/s", "out/s", "MB/s", " lag", "p50/p99 ms", "ans/s", "vote/s", "dead", "commit/abort", "mem"].map
        {
            titles.range(of: $0)!.upperBound.utf16Offset(in: titles)
        }
        for line in [busy, .full, .bare, huge] {
            let row = full.row(line)
            #expect(row.count == titles.count)
            #expect(row.count <= 152)
            for end in ends {
                let index = String.Index(utf16Offset: end, in: row)
                #expect(index == row.endIndex || row[index] == " ", "column \(end) of \(row)")
                #expect(row[row.index(before: index)] != " ")
            }
        }
    }

    @Test("titles at first and every 20 lines")
    func titles() {
        var table = ThroughputTable()
        var written: [String] = []
        for _ in 0..<41 { written += table.lines(for: busy) }
        #expect(written.indices.filter { written[$0].hasPrefix("time ") } == [0, 21, 42])
    }

    @Test("totals are a line of their own, in words")
    func totals() {
        var table = ThroughputTable()
        var line = busy
        line.message = .totals
        line.seconds = 4_000
        #expect(
            table.lines(for: line) == [
                "2026-03-01T09:05:10Z totals of 1 h 6 min: 1000 in, 998 out (99.8/s, 0.18 MB/s); 5 answers, 6 votes; "
                    + "2 dead letters (1 invalid-json, 1 schema); 98 commits, 1 aborts, 2 rebalances; "
                    + "latency p50 12.3 ms, p99 45.6 ms, max 99.8 ms; CPU 33.2 s"
            ])
    }

    @Test("a lag that nobody knows yet is not 0")
    func unknownLag() {
        var line = ThroughputLine.bare
        #expect(full.row(line).contains("     0 -  "))
        line.lag.total = nil
        #expect(full.row(line).contains("     ? -  "))
        #expect(!line.json.contains("\"total\":"))
        #expect(ThroughputLine(json: line.json)?.lag.total == nil)
    }

    @Test("each duration of the totals has its unit")
    func unitsOfTotals() {
        var table = ThroughputTable()
        var line = busy
        line.message = .totals
        line.seconds = 252.3
        line.latencyMs = .init(count: 1, p50: 54.8, p90: 1_000, p99: 1_140, max: 61_160)
        line.process.cpuSeconds = 0.834
        let sentence = table.lines(for: line).first ?? ""
        #expect(sentence.contains(" totals of 4 min 12 s: "))
        #expect(sentence.hasSuffix("; latency p50 54.8 ms, p99 1.14 s, max 1 min 1 s; CPU 834 ms"))
    }

    @Test(
        "numbers in at most five characters",
        arguments: [
            (0.0, "0"), (0.004, "0.00"), (0.25, "0.25"), (1, "1"), (9.994, "9.99"), (9.995, "10.0"), (12.34, "12.3"),
            (99.95, "100"), (999.4, "999"), (999.5, "1.00k"), (1_000, "1.00k"), (6_000, "6.00k"), (6_001, "6.00k"),
            (60_000, "60.0k"), (600_000, "600k"), (12_345, "12.3k"), (999_499, "999k"),
            (999_500, "1.00M"), (1e18, "1.00E"), (9.3e18, "9.30E"), (-1, "-"), (.infinity, "-"), (.nan, "-"),
        ])
    func counts(value: Double, text: String) {
        #expect(ShortNumber.count(value) == text)
    }

    @Test(
        "durations too",
        arguments: [
            (0.0, "0"), (0.25, "0.25"), (12.34, "12.3"), (999.4, "999"), (999.6, "1.00s"), (1_500, "1.50s"),
            (1_000, "1.00s"), (61_000, "61.0s"), (99_960, "2m"), (600_000, "10m"), (7_200_000, "2h"),
            (864_000_000, "10d"), (-1, "-"),
            (.infinity, "-"),
        ])
    func durations(value: Double, text: String) {
        #expect(ShortNumber.milliseconds(value) == text)
    }
}
