/// A metric's name, type and help: the lines `# HELP` and `# TYPE` of its family.
package struct MetricDefinition: Sendable, Equatable {
    /// The type of a family, as Prometheus knows it.
    package enum Kind: Sendable, Equatable {
        case counter
        case gauge
        /// With the ascending upper bounds of its buckets, without infinity.
        case histogram(bounds: [Double])

        /// The type's name in the text format.
        var word: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// Letters, digits, `_`; ends with the unit (`_seconds`, `_bytes`), and `_total` for a counter.
    package let name: String
    /// The family's type.
    package let kind: Kind
    /// One sentence.
    package let help: String

    /// - Parameter help: one sentence.
    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }
}
