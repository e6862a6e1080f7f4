import Bytes

/// A JSON value as a tree, for showing differences: keeps member order, repeated names and the text of numbers.
indirect enum JSONNode: Equatable {
    struct Member: Equatable {
        var name: String
        var value: JSONNode
    }

    case object([Member])
    case array([JSONNode])
    case string(String)
    /// A number, `true`, `false`, `null`, or a string without a text, as written.
    case literal(String)

    /// Slightly more than the depth limit of records, so that every published record can be read.
    private static let deepest = 600

    /// - Returns: nil for bytes that are no JSON, or too deep: such values are compared as bytes.
    init?(_ json: [UInt8]) {
        guard let value = json.withUnsafeBytes({ JSONValue($0, deepest: Self.deepest) }) else { return nil }
        self.init(value)
    }

    private init(_ value: JSONValue) {
        switch value.kind {
        case .object:
            self = .object(value.members.map { Member(name: $0.name, value: JSONNode($0.value)) })
        case .array: self = .array((value.elements ?? []).map(JSONNode.init))
        // A lone surrogate is carried, so a string that has one is compared as written.
        case .string: self = value.text(loneSurrogates: .refused).map(JSONNode.string) ?? .literal(value.source)
        case .number, .boolean, .null: self = .literal(value.source)
        }
    }

    /// The first member of that name.
    subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var elements: [JSONNode]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Short JSON on one line, for people.
    var summary: String {
        switch self {
        case .object(let members): members.isEmpty ? "{}" : "{...}"
        case .array(let elements): elements.isEmpty ? "[]" : "[\(elements.count) elements]"
        case .string(let text): "\"\(Excerpt.text(text))\""
        case .literal(let text): Excerpt.text(text)
        }
    }
}
