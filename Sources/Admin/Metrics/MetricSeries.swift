import CoreMetrics
import Histogram
import Synchronization

/// One time series: a metric with one set of labels. Any thread may change it.
protocol MetricSeries: AnyObject, Sendable {
    /// The labels as written, braces included.
    var labels: String { get }
    /// Appends the value to an exposition.
    /// - Parameter name: the family's.
    func write(to text: inout String, name: String)
}

/// Counter: monotonic over the life of the process.
final class CounterSeries: MetricSeries, CounterHandler, FloatingPointCounterHandler {
    let labels: String
    private let value = Mutex(0.0)

    init(labels: String) { self.labels = labels }

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    /// Ignores amounts that are not above 0: a decrease would look like a restart.
    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        value.withLock { $0 += amount }
    }

    func reset() { value.withLock { $0 = 0 } }

    func write(to text: inout String, name: String) {
        text += "\(name)\(labels) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

/// Gauge: the current value.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    let labels: String
    private let value = Mutex(0.0)

    init(labels: String) { self.labels = labels }

    func set(_ new: Int64) { set(Double(new)) }
    func set(_ new: Double) { value.withLock { $0 = new } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ new: Int64) { set(Double(new)) }
    func record(_ new: Double) { set(new) }

    func write(to text: inout String, name: String) {
        text += "\(name)\(labels) \(MetricText.number(value.withLock { $0 }))\n"
    }
}

/// Histogram: the distribution of measured values. Durations are in seconds.
final class HistogramSeries: MetricSeries, RecorderHandler, TimerHandler {
    private struct State {
        /// One count for each bound, and one for values above all bounds; not cumulative.
        var counts: [UInt64]
        var sum = 0.0
    }

    let labels: String
    private let bounds: [Double]
    /// The text between the name and the count, bound by bound, infinity last.
    private let buckets: [String]
    private let state: Mutex<State>

    /// - Parameter bounds: ascending, finite.
    init(dimensions: [(String, String)], bounds: [Double]) {
        labels = MetricText.labels(dimensions, besides: "le")
        self.bounds = bounds
        let others = labels.isEmpty ? "{" : labels.dropLast() + ","
        buckets = (bounds + [.infinity]).map { "_bucket\(others)le=\"\(MetricText.number($0))\"} " }
        state = Mutex(State(counts: Array(repeating: 0, count: bounds.count + 1)))
    }

    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { record(value, count: 1) }
    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    /// - Parameter value: ignored where it is not finite, as it would spoil the sum for ever.
    func record(_ value: Double, count: UInt64) {
        guard value.isFinite else { return }
        state.withLock { state in
            state.counts[bucket(of: value)] += count
            state.sum += value * Double(count)
        }
    }

    /// Adds another histogram's values, each as the middle of its bucket there: the precision stays that histogram's.
    /// - Parameter unit: of its values, in units of this series.
    func add(_ histogram: Histogram<UInt32>, unit: Double) {
        guard histogram.totalCount > 0 else { return }
        state.withLock { state in
            for recorded in histogram.recordedValues() {
                let value = Double(histogram.medianEquivalentForValue(recorded.value)) * unit
                state.counts[bucket(of: value)] += UInt64(recorded.count)
                state.sum += value * Double(recorded.count)
            }
        }
    }

    /// The first bucket whose bound is not below the value.
    private func bucket(of value: Double) -> Int { bounds.firstIndex { value <= $0 } ?? bounds.count }

    func write(to text: inout String, name: String) {
        let state = state.withLock { $0 }
        var total: UInt64 = 0
        for (bucket, count) in zip(buckets, state.counts) {
            total += count
            text += "\(name)\(bucket)\(total)\n"
        }
        text += "\(name)_sum\(labels) \(MetricText.number(state.sum))\n\(name)_count\(labels) \(total)\n"
    }
}
