/// A row of small bars, in the screen of `top` and in a report as text.
package enum Sparkline {
    private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let ascii: [Character] = [".", ":", "-", "=", "+", "*", "#", "@"]

    /// - Parameters:
    ///   - values: nil is drawn as a space; 0 as the least bar.
    ///   - largest: value of the highest bar; nil: the values' largest.
    package static func text(_ values: [Double?], largest: Double? = nil, unicode: Bool = true) -> String {
        let top = largest ?? values.compactMap { $0 }.max() ?? 0
        let bars = unicode ? bars : ascii
        return String(
            values.map { value -> Character in
                guard let value else { return " " }
                guard top > 0, value > 0 else { return bars[0] }
                return bars[min(bars.count - 1, max(0, Int((value / top * Double(bars.count)).rounded(.up)) - 1))]
            })
    }
}
