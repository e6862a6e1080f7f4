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
