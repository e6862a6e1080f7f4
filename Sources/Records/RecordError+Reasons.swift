import Bytes

// The error messages. Built only for records that failed, so they may allocate.

extension RecordError {
    static func emptyValue(_ kind: RecordKind) -> RecordError {
        RecordError(
            code: .invalidJSON,
            message:
                "the value of this \(kind.rawValue) record is empty: expected a JSON object (a deletion has a null "
                + "value)"
        )
    }

    init(_ error: JSONSyntaxError, in value: Bytes, _ kind: RecordKind) {
        let offset = Int(error.address - UInt(bitPattern: value.baseAddress))
        let found = JSONSyntaxError.found(at: offset, in: value)
        self.init(
            code: .invalidJSON,
            message:
                "the \(kind.rawValue) is not valid JSON: at byte \(offset) expected \(error.expected.phrase), \(found)")
    }

    static func tooDeep(_ kind: RecordKind) -> RecordError {
        RecordError(
            code: .tooDeep,
            message:
                "the \(kind.rawValue) opens more than \(NestingStack.deepestAllowed) arrays and objects inside one "
                + "another"
        )
    }

    static func notAnObject(_ value: Bytes, _ kind: RecordKind) -> RecordError {
        let first = value.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? ASCII.space
        return RecordError(
            code: .schema, message: "the \(kind.rawValue) must be a JSON object, not \(typeName(of: first))")
    }

    static func neitherCastNorCounted(hasBoth: Bool) -> RecordError {
        RecordError(
            code: .schema,
            message: hasBoth
                ? "vote has both 'value' and 'voteCount': it must be either cast or counted"
                : "vote has neither 'value' (a cast vote) nor 'voteCount' (a counted one)")
    }

    static func missing(_ table: FieldTable, _ index: Int) -> RecordError {
        RecordError(code: .schema, message: "\(table.kind.rawValue) lacks the field '\(table.field(index).name)'")
    }

    static func repeated(_ table: FieldTable, _ index: Int) -> RecordError {
        RecordError(
            code: .schema,
            message: "\(subject(table, index)) stands more than once in one object, so it is not clear which counts")
    }

    static func wrong(
        _ table: FieldTable, _ index: Int, at start: Position, _ scanner: JSONScanner
    ) -> RecordError {
        // The walk has read the whole document without a syntax error, so this value has an end.
        let end = (try? scanner.skipValue(start, depth: 0)) ?? start
        let reason = reason(table.field(index).type, from: start, to: end)
        return RecordError(code: .schema, message: "\(subject(table, index)) \(reason)")
    }

    static func keyMismatch(_ table: FieldTable, id: Bytes, key: Bytes?) -> RecordError {
        // Every kind has the question's id as a field, so the search succeeds.
        let index = table.kind.shape.fields.firstIndex { $0.slot == .questionID } ?? 0
        let has =
            switch key {
            case nil: "but the record has no key"
            case .some(let key) where key.isEmpty: "but the record's key is empty"
            case .some(let key): "but the record's key is \(Excerpt(key))"
            }
        return RecordError(
            code: .keyMismatch, message: "\(subject(table, index)) is \(Excerpt(id)), \(has): they must be the same")
    }

    static func keylessTombstone(isNull: Bool) -> RecordError {
        RecordError(
            code: .keyMismatch,
            message:
                "the value is null and the key \(isNull ? "too" : "empty"), so it is not said which question is meant")
    }

    private static func subject(_ table: FieldTable, _ index: Int) -> String {
        "\(table.kind.rawValue) field '\(index < table.rootCount ? "" : "author.")\(table.field(index).name)'"
    }

    private static func reason(_ type: FieldType, from start: Position, to end: Position) -> String {
        let found = typeName(of: start.pointee)
        let text = Excerpt(Bytes(from: start, to: end))
        let isString = start.pointee == ASCII.quote
        let isNumber = start.pointee == ASCII.minus || ASCII.isDigit(start.pointee)
        let content = isString ? Bytes(from: start + 1, to: end - 1) : Bytes(from: start, to: end)
        return switch type {
        case .id where isString && content.isEmpty: "is empty: an id has 1 to 200 bytes"
        case .id where isString && JSONText.holdsLoneSurrogate(from: start + 1, to: end - 1):
            "holds half of a surrogate pair, which is no text: \(Excerpt(content))"
        case .id where isNumber && end - start > Scratch.longestID:
            "is longer than the 200 bytes that an id may have: \(text)"
        case .id where isNumber: "must be a string or an integer written with digits alone, not \(text)"
        case .id where isString: "is longer than the 200 bytes that an id may have: \(Excerpt(content))"
        case .id: "must be a string of 1 to 200 bytes or an integer, not \(found)"
        case .nonEmptyString where isString: "is empty: expected some text"
        case .string, .nonEmptyString: "must be a string, not \(found)"
        case .time where isString: "is not an RFC 3339 time such as 2024-05-01T09:30:00Z: \(Excerpt(content))"
        case .time: "must be a string with an RFC 3339 time, not \(found)"
        case .boolean: "must be true or false, not \(found)"
        case .number: "must be a number, not \(found)"
        case .integer where isNumber: "must be an integer, not \(text)"
        case .integer: "must be an integer, not \(found)"
        case .voteValue where isNumber: "must be -1, 0 or 1, not \(text)"
        case .voteValue: "must be -1, 0 or 1, not \(found)"
        case .voteCount where isNumber: "must be an integer from -9007199254740992 to 9007199254740992, not \(text)"
        case .voteCount: "must be an integer, not \(found)"
        case .arrayOfStrings where start.pointee == ASCII.openBracket: "must hold nothing but strings"
        case .arrayOfStrings: "must be an array of strings, not \(found)"
        case .author: "must be an object, not \(found)"
        }
    }

    /// The type of the value that begins with `byte`, in valid JSON.
    private static func typeName(of byte: UInt8) -> String {
        switch byte {
        case ASCII.quote: "a string"
        case ASCII.openBrace: "an object"
        case ASCII.openBracket: "an array"
        case ASCII.letter("t"), ASCII.letter("f"): "a boolean"
        case ASCII.letter("n"): "null"
        default: "a number"
        }
    }
}
