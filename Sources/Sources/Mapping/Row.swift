import Records

/// A row of a table: an object in a JSON text that was read, and what its schema says of the columns.
struct Row {
    let document: JSONDocument
    let node: Int
    let types: ColumnTypes

    /// The value that a path leads to; nil: there is none. A JSON `null` is a value.
    @inline(__always)
    func find(_ path: RowPath) -> Int? {
        guard var here = document.member(path.steps[0], of: node) else { return nil }
        for step in path.steps.dropFirst() {
            switch document[here].kind {
            case .object:
                guard let member = document.member(step, of: here) else { return nil }
                here = member
            case .array:
                guard let element = element(step, of: here) else { return nil }
                here = element
            default: return nil
            }
        }
        return here
    }

    /// The element that a pointer's step names: digits, without a zero before others.
    private func element(_ step: [UInt8], of array: Int) -> Int? {
        guard let index = Int(String(decoding: step, as: UTF8.self)), index >= 0,
            String(index).utf8.elementsEqual(step)
        else { return nil }
        var (here, left) = (array + 1, index)
        let end = document[array].next
        while here < end, left > 0 {
            here = document[here].next
            left -= 1
        }
        return here < end ? here : nil
    }

    func type(of path: RowPath) -> LogicalType? { path.steps.count == 1 ? types[path.column] : nil }

    /// A value as text, for comparing: nil is NULL.
    func scalar(_ index: Int) -> ScalarText {
        switch document[index].kind {
        case .null: nil
        case .string: document.string(of: index) ?? String(decoding: document.content(of: index), as: UTF8.self)
        default: String(decoding: document.text(of: index), as: UTF8.self)
        }
    }

    func scalar(_ path: RowPath) -> ScalarText { find(path).flatMap { scalar($0) } }

    func meets(_ conditions: [RowCondition]) -> Bool {
        conditions.allSatisfy { $0.allowed.contains(scalar($0.path)) }
    }

    /// Whether these columns hold something. A deleted row may come with the columns of its key alone: Debezium has NULL in
    /// the others, or zero and empty text where they cannot be NULL.
    func tells(_ paths: some Sequence<RowPath>, besides key: Row?) -> Bool {
        paths.allSatisfy { path in
            if let key, key.document.member(path.column, of: key.node) != nil { return find(path) != nil }
            return !["", "0", "false"].contains(scalar(path) ?? "")
        }
    }
}

/// Why a source's record cannot become a contract record: a sentence for people.
package struct SourceFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    /// The change leaves out a value that the database has stored apart, and nothing was kept of it.
    let isOfValueStoredApart: Bool

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
