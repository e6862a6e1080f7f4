/// What a contract field must hold.
enum FieldType: UInt8 {
    /// A string of 1 to 200 bytes once it is unescaped, or an integer written with 1 to 200 digits, whose digits (and
    /// minus) are the id.
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
    /// An object in which the shape's `authorFields` are the contract's.
    case author
}

/// In which records of its kind a field belongs to the contract.
enum FieldPresence: UInt8 {
    case required
    case optional
    /// Required in a cast vote; in a counted one it is a field like any unknown one.
    case requiredInCast
    /// Required in a counted vote; in a cast one it is a field like any unknown one.
    case requiredInCounted
    /// Optional in a cast vote; in a counted one it is a field like any unknown one.
    case optionalInCast
    /// Optional in a counted vote; in a cast one it is a field like any unknown one.
    case optionalInCounted
}

/// Which value of a record is handed on to the caller.
enum FieldSlot: Int {
    case questionID, answerID, voterID, answeredAt, withdrawn, value, voteCount

    static let count = 7
}

/// One field that the contract names.
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

/// The three kinds of record that the worker reads. The raw values stand in error messages.
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

/// What the contract says of one kind of record. Every field that is not named here is welcome and not looked into,
/// beyond its being JSON.
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
