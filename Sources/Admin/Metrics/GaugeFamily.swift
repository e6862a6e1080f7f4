import CoreMetrics

/// Gauges of one name whose labels come and go, such as partitions.
struct GaugeFamily {
    private let name: String
    private let labels: [String]
    private let factory: any MetricsFactory
    private var meters: [[String]: Meter] = [:]

    /// - Parameter labels: the labels' names.
    init(_ definition: MetricDefinition, labels: [String], factory: any MetricsFactory) {
        name = definition.name
        self.labels = labels
        self.factory = factory
    }

    /// - Parameter values: labels in the order of their names, with the current value. Series that are missing here are
    ///   removed: another worker may have the partition now.
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
