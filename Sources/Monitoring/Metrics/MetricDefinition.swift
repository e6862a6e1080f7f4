/// What a metric is, for those who read it: the lines `# HELP` and `# TYPE` of its family.
package struct MetricDefinition: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// With the upper bounds of its buckets, ascending, the last (infinity) left out.
        case histogram(bounds: [Double])

        /// As the text format names it.
        var word: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// Letters, digits, `_`; the unit at its end (`_seconds`, `_bytes`), and `_total` where it counts.
    package let name: String
    package let kind: Kind
    /// A sentence.
    package let help: String

    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }
}
