import Bytes

/// A column that the configuration names and a row lacks. Two are equal by key and column.
package struct MissingColumn: Hashable, Sendable {
    /// The consequence for a row.
    package enum Effect: String, Sendable {
        case deadLetter = "the rows become dead letters"
        case leftOut = "left out of the records"
        case defaulted = "the default stands in"
        /// In `where:`.
        case countsAsNull = "counts as NULL"
    }

    /// The key in the configuration, as in `fields body`.
    package let key: String
    /// The name in the configuration.
    package let column: String
    /// The row's column with the nearest name; "": it has none.
    package let nearest: String
    /// For people: the field, the column and the nearest one.
    package let sentence: String
    /// The consequence for every row that lacks the column.
    package let effect: Effect
    /// The key's line in the configuration.
    package let line: Int?

    /// Whether the nearest column's name is so near that it is likely meant.
    var isMisspelled: Bool {
        !nearest.isEmpty && NearestName.distance(column.lowercased(), nearest.lowercased()) <= max(1, column.count / 3)
    }

    /// By key and column alone, so that a column is reported once, however many rows lack it.
    package static func == (a: Self, b: Self) -> Bool { a.key == b.key && a.column == b.column }

    /// By key and column alone.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(key)
        hasher.combine(column)
    }
}

/// A part of one of a topic's mappings, by the mapping's place among them. Its columns are looked for in the same rows.
package enum MappingPart: Hashable, Sendable {
    case conditions(Int)
    case fields(Int)

    var mapping: Int {
        switch self {
        case .conditions(let number), .fields(let number): number
        }
    }
}
