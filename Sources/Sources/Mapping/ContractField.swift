/// The three topics that sources publish into. The raw values are the words of `into:`.
package enum ContractTopic: String, CaseIterable, Sendable {
    case questions, answers, votes

    /// A record of it, for sentences.
    var noun: String {
        switch self {
        case .questions: "question"
        case .answers: "answer"
        case .votes: "vote"
        }
    }
}

/// A field of a contract record that a mapping can fill.
package struct ContractField: Sendable, Equatable {
    /// The type that the contract requires.
    package enum Kind: Sendable, Equatable {
        case id, string, time, boolean, number, integer
        /// -1, 0 or 1.
        case voteValue
        case strings
        /// Not a field of the record: true makes the record a question's deletion.
        case deletion
    }

    /// As in the configuration: `title`, `author/displayName`.
    package let name: String
    /// Decides how a column's value is converted.
    package let kind: Kind
    /// Whether the contract requires it of a record.
    package let isRequired: Bool
    /// Whether it stands in the record's `author`.
    let isOfAuthor: Bool
    /// Its name within its object.
    let lastName: String

    static let authorPrefix = "author/"

    /// Whether it identifies the record, or one that it belongs to.
    var isIdentity: Bool { kind == .id && !isOfAuthor }

    init(name: String, kind: Kind, isRequired: Bool = false) {
        self.name = name
        self.kind = kind
        self.isRequired = isRequired
        isOfAuthor = name.hasPrefix(Self.authorPrefix)
        lastName = isOfAuthor ? String(name.dropFirst(Self.authorPrefix.count)) : name
    }

    private static let professional = [
        ContractField(name: "author/id", kind: .id),
        ContractField(name: "author/displayName", kind: .string),
        ContractField(name: "author/profession", kind: .string),
        ContractField(name: "author/specialty", kind: .string),
        ContractField(name: "author/location", kind: .string),
        ContractField(name: "author/rating", kind: .number),
        ContractField(name: "author/reviewCount", kind: .integer),
    ]

    /// The fields of a topic's records, in the order in which they are written: those of the author side by side.
    package static func all(of topic: ContractTopic) -> [ContractField] {
        switch topic {
        case .questions:
            [
                ContractField(name: "id", kind: .id, isRequired: true),
                ContractField(name: "title", kind: .string, isRequired: true),
                ContractField(name: "body", kind: .string),
            ] + professional.prefix(2) + [
                ContractField(name: "tags", kind: .strings),
                ContractField(name: "askedAt", kind: .time),
                ContractField(name: "deleted", kind: .deletion),
            ]
        case .answers:
            [
                ContractField(name: "id", kind: .id, isRequired: true),
                ContractField(name: "questionId", kind: .id, isRequired: true),
                ContractField(name: "title", kind: .string),
                ContractField(name: "body", kind: .string),
            ] + professional + [
                ContractField(name: "answeredAt", kind: .time),
                ContractField(name: "withdrawn", kind: .boolean),
                ContractField(name: "voteCount", kind: .integer),
            ]
        case .votes:
            [
                // Looked up by the answer where the row does not name it.
                ContractField(name: "questionId", kind: .id),
                ContractField(name: "answerId", kind: .id, isRequired: true),
                ContractField(name: "voterId", kind: .id),
                ContractField(name: "value", kind: .voteValue),
                ContractField(name: "castAt", kind: .time),
                ContractField(name: "voteCount", kind: .integer),
                ContractField(name: "countedAt", kind: .time),
            ]
        }
    }
}
