import Bytes

/// A row of a table: an object in a parsed JSON text, and the columns' types from its schema.
struct Row {
    let document: JSONDocument
    let node: Int
    let types: ColumnTypes

    /// The value that a path leads to; nil: there is none. A JSON `null` is a value.
    @inline(__always)
    func find(_ path: RowPath) -> RowValue? {
        guard let column = self.column(path.column) else { return nil }
        return find(path, in: column)
    }

    /// The value that a path leads to, whose column was found before.
    @inline(__always)
    func find(_ path: RowPath, in column: Int) -> RowValue? {
        var here = RowValue(document, column)
        guard path.steps.count > 1 else { return here }
        for step in path.steps.dropFirst() {
            guard let next = here.child(step) else { return nil }
            here = next
        }
        return here
    }

    /// A column, by its name or by an alias in its schema.
    func column(_ name: [UInt8]) -> Int? {
        document.member(name, of: node) ?? types.name(ofAlias: name).flatMap { document.member($0, of: node) }
    }

    func type(of path: RowPath) -> LogicalType? { path.steps.count == 1 ? types[path.column] : nil }

    /// - Throws: `SourceFailure` where the database did not send a value that decides it.
    func meets(_ conditions: [RowCondition]) throws(SourceFailure) -> Bool {
        for condition in conditions {
            let column = column(condition.path.column)
            if let column, UnavailableValue.stands(in: RowValue(document, column)) {
                // A value that is stored apart is not NULL.
                guard condition.allowed.isOfNull else { throw RowValues.storedApart(condition.path) }
                guard condition.allowed.isNegated else { return false }
                continue
            }
            if try !condition.allowed.contains(compared(condition.path, in: column)) { return false }
        }
        return true
    }

    /// A value as the configuration's are compared with it.
    /// - Parameter column: the path's; nil: the row lacks it.
    func compared(_ path: RowPath, in column: Int?) throws(SourceFailure) -> ComparedValue {
        guard let value = column.flatMap({ find(path, in: $0) }) else { return .null }
        guard value.kind == .string || value.kind == .object else { return ComparedValue(value) }
        let type = self.type(of: path)
        if type == .bytes, let text = value.textOfBytes { return .text(text) }
        return try decimal(value, type, path).map { .number($0) } ?? ComparedValue(value)
    }

    /// The number that a column's type keeps as bytes; nil: the value is none.
    func decimal(_ value: RowValue, _ type: LogicalType?, _ path: RowPath) throws(SourceFailure) -> String? {
        switch type {
        case .decimal(let scale) where value.kind == .string:
            guard let text = value.string.flatMap({ DecimalText.decimal(base64: $0, scale: scale) }) else {
                throw SourceFailure("column '\(path.text)' is no decimal number in Base64, as its schema says")
            }
            return text
        // Without a schema its shape identifies it.
        case .variableDecimal where value.kind == .object, nil where value.isVariableDecimal:
            guard let base64 = value.member("value")?.string,
                let scale = (value.member("scale")?.scalar ?? nil).flatMap({ Int($0) }),
                let text = DecimalText.decimal(base64: base64, scale: scale)
            else {
                throw SourceFailure("column '\(path.text)' is no decimal number with its scale, as its schema says")
            }
            return text
        default: return nil
        }
    }

    /// Whether the database did not send the column that a path begins in, as it stores the value apart (TOAST).
    func isStoredApart(_ path: RowPath) -> Bool {
        column(path.column).map { UnavailableValue.stands(in: RowValue(document, $0)) } ?? false
    }

    /// The length of a column's value as it stands in the record; 0: there is none.
    func length(ofColumn path: RowPath) -> Int {
        column(path.column).map { document[$0].end - document[$0].start } ?? 0
    }

    /// The names of the columns, for people.
    var columns: [String] {
        var names: [String] = []
        document.forEachChild(of: node) { names.append(document.name(of: $0)) }
        return names
    }

    /// The name of the row's column nearest to a name; "": it has no columns.
    func nearestColumn(_ name: String) -> String { NearestName.of(name, in: columns) }

    /// A clause for people: the row lacks this column, with the nearest that it has; nil: the row has it.
    func missingColumn(_ path: RowPath) -> String? {
        guard column(path.column) == nil else { return nil }
        let name = String(decoding: path.column, as: UTF8.self)
        if isChange {
            return
                "the row has no column \(excerpt(name)); the value is a change event of Debezium, which is read with "
                + "format: debezium"
        }
        let nearest = nearestColumn(name)
        return "the row has no column \(excerpt(name))"
            + (nearest.isEmpty ? "" : "; the nearest is \(excerpt(nearest))") + Self.hint(name)
    }

    /// Whether it is Debezium's envelope, taken for a row.
    private var isChange: Bool {
        ["op", "before", "after", "source"].allSatisfy { document.member(Array($0.utf8), of: node) != nil }
    }

    /// A clause for people, on a name that no column has and that was meant for something else; "" for other names.
    private static func hint(_ name: String) -> String {
        let first = name.prefix { $0 != "." && $0 != "/" }
        if ["payload", "after", "before"].contains(first) {
            return "; name the column alone: the row is what stands in the change's 'after'"
        }
        if name.hasPrefix("$") || name.hasPrefix("#") || name.contains("/") {
            return "; a place in a column is written as a JSON Pointer, which begins with /, as in '/meta/tags/0'"
        }
        return ""
    }

    /// A clause for people: why a path leads nowhere, with the nearest name; nil: it leads to a value.
    func missing(_ path: RowPath) -> String? {
        guard let column = self.column(path.column) else { return missingColumn(path) }
        var here = RowValue(document, column)
        for (depth, step) in path.steps.enumerated().dropFirst() {
            guard let next = here.child(step) else {
                let place =
                    "/" + path.steps[..<depth].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "/")
                let name = String(decoding: step, as: UTF8.self)
                let nearest = NearestName.of(name, in: here.names)
                return "\(excerpt(place)) holds no \(excerpt(name))"
                    + (nearest.isEmpty ? "" : "; the nearest is \(excerpt(nearest))")
            }
            here = next
        }
        return nil
    }

    /// Whether these columns hold values. A deleted row may come with its key's columns alone: Debezium writes NULL
    /// into the others, or zero and empty text where they cannot be NULL.
    func tells(_ paths: some Sequence<RowPath>, besides key: Row?) -> Bool {
        paths.allSatisfy { path in
            if let key, key.document.member(path.column, of: key.node) != nil { return find(path) != nil }
            let value = (try? compared(path, in: column(path.column))) ?? .null
            return !["", "0", "false"].contains { value.equals($0) } && value != .null
        }
    }
}

/// Why a source's record cannot become a contract record: a sentence for people.
package struct SourceFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Names columns and types; of values, at most a short excerpt.
    package let description: String
    /// The change leaves out a value that the database stores apart, and no earlier one was kept.
    let isOfValueStoredApart: Bool

    /// - Parameter description: a sentence for people.
    package init(_ description: String) { self.init(description, isOfValueStoredApart: false) }

    init(_ description: String, isOfValueStoredApart: Bool) {
        self.description = description
        self.isOfValueStoredApart = isOfValueStoredApart
    }
}

/// The text of a value for a sentence: printable, short.
func excerpt(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(48) {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator:
            shown += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return "'\(shown)\(text.unicodeScalars.count > 48 ? "..." : "")'"
}
