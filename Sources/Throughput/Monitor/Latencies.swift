import Histogram
import Worker

/// The latencies of all lanes over a period, in microseconds. Counted in 64 bits: a run may last for months.
package struct Latencies: Sendable {
    private(set) var records = Self.durations
    private(set) var events = Self.durations
    private(set) var commits = Self.durations
    /// Events acknowledged within the objective, by their own timestamps.
    private(set) var fresh = 0
    let objectiveMilliseconds: Int

    init(objectiveMilliseconds: Int = Backlog.standardObjective) {
        self.objectiveMilliseconds = objectiveMilliseconds
    }

    private static var durations: Histogram<UInt64> {
        Histogram(
            highestTrackableValue: LaneReport.durations.highestTrackableValue, numberOfSignificantValueDigits: .two)
    }

    mutating func add(_ content: LaneReport.Content) {
        Self.add(content.latency, to: &records)
        Self.add(content.eventLatency, to: &events)
        fresh += Self.count(content.eventLatency, upTo: objectiveMilliseconds)
        Self.add(content.commitLatency, to: &commits)
    }

    /// The number of values up to a limit, within the histogram's precision of two digits.
    package static func count(_ microseconds: Histogram<UInt32>, upTo milliseconds: Int) -> Int {
        guard microseconds.totalCount > 0 else { return 0 }
        let most = microseconds.highestEquivalentForValue(UInt64(milliseconds) * 1000)
        return microseconds.recordedValues().reduce(0) { $1.value <= most ? $0 + Int($1.count) : $0 }
    }

    mutating func add(_ other: Latencies) {
        fresh += other.fresh
        if other.records.totalCount > 0 { records.add(other.records) }
        if other.events.totalCount > 0 { events.add(other.events) }
        if other.commits.totalCount > 0 { commits.add(other.commits) }
    }

    private static func add(_ values: Histogram<UInt32>, to all: inout Histogram<UInt64>) {
        guard values.totalCount > 0 else { return }
        for value in values.recordedValues() { all.record(value.value, count: UInt64(value.count)) }
    }
}

extension ThroughputLine.Percentiles {
    /// - Parameter microseconds: an empty histogram gives nil.
    init?(_ microseconds: Histogram<UInt64>) {
        let all = microseconds.totalCount
        guard all > 0 else { return nil }
        // In one pass: each percentile query of the histogram walks thousands of counts, in generic arithmetic.
        let ranks = [0.5, 0.9, 0.99].map { UInt64(Swift.max(1, (Double(all) * $0).rounded(.up))) }
        var found: [UInt64] = []
        var seen: UInt64 = 0
        for value in microseconds.recordedValues() {
            seen += value.count
            while found.count < ranks.count, ranks[found.count] <= seen { found.append(value.value) }
            if found.count == ranks.count { break }
        }
        let longest = microseconds.max
        func milliseconds(_ index: Int) -> Double {
            Double(index < found.count ? Swift.min(found[index], longest) : longest) / 1000
        }
        self.init(
            count: Int(clamping: all), p50: milliseconds(0), p90: milliseconds(1), p99: milliseconds(2),
            max: Double(longest) / 1000)
    }
}
