/// The format of a topic's records.
package enum SourceFormat: String, CaseIterable, Sendable {
    /// A record's value is a row as a JSON object; a null value deletes the row of the record's key.
    case json
    /// Debezium's change events as JSON, in their envelope or flattened to the row.
    case debezium
    /// Avro with its schema in a registry: rows, or Debezium's change events.
    case avro
    /// JSON after the id of its schema, which is not looked up: rows, or Debezium's change events.
    case jsonSchema = "json-schema"

    /// Whether records come in the frame of a schema registry's serializers.
    package var isFramed: Bool { self == .avro || self == .jsonSchema }
}

/// One entry under `sources:`: which rows of which topic become which contract records, and how.
package struct SourceMapping: Sendable, Equatable {
    /// The topic that is consumed.
    package var topic: String
    /// The same in all mappings of a topic.
    package var format: SourceFormat
    /// A row is this source's if all hold.
    package var conditions: [RowCondition] = []
    /// The input topic of the worker that the rows become records of.
    package var into: ContractTopic
    /// In the order of ``ContractField/all(of:)``.
    package var fields: [FieldMapping]
    /// Further columns for the record; by default none.
    package var carry: [CarriedColumn] = []
    /// The lines of the configuration, for sentences about the mapping.
    package var place: MappingPlace

    /// - Parameter fields: in the order of ``ContractField/all(of:)``.
    package init(
        topic: String, format: SourceFormat, conditions: [RowCondition] = [], into: ContractTopic,
        fields: [FieldMapping], carry: [CarriedColumn] = [], place: MappingPlace = MappingPlace(file: "", lines: [:])
    ) {
        self.topic = topic
        self.format = format
        self.conditions = conditions
        self.into = into
        self.fields = fields
        self.carry = carry
        self.place = place
    }

    /// The mapping of a contract field by its name, as in `author/displayName`; nil: it is not mapped.
    package func field(_ name: String) -> FieldMapping? { fields.first { $0.field.name == name } }

    /// A vote source whose rows name only the answer.
    package var findsQuestionByAnswer: Bool { into == .votes && field("questionId") == nil }

    /// Whether every row that meets another mapping's conditions meets this one's.
    func takesAllRows(of other: SourceMapping) -> Bool {
        conditions.allSatisfy { condition in
            other.conditions.contains {
                $0.path.steps == condition.path.steps && $0.allowed.isSubset(of: condition.allowed)
            }
        }
    }

    /// For people: `answers from forum.public.post`.
    package var name: String { "\(into.rawValue) from \(topic)" }
}

/// The place of a mapping in the configuration.
package struct MappingPlace: Sendable, Equatable {
    /// The configuration file, or the preset.
    package let file: String
    /// Lines by key: `topic`, `where kind`, `fields id`, `carry lang`.
    package let lines: [String: Int]
}

/// A place in a row: a column, or the target of a JSON Pointer (RFC 6901).
package struct RowPath: Sendable, Hashable {
    /// As the configuration has it.
    package let text: String
    /// The names on the way, unescaped, in UTF-8. One for a column.
    package let steps: [[UInt8]]

    /// - Returns: nil for an empty text, and for an invalid pointer: `~` stands only before 0 or 1.
    package init?(_ text: String) {
        self.text = text
        guard text.hasPrefix("/") else {
            guard !text.isEmpty else { return nil }
            steps = [Array(text.utf8)]
            return
        }
        var steps: [[UInt8]] = []
        for step in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            let rest = step.replacing("~0", with: "").replacing("~1", with: "")
            if rest.contains("~") { return nil }
            steps.append(Array(step.replacing("~1", with: "/").replacing("~0", with: "~").utf8))
        }
        self.steps = steps
    }

    /// The path's column, or the column in which the path begins.
    var column: [UInt8] { steps[0] }
}

/// A scalar as text, so that 42 and "42" are equal. nil: NULL, or no such column.
package typealias ScalarText = String?

/// A set of a column's values, or of all others.
package struct ValueSet: Sendable, Equatable {
    /// Compared by the column's type, so that 1, 1.0 and "1" may be equal.
    package var values: [ScalarText]
    /// Whether the set holds all values but these.
    package var isNegated: Bool

    /// - Parameter isNegated: whether the set holds all values but these.
    package init(values: [ScalarText], isNegated: Bool = false) {
        self.values = values
        self.isNegated = isNegated
    }

    func contains(_ value: ComparedValue) -> Bool { values.contains { value.equals($0) } != isNegated }

    /// For people, after the column's name: `must be 'a', 'b' or 'c'`.
    var phrase: String {
        var shown = values.prefix(5).map { $0.map(excerpt) ?? "NULL" }
        if values.count > 5 { shown.append("another of \(values.count) values") }
        let last = shown.popLast() ?? ""
        return (isNegated ? "must not be " : "must be ")
            + (shown.isEmpty ? last : shown.joined(separator: ", ") + " or " + last)
    }

    /// As far as the values are written alike.
    func isSubset(of other: ValueSet) -> Bool {
        switch (isNegated, other.isNegated) {
        case (false, false): values.allSatisfy { other.values.contains($0) }
        case (false, true): !values.contains { value in other.values.contains { Self.mayBeEqual(value, $0) } }
        case (true, true): other.values.allSatisfy { values.contains($0) }
        case (true, false): false
        }
    }

    /// Whether a column's type may make two texts the same value: 1 and 1.0, t and true.
    private static func mayBeEqual(_ a: String?, _ b: String?) -> Bool {
        guard let a, let b else { return a == b }
        if a == b || DecimalText.areEqual(a, b) { return true }
        return BooleanText.value(of: a).map { $0 == BooleanText.value(of: b) } ?? false
    }

    /// Whether NULL alone is named.
    var isOfNull: Bool { values.allSatisfy { $0 == nil } }
}

/// One line of `where:`.
package struct RowCondition: Sendable, Equatable {
    /// The column, or a place inside it.
    package var path: RowPath
    /// The values that fulfil the condition.
    package var allowed: ValueSet

    /// A condition that a row fulfils where the value at `path` is one of `allowed`.
    package init(path: RowPath, allowed: ValueSet) {
        self.path = path
        self.allowed = allowed
    }
}

/// The unit of a time that is an integer.
package enum TimeUnit: String, CaseIterable, Sendable {
    /// Not an integer: text in RFC 3339, also with a space for the T, or without an offset (taken as UTC).
    case rfc3339
    case seconds, millis, micros, nanos, days
}

/// One line of `fields:`.
package struct FieldMapping: Sendable, Equatable {
    /// The origin of the field's value.
    package enum Source: Sendable, Equatable {
        case path(RowPath)
        /// The values of several columns with a separator between them: a compound key.
        case joined([RowPath], separator: String)
        case constant(String)
    }

    /// The field of the contract record.
    package var field: ContractField
    /// The origin of its value.
    package var source: Source
    /// The form of a time; nil for other fields.
    package var unit: TimeUnit?
    /// Makes a boolean: whether the value is one of these.
    package var test: ValueSet?
    /// Values by those that they replace; any other value is refused.
    package var replacements: [String: String]?
    /// Characters that separate the parts of a list in text.
    package var separators: String?
    /// Replaces NULL and an empty text.
    package var standard: String?

    /// A mapping without conversions.
    package init(_ field: ContractField, _ source: Source) {
        self.field = field
        self.source = source
    }

    /// For people: the columns as the configuration has them.
    var sourceText: String {
        switch source {
        case .path(let path): "'\(path.text)'"
        case .joined(let paths, _): paths.map { "'\($0.text)'" }.joined(separator: ", ")
        case .constant(let text): "the constant '\(text)'"
        }
    }

    var paths: [RowPath] {
        switch source {
        case .path(let path): [path]
        case .joined(let paths, _): paths
        case .constant: []
        }
    }
}

/// One line of `carry:`.
package struct CarriedColumn: Sendable, Equatable {
    /// Its name in the contract record; `author/...` puts it into the author.
    package var name: String
    /// The column, or a place inside it.
    package var path: RowPath
}
