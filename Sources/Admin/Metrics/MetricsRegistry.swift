import CoreMetrics
import Synchronization

/// The swift-metrics backend that keeps values and writes them for Prometheus. Any thread may use it.
///
/// A metric has one series for each set of labels; making it again returns the same series, and `destroy` removes it
/// from the exposition. Our metrics have definitions. Metrics of libraries are shown under their own labels, made to
/// fit the format, and at most ``limit`` series of them, so that memory stays bounded.
final class MetricsRegistry: MetricsFactory {
    private final class Family {
        let definition: MetricDefinition
        /// Whether its definition was given at the start.
        let isDefined: Bool
        /// In order of creation, by labels as written.
        var series: [(labels: String, series: any MetricSeries)] = []
        var places: [String: Int] = [:]

        init(_ definition: MetricDefinition, isDefined: Bool) {
            self.definition = definition
            self.isDefined = isDefined
        }

        func add(_ one: any MetricSeries, labels: String) {
            places[labels] = series.count
            series.append((labels, one))
        }

        func remove(_ one: any MetricSeries, labels: String) -> Bool {
            guard let place = places[labels], series[place].series === one else { return false }
            places[labels] = nil
            series.remove(at: place)
            for index in place..<series.count { places[series[index].labels] = index }
            return true
        }
    }

    private struct State {
        var families: [String: Family] = [:]
        var names: [String] = []
        /// Series of families without a definition.
        var undefined = 0
    }

    /// Bucket bounds of histograms without a definition, in seconds.
    static let durations: [Double] = [
        0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    static let limit = 1000

    private let state = Mutex(State())

    /// - Parameter definitions: our metrics in the order of the exposition, each name once.
    init(definitions: [MetricDefinition]) {
        state.withLock { state in
            for definition in definitions {
                state.families[definition.name] = Family(definition, isDefined: true)
                state.names.append(definition.name)
            }
        }
    }

    /// All metrics in the text format.
    var exposition: String {
        let families = state.withLock { state in
            state.names.compactMap { name in
                state.families[name].map { ($0.definition, $0.series.map(\.series)) }
            }
        }
        var text = ""
        text.reserveCapacity(1 << 16)
        for (definition, series) in families where !series.isEmpty {
            text += "# HELP \(definition.name) \(MetricText.help(definition.help))\n"
            text += "# TYPE \(definition.name) \(definition.kind.word)\n"
            for one in series { one.write(to: &text, name: definition.name) }
        }
        return text
    }

    // MARK: - MetricsFactory

    /// A series of a counter; `_total` is appended where the label has no definition.
    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    /// The same series as ``makeCounter(label:dimensions:)``.
    func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    /// A series of a gauge.
    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    /// A histogram where values are aggregated, else a gauge.
    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions, suffix: "") : gauge(label, dimensions)
    }

    /// A histogram in seconds; `_seconds` is appended where the label has no definition.
    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions, suffix: "_seconds")
    }

    func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    // MARK: - Series

    private func counter(_ label: String, _ dimensions: [(String, String)]) -> CounterSeries {
        let labels = MetricText.labels(dimensions)
        return series(label, suffix: "_total", .counter, labels: labels) { _ in CounterSeries(labels: labels) }
    }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> GaugeSeries {
        let labels = MetricText.labels(dimensions)
        return series(label, suffix: "", .gauge, labels: labels) { _ in GaugeSeries(labels: labels) }
    }

    /// For adding many values at once, which swift-metrics does not offer.
    func histogram(_ label: String, _ dimensions: [(String, String)] = [], suffix: String = "") -> HistogramSeries {
        let labels = MetricText.labels(dimensions, besides: "le")
        return series(label, suffix: suffix, .histogram(bounds: Self.durations), labels: labels) { kind in
            guard case .histogram(let bounds) = kind else { preconditionFailure("the kinds are compared before") }
            return HistogramSeries(dimensions: dimensions, bounds: bounds)
        }
    }

    /// - Parameters:
    ///   - suffix: the required end of a name without a definition.
    ///   - kind: for a family that does not exist yet.
    /// - Returns: a detached series, which is not shown, where the name has another kind or the limit is reached.
    private func series<Series: MetricSeries>(
        _ label: String, suffix: String, _ kind: MetricDefinition.Kind, labels: String,
        make: (MetricDefinition.Kind) -> Series
    ) -> Series {
        state.withLock { state in
            var name = MetricText.metricName(label)
            if state.families[name] == nil {
                if !name.hasSuffix(suffix) { name += suffix }
            }
            if let family = state.families[name] {
                if let place = family.places[labels] {
                    return family.series[place].series as? Series ?? make(kind)
                }
                guard family.definition.kind.word == kind.word else { return make(kind) }
                if !family.isDefined {
                    guard state.undefined < Self.limit else { return make(kind) }
                    state.undefined += 1
                }
                let new = make(family.definition.kind)
                family.add(new, labels: labels)
                return new
            }
            guard state.undefined < Self.limit else { return make(kind) }
            state.undefined += 1
            let help = "A series that a library of the process reports as \(label)."
            let family = Family(MetricDefinition(name, kind, help), isDefined: false)
            let new = make(kind)
            family.add(new, labels: labels)
            state.families[name] = family
            state.names.append(name)
            return new
        }
    }

    private func remove(_ handler: AnyObject) {
        guard let series = handler as? any MetricSeries else { return }
        state.withLock { state in
            for family in state.families.values where family.remove(series, labels: series.labels) {
                if !family.isDefined { state.undefined -= 1 }
                return
            }
        }
    }
}
