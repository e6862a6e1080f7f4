/// Finds a row's values for the fields of a mapping.
struct RowValues {
    let row: Row
    /// Values of the row's last record, in place of those that this change leaves out.
    let kept: [KeptField]

    enum Found {
        /// NULL, or not in the row.
        case absent
        case value(RowValue, LogicalType?)
        /// A number that its column's type keeps as bytes.
        case decimal(String)
        case text(String)
        /// Not sent by the database: the value as last written.
        case kept([UInt8])
    }

    /// A field's value, tested and translated as the mapping says.
    func find(_ field: PlannedField) throws(SourceFailure) -> Found {
        guard field.isTranslated || field.path == nil else { return try at(field) }
        let mapping = field.mapping
        var found: Found
        switch mapping.source {
        case .constant(let text): found = .text(text)
        case .joined: found = try id(field).map { .text($0) } ?? .absent
        case .path(let path):
            if let test = mapping.test, test.isOfNull, row.isStoredApart(path) {
                return .text(test.isNegated ? "true" : "false")
            }
            found = try at(field)
        }
        if case .kept = found { return found }
        if let test = mapping.test { return .text(test.contains(compared(found)) ? "true" : "false") }
        if let standard = mapping.standard, text(found)?.isEmpty ?? true { found = .text(standard) }
        if let replacements = mapping.replacements, let text = text(found) {
            guard let replacement = replacements[text] ?? compared(found).value(in: replacements) else {
                throw SourceFailure(
                    "\(field.subject) is \(excerpt(text)), which map: does not name; add it there, or leave such rows "
                        + "out with where:" + DecimalText.hint(onBase64: text))
            }
            found = .text(replacement)
        }
        return found
    }

    private func at(_ field: PlannedField) throws(SourceFailure) -> Found {
        guard let path = field.path else { return .absent }
        let found = try at(path, name: field.keptName)
        // Ids stay in Base64: bytes that are text in one row may be none in the next.
        guard case .value(let value, .bytes?) = found, field.kind != .id else { return found }
        if let text = value.textOfBytes { return .text(text) }
        if field.mapping.test != nil { return found }
        throw SourceFailure(
            "\(field.subject) holds bytes that are no text in UTF-8; map another column, or let the connector write them "
                + "as text, by binary.handling.mode: base64 or hex")
    }

    /// - Parameter name: the name under which the field's value was kept.
    func at(_ path: RowPath, name: @autoclosure () -> String) throws(SourceFailure) -> Found {
        guard let column = row.column(path.column) else { return .absent }
        if UnavailableValue.stands(in: RowValue(row.document, column)) {
            let name = name()
            guard let kept = kept.first(where: { $0.name == name }) else { throw Self.storedApart(path) }
            return kept.json.isEmpty ? .absent : .kept(kept.json)
        }
        guard let value = row.find(path, in: column), value.kind != .null else { return .absent }
        let type = row.type(of: path)
        return try row.decimal(value, type, path).map { .decimal($0) } ?? .value(value, type)
    }

    /// Whether the row has the field's column, for a field whose value is absent.
    func isNull(_ field: PlannedField) -> Bool { field.path.map { row.column($0.column) != nil } ?? false }

    static func storedApart(_ path: RowPath) -> SourceFailure {
        SourceFailure(
            "the change holds no value of column '\(path.text)', which the database had stored apart and which did "
                + "not change; set REPLICA IDENTITY FULL for the table, and change the row again",
            isOfValueStoredApart: true)
    }

    /// A clause for people: why a field has no value, and the remedy.
    func absence(of field: FieldMapping) -> String {
        for path in field.paths {
            if let missing = row.missing(path) { return missing }
        }
        return "\(field.sourceText) is NULL; leave such rows out with where:, or give the field a default:"
    }

    func text(_ found: Found) -> ScalarText {
        switch found {
        case .absent, .kept: nil
        case .value(let value, _): value.scalar
        case .decimal(let text), .text(let text): text
        }
    }

    /// As the values of a mapping are compared with it.
    private func compared(_ found: Found) -> ComparedValue {
        switch found {
        case .absent, .kept: .null
        case .value(let value, _): ComparedValue(value)
        case .decimal(let text): .number(text)
        case .text(let text): .text(text)
        }
    }

    // MARK: - Ids

    /// The text of an id field; nil: NULL.
    func id(_ field: PlannedField) throws(SourceFailure) -> String? {
        switch field.mapping.source {
        case .constant(let text): return text
        case .path:
            let found = try find(field)
            if case .absent = found { return nil }
            return try id(found, field)
        case .joined(let paths, let separator):
            var parts: [String] = []
            for path in paths {
                let found = try at(path, name: field.name)
                guard let text = text(found) else { return field.mapping.standard }
                parts.append(field.kind == .id && isNumber(found) ? try integer(text, field) : text)
            }
            return parts.joined(separator: separator)
        }
    }

    /// The text of an id: a string as it is, an integer as its digits.
    func id(_ found: Found, _ field: PlannedField) throws(SourceFailure) -> String {
        if case .value(let value, _) = found, ![.string, .number].contains(value.kind) {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text(found) ?? "")), neither text nor number, and no id")
        }
        var id = text(found) ?? ""
        if isNumber(found) { id = try integer(id, field) }
        guard 1...200 ~= id.utf8.count else {
            throw SourceFailure(
                id.isEmpty
                    ? "\(field.subject) is empty, and an id has 1 to 200 bytes"
                    : "\(field.subject) is longer than the 200 bytes of an id: \(excerpt(id))")
        }
        return id
    }

    private func isNumber(_ found: Found) -> Bool {
        switch found {
        case .decimal: true
        case .value(let value, _): value.kind == .number
        case .absent, .text, .kept: false
        }
    }

    private func integer(_ text: String, _ field: PlannedField) throws(SourceFailure) -> String {
        guard let digits = DecimalText.integer(text) else {
            throw SourceFailure("\(field.subject) is \(excerpt(text)), which is no integer, and no id")
        }
        return digits
    }
}
