import Bytes

/// The ids that identify a contract record within its topic.
package struct RecordIdentity: Hashable, Sendable {
    /// Decides which of the ids there are.
    package var topic: ContractTopic
    /// nil: a vote whose row names only its answer.
    package var questionID: String?
    /// nil: a question's record.
    package var answerID: String?
    /// nil in a vote that was counted elsewhere.
    package var voterID: String?

    /// The smallest value that takes back a record of this identity; nil is a null value.
    func removal() -> [UInt8]? {
        var value = JSONWriter()
        switch topic {
        case .questions: return nil
        case .answers:
            value.begin()
            value.add("id", answerID ?? "")
            value.add("questionId", questionID ?? "")
            value.addJSON("withdrawn", "true")
        case .votes:
            value.begin()
            value.add("questionId", questionID ?? "")
            value.add("answerId", answerID ?? "")
            if let voterID {
                value.add("voterId", voterID)
                value.add("value", 0)
            } else {
                value.add("voteCount", 0)
            }
        }
        value.end()
        return value.array
    }
}

/// A field's value as it was written, to stand in where a later change leaves it out.
struct KeptField: Equatable {
    var name: String
    /// Empty: it was NULL.
    var json: [UInt8]

    /// The name by field and column: another mapping's value differs.
    static func name(_ field: String, _ path: RowPath) -> String { field + " " + path.text }
}

/// A row as a contract record, as a mapping says.
struct MappedRecord {
    var identity: RecordIdentity
    /// The record's value; that of a vote without a question lacks the id, which ``value(_:inQuestion:)`` adds.
    var value: [UInt8]
    /// It has a tally, `voteCount`.
    var isCounted = false
    /// The question is deleted: its record has a null value.
    var isDeletion = false
    /// Values that the database may leave out of a later change, as PostgreSQL does with those stored apart (TOAST).
    var kept: [KeptField] = []

    /// The value of a vote whose question was found by its answer.
    static func value(_ value: [UInt8], inQuestion id: String) -> [UInt8] {
        var whole = JSONWriter()
        whole.begin()
        whole.add("questionId", id)
        return whole.array + [UInt8(ascii: ",")] + value.dropFirst()
    }
}
