import Foundation

/// The vertical axis of a plot: heights of values, and the labelled ticks.
struct PlotScale: Sendable {
    enum Kind: Sendable {
        /// From 0.
        case linear
        /// Powers of ten, for latencies, which span several of them.
        case logarithmic
        /// 0 to 1.
        case share
    }

    let kind: Kind
    let least: Double
    let largest: Double
    let ticks: [Double]

    init(_ kind: Kind, least: Double, largest: Double) {
        self.kind = kind
        switch kind {
        case .linear:
            let step = Self.step((largest > 0 ? largest : 1) / 4)
            let count = max(1, Int((largest / step).rounded(.up)))
            self.least = 0
            self.largest = step * Double(count)
            ticks = (0...min(count, 8)).map { step * Double($0) }
        case .logarithmic:
            let low = Foundation.floor(log10(max(least, 1e-3)))
            let high = max(low + 1, Foundation.ceil(log10(max(largest, 1e-3))))
            self.least = low
            self.largest = high
            let every = max(1, Int(((high - low) / 5).rounded(.up)))
            ticks = stride(from: low, through: high, by: Double(every)).map { pow(10, $0) }
        case .share:
            (self.least, self.largest) = (0, 1)
            ticks = [0, 0.25, 0.5, 0.75, 1]
        }
    }

    /// The height of a value: 0 at the bottom, 1 at the top.
    func height(_ value: Double) -> Double {
        let value = kind == .logarithmic ? log10(max(value, 1e-3)) : value
        return min(max((value - least) / (largest - least), 0), 1)
    }

    /// The smallest 1, 2 or 5 times a power of ten that is not below `least`.
    static func step(_ least: Double) -> Double {
        guard least > 0, least.isFinite else { return 1 }
        let power = pow(10, Foundation.floor(log10(least)))
        for factor in [1.0, 2, 5] where factor * power >= least * 0.9999 { return factor * power }
        return 10 * power
    }

    /// Seconds between the ticks of a time axis with room for about eight of them.
    static func timeStep(_ span: Double) -> Double {
        let steps: [Double] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
            604_800,
        ]
        return steps.first { span / $0 <= 9 } ?? step(span / 8)
    }
}
