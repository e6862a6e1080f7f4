import Histogram
import Worker

/// The latencies of a stretch of time, all lanes together, in microseconds. Counted in 64 bits: a run may last for months.
struct Latencies: Sendable {
    private(set) var records = Self.durations
    private(set) var events = Self.durations
    private(set) var commits = Self.durations

    private static var durations: Histogram<UInt64> {
        Histogram(
            highestTrackableValue: LaneReport.durations.highestTrackableValue, numberOfSignificantValueDigits: .two)
    }

    mutating func add(_ content: LaneReport.Content) {
        Self.add(content.latency, to: &records)
        Self.add(content.eventLatency, to: &events)
        Self.add(content.commitLatency, to: &commits)
    }

    mutating func add(_ other: Latencies) {
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
    /// - Parameter microseconds: nil is made of none.
    init?(_ microseconds: Histogram<UInt64>) {
        guard microseconds.totalCount > 0 else { return nil }
        func milliseconds(_ value: UInt64) -> Double { Double(value) / 1000 }
        self.init(
            count: Int(clamping: microseconds.totalCount),
            p50: milliseconds(microseconds.valueAtPercentile(50)),
            p90: milliseconds(microseconds.valueAtPercentile(90)),
            p99: milliseconds(microseconds.valueAtPercentile(99)),
            max: milliseconds(microseconds.max))
    }
}
