import CoreMetrics

/// Gauges of one name whose labels come and go, such as partitions.
struct GaugeFamily {
    private let name: String
    private let labels: [String]
    private let factory: any MetricsFactory
    private var meters: [[String]: Meter] = [:]

    /// - Parameter labels: their names.
    init(_ definition: MetricDefinition, labels: [String], factory: any MetricsFactory) {
        name = definition.name
        self.labels = labels
        self.factory = factory
    }

    /// - Parameter values: the labels' values, in the order of the names, and what is there for them. What is not among them is
    ///   gone: somebody else's by now.
    mutating func replace(_ values: [(labels: [String], value: Double)]) {
        var gone = meters
        for (key, value) in values {
            let meter = meters[key] ?? Meter(label: name, dimensions: Array(zip(labels, key)), factory: factory)
            meter.set(value)
            meters[key] = meter
            gone[key] = nil
        }
        for (key, meter) in gone {
            meter.destroy()
            meters[key] = nil
        }
    }
}
