import Histogram
import Worker

/// What all lanes did in one interval.
package struct Throughput: Sendable {
    package var seconds: Double
    package var recordsIn: Int
    package var bytesIn: Int
    package var recordsOut: Int
    package var bytesOut: Int
    package var answers: Int
    package var votes: Int
    package var deadLetters: Int
    package var commits: Int
    package var aborts: Int
    package var rebalances: Int
    /// Records not yet worked on, by input topic, summed over the partitions that these lanes own.
    package var lag: [String: Int64]
    package var restoring: Int
    /// From poll to acknowledged output, in milliseconds; nil when nothing was acknowledged.
    package var latencyP50: Double?
    package var latencyP99: Double?

    package var isIdle: Bool { recordsIn == 0 && answers == 0 && votes == 0 && deadLetters == 0 }

    /// - Parameters:
    ///   - now: the lanes' contents at the interval's end, their latencies those of the interval.
    ///   - before: the totals at its beginning, lane by lane.
    package init(now: [LaneReport.Content], before: [LaneTotals], seconds: Double) {
        func grown(_ count: (LaneTotals) -> Int) -> Int {
            now.reduce(0) { $0 + count($1.totals) } - before.reduce(0) { $0 + count($1) }
        }
        self.seconds = seconds
        recordsIn = grown(\.recordsIn)
        bytesIn = grown(\.bytesIn)
        recordsOut = grown(\.recordsOut)
        bytesOut = grown(\.bytesOut)
        answers = grown(\.tableAnswers)
        votes = grown(\.tableVotes)
        deadLetters = grown(\.deadLetters.total)
        commits = grown(\.commits)
        aborts = grown(\.aborts)
        rebalances = grown(\.rebalances)
        lag = now.flatMap(\.lags).reduce(into: [:]) { $0[$1.place.topic, default: 0] += $1.records }
        restoring = now.reduce(0) { $0 + $1.restoring.count }
        var latency = Histogram<UInt32>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .two)
        for content in now where content.latency.totalCount > 0 { latency.add(content.latency) }
        if latency.totalCount > 0 {
            latencyP50 = Double(latency.valueAtPercentile(50)) / 1000
            latencyP99 = Double(latency.valueAtPercentile(99)) / 1000
        }
    }
}
