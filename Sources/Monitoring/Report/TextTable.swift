/// Rows with aligned columns, for a terminal.
struct TextTable {
    private var rows: [[String]] = []
    /// Indices of the left-aligned columns.
    private let left: Set<Int>

    init(left: Set<Int> = [0]) {
        self.left = left
    }

    mutating func add(_ row: [String]) { rows.append(row) }

    var lines: [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - text.count)
                let isLast = column == row.count - 1
                line += (column > 0 ? "  " : "") + (left.contains(column) ? text + (isLast ? "" : space) : space + text)
            }
            return line
        }
    }
}

/// A row of small bars.
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
