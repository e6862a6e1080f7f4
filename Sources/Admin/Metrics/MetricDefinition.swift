/// A metric's name, type and help: the lines `# HELP` and `# TYPE` of its family.
struct MetricDefinition: Sendable, Equatable {
    /// The type of a family, as Prometheus knows it.
    enum Kind: Sendable, Equatable {
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
    let name: String
    /// The family's type.
    let kind: Kind
    /// One sentence.
    let help: String

    /// - Parameter help: one sentence.
    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }
}
