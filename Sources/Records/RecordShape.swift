/// The type of a contract field.
enum FieldType: UInt8 {
    /// A string of 1 to 200 bytes when unescaped, or an integer of at most 200 bytes, written as digits with or without
    /// a minus; that text is the id.
    case id
    case string
    case nonEmptyString
    /// A string that is an RFC 3339 date-time.
    case time
    case boolean
    case number
    /// An integer of any size.
    case integer
    /// -1, 0 or 1.
    case voteValue
    /// An integer within 2^53 of zero.
    case voteCount
    case arrayOfStrings
    /// An object whose contract fields are the shape's `authorFields`.
    case author
}

/// The records of its kind in which a field belongs to the contract.
enum FieldPresence: UInt8 {
    case required
    case optional
    /// Required in a cast vote; treated as unknown in a counted one.
    case requiredInCast
    /// Required in a counted vote; treated as unknown in a cast one.
    case requiredInCounted
    /// Optional in a cast vote; treated as unknown in a counted one.
    case optionalInCast
    /// Optional in a counted vote; treated as unknown in a cast one.
    case optionalInCounted
}

/// The values of a record that are returned to the caller.
enum FieldSlot: Int {
    case questionID, answerID, voterID, answeredAt, withdrawn, value, voteCount

    static let count = 7
}

/// A field named by the contract.
struct Field {
    let name: StaticString
    let type: FieldType
    let presence: FieldPresence
    let slot: FieldSlot?

    init(_ name: StaticString, _ type: FieldType, _ presence: FieldPresence = .optional, as slot: FieldSlot? = nil) {
        self.name = name
        self.type = type
        self.presence = presence
        self.slot = slot
    }
}

/// The three kinds of record that the worker reads. The raw values appear in error messages.
enum RecordKind: String {
    case question, answer, vote

    var shape: RecordShape {
        switch self {
        case .question: .question
        case .answer: .answer
        case .vote: .vote
        }
    }
}

/// The contract for one kind of record. Unknown fields are allowed and only checked to be valid JSON.
struct RecordShape {
    let fields: [Field]
    let authorFields: [Field]

    static let question = RecordShape(
        fields: [
            Field("id", .id, .required, as: .questionID),
            Field("title", .nonEmptyString, .required),
            Field("body", .string),
            Field("author", .author),
            Field("tags", .arrayOfStrings),
            Field("askedAt", .time),
        ],
        authorFields: [
            Field("id", .id),
            Field("displayName", .string),
        ])

    static let answer = RecordShape(
        fields: [
            Field("id", .id, .required, as: .answerID),
            Field("questionId", .id, .required, as: .questionID),
            Field("title", .string),
            Field("body", .string),
            Field("author", .author),
            Field("answeredAt", .time, as: .answeredAt),
            Field("withdrawn", .boolean, as: .withdrawn),
            Field("voteCount", .voteCount, as: .voteCount),
        ],
        authorFields: [
            Field("id", .id),
            Field("displayName", .string),
            Field("profession", .string),
            Field("specialty", .string),
            Field("location", .string),
            Field("rating", .number),
            Field("reviewCount", .integer),
        ])

    /// A vote is *cast* by a voter or *counted* elsewhere: it has `value` or `voteCount`, never both.
    static let vote = RecordShape(
        fields: [
            Field("questionId", .id, .required, as: .questionID),
            Field("answerId", .id, .required, as: .answerID),
            Field("voterId", .id, .requiredInCast, as: .voterID),
            Field("value", .voteValue, .requiredInCast, as: .value),
            Field("castAt", .time, .optionalInCast),
            Field("voteCount", .voteCount, .requiredInCounted, as: .voteCount),
            Field("countedAt", .time, .optionalInCounted),
        ],
        authorFields: [])
}
