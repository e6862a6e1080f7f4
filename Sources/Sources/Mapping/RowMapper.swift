import Records

/// Maps rows to contract records. Used by one thread.
struct RowMapper {
    let mapping: SourceMapping
    /// Those of `carry` that stand in the author, and those that stand beside it.
    private let carriedInAuthor: [CarriedColumn]
    private let carried: [CarriedColumn]

    /// PostgreSQL stores values apart once a row is longer than some 2,000 bytes; its JSON is longer than the row.
    private static let longRow = 1_900

    init(_ mapping: SourceMapping) {
        self.mapping = mapping
        carriedInAuthor = mapping.carry.filter { $0.name.hasPrefix(ContractField.authorPrefix) }
        carried = mapping.carry.filter { !$0.name.hasPrefix(ContractField.authorPrefix) }
    }

    /// - Parameters:
    ///   - kept: values of the row's last record, in place of those that this change leaves out.
    ///   - keepsAll: the row was deleted with long values and has come again: repeated older changes may follow.
    func map(_ row: Row, kept: [KeptField] = [], keepsAll: Bool = false) throws(SourceFailure) -> MappedRecord {
        let length = row.document[row.node].end - row.document[row.node].start
        var writing = Writing(
            values: RowValues(row: row, kept: kept), value: JSONWriter(capacity: length + 256),
            record: MappedRecord(identity: RecordIdentity(topic: mapping.into), value: []),
            keepsLongValues: isLong(row), keepsAll: keepsAll)
        writing.value.begin()
        if try writing.noteDeletion(mapping) {
            // Of a deleted question only the id is published, so other values that cannot be written do not matter.
            writing.record.kept = longValues(row, kept: kept)
            return writing.record
        }
        var author = Author.toCome
        for field in mapping.fields {
            if author == .open, !field.field.isOfAuthor { try close(&author, &writing) }
            try writing.write(field, &author)
        }
        if author == .toCome, !carriedInAuthor.isEmpty { writing.open(&author) }
        if author == .open { try close(&author, &writing) }
        try writing.carry(carried)
        writing.value.end()
        writing.record.value = writing.value.bytes
        return writing.record
    }

    /// The row's long values as this mapping writes them, for a row that may become this mapping's later: the change
    /// that does so may leave them out.
    func longValues(_ row: Row, kept: [KeptField]) -> [KeptField] {
        guard isLong(row) || !kept.isEmpty else { return [] }
        var writing = Writing(
            values: RowValues(row: row, kept: kept), value: JSONWriter(),
            record: MappedRecord(identity: RecordIdentity(topic: mapping.into), value: []),
            keepsLongValues: isLong(row), keepsAll: false)
        writing.keepLongValues(mapping)
        return writing.record.kept
    }

    private func isLong(_ row: Row) -> Bool {
        mapping.format != .json && row.document[row.node].end - row.document[row.node].start > Self.longRow
    }

    private func close(_ author: inout Author, _ writing: inout Writing) throws(SourceFailure) {
        try writing.carry(carriedInAuthor)
        writing.value.end()
        author = .written
    }

    /// The columns that identify a row's record.
    var identifyingPaths: [RowPath] {
        mapping.conditions.map(\.path)
            + mapping.fields.filter { $0.field.kind == .id && !$0.field.isOfAuthor }.flatMap(\.paths)
    }

    /// The identity alone, of a row that may have only its key's columns.
    /// - Returns: nil when a field that the identity needs is missing.
    func identity(_ row: Row) -> RecordIdentity? {
        var identity = RecordIdentity(topic: mapping.into)
        func text(_ name: String) -> String? {
            guard let field = mapping.field(name) else { return nil }
            return try? RowValues(row: row, kept: []).id(field)
        }
        switch mapping.into {
        case .questions:
            identity.questionID = text("id")
            return identity.questionID == nil ? nil : identity
        case .answers:
            (identity.answerID, identity.questionID) = (text("id"), text("questionId"))
            return identity.answerID == nil || identity.questionID == nil ? nil : identity
        case .votes:
            (identity.questionID, identity.answerID, identity.voterID) =
                (text("questionId"), text("answerId"), text("voterId"))
            guard identity.answerID != nil else { return nil }
            if identity.questionID == nil, mapping.field("questionId") != nil { return nil }
            return identity.voterID == nil && mapping.field("voterId") != nil ? nil : identity
        }
    }
}

/// Progress of writing a record's `author`.
private enum Author { case toCome, open, written }

/// One record while it is written.
private struct Writing {
    let values: RowValues
    var value: JSONWriter
    var record: MappedRecord
    let keepsLongValues: Bool
    let keepsAll: Bool
    /// Databases do not store shorter values apart.
    private static let longValue = 100

    mutating func write(_ field: FieldMapping, _ author: inout Author) throws(SourceFailure) {
        let found = try values.find(field)
        if case .absent = found {
            guard field.field.isRequired else { return keep(field, found, []) }
            throw SourceFailure("field '\(field.field.name)' has no value: \(values.absence(of: field))")
        }
        if field.field.kind == .deletion { return keep(field, found, "false".utf8) }
        if field.field.isOfAuthor, author == .toCome { open(&author) }
        value.name(field.field.lastName)
        let start = value.bytes.count
        try write(found, field)
        keep(field, found, value.bytes[start...])
    }

    /// Notes whether the record is a deletion, and its question's id.
    mutating func noteDeletion(_ mapping: SourceMapping) throws(SourceFailure) -> Bool {
        for field in mapping.fields where field.field.kind == .deletion {
            let found = try values.find(field)
            if case .absent = found { continue }
            record.isDeletion = try boolean(found, field)
        }
        guard record.isDeletion else { return false }
        var author = Author.toCome
        for field in mapping.fields where field.field.name == "id" { try write(field, &author) }
        return true
    }

    mutating func open(_ author: inout Author) {
        value.name("author")
        value.begin()
        author = .open
    }

    private mutating func keep(_ field: FieldMapping, _ found: RowValues.Found, _ json: some Sequence<UInt8>) {
        guard case .path(let path) = field.source else { return }
        keep(KeptField.name(field.field.name, path), path, found, json)
    }

    private mutating func keep(
        _ name: String, _ path: RowPath, _ found: RowValues.Found, _ json: some Sequence<UInt8>
    ) {
        // A long column's values are kept even if short, since the next change may leave out the whole column. A value
        // once kept stays kept, even if short now or NULL: a restarted connector repeats older changes.
        let isKept =
            keepsAll || keepsLongValues && values.row.length(ofColumn: path) >= Self.longValue
            || values.kept.contains { $0.name == name }
        guard isKept else { return }
        record.kept.append(KeptField(name: name, json: Array(json)))
    }

    // MARK: - Contract values

    private mutating func write(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) {
        if case .kept(let json) = found { return value.raw(json) }
        switch field.field.kind {
        case .id: try writeID(found, field)
        case .string: try writeString(found, field)
        case .time: value.string(try time(found, field))
        case .boolean, .deletion: value.raw((try boolean(found, field) ? "true" : "false").utf8)
        case .number: try writeNumber(found, field)
        case .integer, .voteValue: value.raw(try integer(found, field).utf8)
        case .strings: try writeStrings(found, field)
        }
    }

    private mutating func writeID(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) {
        let text = try values.id(found, field)
        switch field.field.name {
        case "id" where record.identity.topic == .questions: record.identity.questionID = text
        case "id": record.identity.answerID = text
        case "questionId": record.identity.questionID = text
        case "answerId": record.identity.answerID = text
        case "voterId": record.identity.voterID = text
        default: break
        }
        guard case .value(let place, _) = found else { return value.string(text) }
        switch place.kind {
        case .string: value.raw(place.text)
        case .number: value.raw(text.utf8)
        default: value.string(text)
        }
    }

    private mutating func writeString(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) {
        if case .value(let place, _) = found {
            switch place.kind {
            case .string: return value.raw(place.text)
            case .object, .array:
                throw SourceFailure("\(RowValues.subject(field)) is no text; name a place in it with a JSON Pointer")
            default: break
            }
        }
        value.string(values.text(found) ?? "")
    }

    private func time(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) -> String {
        var unit = field.unit
        var isNumber = false
        if case .value(let place, let type) = found {
            isNumber = place.kind == .number
            if case .time(let named)? = type { unit = named }
        }
        guard let text = values.text(found) else { throw SourceFailure("\(RowValues.subject(field)) is no time") }
        if !isNumber, unit == nil || unit == .rfc3339 || Int64(text) == nil {
            guard let time = TimeText.rfc3339(text) else {
                throw SourceFailure(
                    "\(RowValues.subject(field)) is \(excerpt(text)), which is no time; if it counts, say what with as:"
                )
            }
            return time
        }
        guard let unit, unit != .rfc3339 else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(text)): a number does not say what it counts; add as: seconds, millis, micros, "
                    + "nanos or days")
        }
        guard let count = DecimalText.integer(text).flatMap({ Int64($0) }), let time = TimeText.rfc3339(count, unit)
        else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(text)) \(unit.rawValue), which is beyond the years 0000 to 9999"
            )
        }
        return time
    }

    private func boolean(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) -> Bool {
        if case .kept(let json) = found { return json.elementsEqual("true".utf8) }
        let text = values.text(found) ?? ""
        guard let value = BooleanText.value(of: text) else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(text)), neither true nor false; name the values that mean true with in:"
            )
        }
        return value
    }

    private mutating func writeNumber(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) {
        guard let text = values.text(found), DecimalText.isNumber(text) else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(values.text(found) ?? "")), which is no number")
        }
        value.raw(text.utf8)
    }

    private func integer(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) -> String {
        guard let text = values.text(found), let integer = DecimalText.integer(text) else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(values.text(found) ?? "")), which is no integer")
        }
        if field.field.kind == .voteValue, !["-1", "0", "1"].contains(integer) {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(integer)), and a vote is -1, 0 or 1; translate the values with map:, or leave "
                    + "such rows out with where:")
        }
        return integer
    }

    private mutating func writeStrings(_ found: RowValues.Found, _ field: FieldMapping) throws(SourceFailure) {
        if case .value(let place, let type) = found {
            if place.kind == .array { return try writeElements(of: place, field) }
            if type == .json || field.separators == nil, let text = place.string, text.hasPrefix("[") {
                guard let json = EmbeddedJSON(text) else {
                    throw SourceFailure("\(RowValues.subject(field)) begins as a JSON array and is none")
                }
                return try writeElements(of: RowValue(json.document, JSONDocument.root, owner: json), field)
            }
        }
        let text = values.text(found) ?? ""
        guard let separators = field.separators else {
            throw SourceFailure(
                "\(RowValues.subject(field)) is \(excerpt(text)), not a list; say what stands between its parts with split:"
            )
        }
        writeList(text.split { separators.contains($0) }.map(String.init))
    }

    private mutating func writeElements(of array: RowValue, _ field: FieldMapping) throws(SourceFailure) {
        guard array.kind == .array else { throw SourceFailure("\(RowValues.subject(field)) is not a list") }
        let document = array.document
        var texts: [String] = []
        var isRight = true
        document.forEachChild(of: array.index) { element in
            switch document[element].kind {
            case .string: texts.append(document.string(of: element) ?? "\u{FFFD}")
            case .number, .boolean: texts.append(String(decoding: document.text(of: element), as: UTF8.self))
            case .null: break
            default: isRight = false
            }
        }
        guard isRight else { throw SourceFailure("\(RowValues.subject(field)) holds more than texts") }
        writeList(texts)
    }

    private mutating func writeList(_ texts: [String]) {
        value.raw([UInt8(ascii: "[")])
        for (index, text) in texts.enumerated() {
            if index > 0 { value.raw([UInt8(ascii: ",")]) }
            value.string(text)
        }
        value.raw([UInt8(ascii: "]")])
    }

    // MARK: - Carried columns

    mutating func carry(_ columns: [CarriedColumn]) throws(SourceFailure) {
        for column in columns { try carry(column) }
    }

    private mutating func carry(_ column: CarriedColumn) throws(SourceFailure) {
        let keptName = KeptField.name("carry " + column.name, column.path)
        let found = try values.at(column.path, name: keptName)
        if case .absent = found { return keep(keptName, column.path, found, []) }
        value.name(
            column.name.hasPrefix(ContractField.authorPrefix)
                ? String(column.name.dropFirst(ContractField.authorPrefix.count)) : column.name)
        let start = value.bytes.count
        switch found {
        case .absent: break
        case .kept(let json): value.raw(json)
        case .decimal(let text), .text(let text): value.raw(text.utf8)
        case .value(let place, .time(let unit)?) where unit != .rfc3339:
            let text = String(decoding: place.text, as: UTF8.self)
            if let time = Int64(text).flatMap({ TimeText.rfc3339($0, unit) }) {
                value.string(time)
            } else {
                value.raw(place.text)
            }
        case .value(let place, .json?):
            if let text = place.string, EmbeddedJSON(text) != nil {
                value.raw(text.utf8)
            } else {
                value.raw(place.text)
            }
        case .value(let place, _): value.raw(place.text)
        }
        keep(keptName, column.path, found, value.bytes[start...])
    }

    /// Keeps the long values of a row that becomes no record of this mapping.
    mutating func keepLongValues(_ mapping: SourceMapping) {
        value.begin()
        for field in mapping.fields where field.field.kind != .id {
            guard case .path = field.source, let found = try? values.find(field) else { continue }
            if case .absent = found {
                keep(field, found, [])
                continue
            }
            value.name(field.field.name)
            let start = value.bytes.count
            // A value that cannot be written is reported when the row becomes a record.
            guard (try? write(found, field)) != nil else { continue }
            keep(field, found, value.bytes[start...])
        }
        for column in mapping.carry { try? carry(column) }
    }
}
