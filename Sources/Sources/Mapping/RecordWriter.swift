import Bytes

/// Writes one record, field by field.
struct RecordWriter: ~Copyable {
    /// Progress of writing the record's `author`.
    enum Author { case toCome, open, written }

    let values: RowValues
    var value: JSONWriter
    var record: MappedRecord
    let keepsLongValues: Bool
    let keepsAll: Bool
    /// Databases do not store shorter values apart.
    private static let longValue = 100

    mutating func write(_ field: PlannedField, _ author: inout Author) throws(SourceFailure) {
        var found = try values.find(field)
        // A record without a tally would leave the tally as it was before the column became NULL.
        if case .absent = found, field.role == .tally, values.isNull(field) { found = .text("0") }
        if case .absent = found {
            guard field.isRequired else { return keep(field, from: nil) }
            throw SourceFailure("field '\(field.name)' has no value: \(values.absence(of: field.mapping))")
        }
        if field.kind == .deletion {
            guard mayKeep, let path = field.path, isKept(field.keptName, path) else { return }
            return record.kept.append(KeptField(name: field.keptName, json: Array("false".utf8)))
        }
        if field.isOfAuthor, author == .toCome { open(&author) }
        value.name(field.member)
        let start = value.count
        try write(found, field)
        if field.role == .tally { record.isCounted = true }
        keep(field, from: start)
    }

    /// Notes whether the record is a deletion, and its question's id.
    mutating func noteDeletion(_ deletion: PlannedField, _ fields: [PlannedField]) throws(SourceFailure) -> Bool {
        let found = try values.find(deletion)
        if case .absent = found { return false }
        record.isDeletion = try boolean(found, deletion)
        guard record.isDeletion else { return false }
        var author = Author.toCome
        for field in fields where field.name == "id" { try write(field, &author) }
        return true
    }

    mutating func open(_ author: inout Author) {
        value.name(Self.author)
        value.begin()
        author = .open
    }

    private static let author = JSONWriter.member("author")

    // MARK: - Kept values

    /// Whether any value of this row is kept: of most rows none is.
    private var mayKeep: Bool { keepsAll || keepsLongValues || !values.kept.isEmpty }

    /// Keeps the JSON written since `start`; nil: the value is NULL.
    private mutating func keep(_ field: PlannedField, from start: Int?) {
        guard mayKeep, let path = field.path else { return }
        keep(field.keptName, path, from: start)
    }

    private mutating func keep(_ name: String, _ path: RowPath, from start: Int?) {
        guard isKept(name, path) else { return }
        record.kept.append(KeptField(name: name, json: start.map { Array(value.bytes[$0...]) } ?? []))
    }

    /// A long column's values are kept even if short, since the next change may leave out the whole column. A value
    /// once kept stays kept, even if short now or NULL: a restarted connector repeats older changes.
    private func isKept(_ name: String, _ path: RowPath) -> Bool {
        keepsAll || keepsLongValues && values.row.length(ofColumn: path) >= Self.longValue
            || values.kept.contains { $0.name == name }
    }

    // MARK: - Contract values

    private mutating func write(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) {
        if case .kept(let json) = found { return value.raw(json) }
        switch field.kind {
        case .id: try writeID(found, field)
        case .string: try writeString(found, field)
        case .time: value.string(try time(found, field))
        case .boolean, .deletion: value.raw(json: try boolean(found, field) ? "true" : "false")
        case .number: try writeNumber(found, field)
        case .integer, .voteValue: value.raw(json: try integer(found, field))
        case .strings: try writeStrings(found, field)
        }
    }

    private mutating func writeID(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) {
        let text = try values.id(found, field)
        switch field.role {
        case .questionID: record.identity.questionID = text
        case .answerID: record.identity.answerID = text
        case .voterID: record.identity.voterID = text
        case .tally, .other: break
        }
        guard case .value(let place, _) = found else { return value.string(text) }
        switch place.kind {
        case .string: value.raw(place.text)
        case .number: value.raw(json: text)
        default: value.string(text)
        }
    }

    private mutating func writeString(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) {
        if case .value(let place, _) = found {
            switch place.kind {
            case .string: return value.raw(place.text)
            case .object, .array:
                throw SourceFailure("\(field.subject) is no text; name a place in it with a JSON Pointer")
            default: break
            }
        }
        value.string(values.text(found) ?? "")
    }

    private func time(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) -> String {
        var unit = field.mapping.unit
        var isNumber = false
        if case .value(let place, let type) = found {
            isNumber = place.kind == .number
            if case .time(let named)? = type { unit = named }
        }
        guard let text = values.text(found) else { throw SourceFailure("\(field.subject) is no time") }
        if !isNumber, unit == nil || unit == .rfc3339 || Int64(text) == nil && !DecimalText.isNumber(text) {
            guard let time = TimeText.rfc3339(text) else {
                let hint = unit == nil ? "; if it counts, say what with as:" : " of the years 0000 to 9999"
                throw SourceFailure("\(field.subject) is \(excerpt(text)), which is no time\(hint)")
            }
            return time
        }
        guard let unit, unit != .rfc3339 else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)): a number does not say what it counts; add as: seconds, millis, "
                    + "micros, nanos or days")
        }
        guard let time = TimeText.rfc3339(count: text, unit) else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)) \(unit.rawValue), which is no time of the years 0000 to 9999")
        }
        return time
    }

    private func boolean(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) -> Bool {
        switch found {
        case .kept(let json): return json.elementsEqual("true".utf8)
        case .value(let place, _) where place.kind == .boolean:
            return place.text.first == UInt8(ascii: "t")
        default: break
        }
        let text = values.text(found) ?? ""
        guard let value = BooleanText.value(of: text) else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)), neither true nor false; name the values that mean true with in:"
                    + DecimalText.hint(onBase64: text))
        }
        return value
    }

    private mutating func writeNumber(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) {
        let text = values.text(found) ?? ""
        guard DecimalText.isNumber(text) else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)), which is no number" + DecimalText.hint(onBase64: text))
        }
        value.raw(json: text)
    }

    private func integer(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) -> String {
        let text = values.text(found) ?? ""
        guard let integer = DecimalText.integer(text) else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)), which is no integer"
                    + (field.kind == .voteValue ? "; translate the values to -1, 0 or 1 with map:" : "")
                    + DecimalText.hint(onBase64: text))
        }
        if field.kind == .voteValue, !["-1", "0", "1"].contains(integer) {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(integer)), and a vote is -1, 0 or 1; translate the values with map:, or "
                    + "leave such rows out with where:")
        }
        return integer
    }

    private mutating func writeStrings(_ found: RowValues.Found, _ field: PlannedField) throws(SourceFailure) {
        if case .value(let place, let type) = found {
            if place.kind == .array { return try writeElements(of: place, field) }
            if type == .json || field.mapping.separators == nil, let text = place.string, text.hasPrefix("[") {
                guard let json = JSONTree.read(text) else {
                    throw SourceFailure("\(field.subject) begins as a JSON array and is none")
                }
                return try writeElements(of: RowValue(json.document, JSONDocument.root, owner: json), field)
            }
        }
        let text = values.text(found) ?? ""
        guard let separators = field.mapping.separators else {
            throw SourceFailure(
                "\(field.subject) is \(excerpt(text)), not a list; say what stands between its parts with split:"
            )
        }
        writeList(text.split { separators.contains($0) }.map(String.init))
    }

    private mutating func writeElements(of array: RowValue, _ field: PlannedField) throws(SourceFailure) {
        guard array.kind == .array else { throw SourceFailure("\(field.subject) is not a list") }
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
        guard isRight else { throw SourceFailure("\(field.subject) holds more than texts") }
        writeList(texts)
    }

    private mutating func writeList(_ texts: [String]) {
        value.raw("[")
        for (index, text) in texts.enumerated() {
            if index > 0 { value.raw(",") }
            value.string(text)
        }
        value.raw("]")
    }

    // MARK: - Carried columns

    mutating func carry(_ columns: [PlannedColumn]) throws(SourceFailure) {
        for column in columns { try carry(column) }
    }

    private mutating func carry(_ column: PlannedColumn) throws(SourceFailure) {
        let found = try values.at(column.path, name: column.keptName)
        if case .absent = found { return keepCarried(column, from: nil) }
        value.name(column.member)
        let start = value.count
        switch found {
        case .absent: break
        case .kept(let json): value.raw(json)
        case .decimal(let text), .text(let text): value.raw(json: text)
        case .value(let place, .time(let unit)?) where unit != .rfc3339:
            let text = String(decoding: place.text, as: UTF8.self)
            if let time = Int64(text).flatMap({ TimeText.rfc3339($0, unit) }) {
                value.string(time)
            } else {
                value.raw(place.text)
            }
        case .value(let place, .time?):
            if let time = place.string.flatMap({ TimeText.rfc3339($0) }) {
                value.string(time)
            } else {
                value.raw(place.text)
            }
        case .value(let place, .json?):
            if let text = place.string, JSONTree.read(text) != nil {
                value.raw(json: text)
            } else {
                value.raw(place.text)
            }
        case .value(let place, _): value.raw(place.text)
        }
        keepCarried(column, from: start)
    }

    private mutating func keepCarried(_ column: PlannedColumn, from start: Int?) {
        if mayKeep { keep(column.keptName, column.path, from: start) }
    }

    /// Keeps the long values of a row that becomes no record of this mapping.
    mutating func keepLongValues(_ fields: [PlannedField], _ columns: [PlannedColumn]) {
        value.begin()
        for field in fields where field.kind != .id {
            guard field.path != nil, let found = try? values.find(field) else { continue }
            if case .absent = found {
                keep(field, from: nil)
                continue
            }
            value.name(field.member)
            let start = value.count
            // A value that cannot be written is reported when the row becomes a record.
            guard (try? write(found, field)) != nil else { continue }
            keep(field, from: start)
        }
        for column in columns { try? carry(column) }
    }
}
