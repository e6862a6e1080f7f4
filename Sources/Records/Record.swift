import Bytes

/// A record of the questions topic. `RecordReader` defines how long the ids are valid.
package enum QuestionRecord {
    /// The question was asked or edited.
    case question(id: Bytes)
    /// The value is null.
    case deleted(id: Bytes)
}

/// A record of the answers topic.
package enum AnswerRecord {
    /// The answer was written or edited. `answeredAt` and `voteCount` are nil when the record has no such field;
    /// `voteCount` is a tally that counts as a *counted* vote record for the answer.
    case answer(questionID: Bytes, answerID: Bytes, answeredAt: Instant?, voteCount: Int64? = nil)
    /// The answer is hidden until a later record shows it again. `voteCount` as above; its votes are kept.
    case withdrawn(questionID: Bytes, answerID: Bytes, voteCount: Int64? = nil)
    /// The value is null: forget every answer of the question.
    case forgetAll(questionID: Bytes)
}

/// A record of the votes topic.
package enum VoteRecord {
    /// A voter's vote: -1, 1, or 0 when it is retracted.
    case cast(questionID: Bytes, answerID: Bytes, voterID: Bytes, value: Int8)
    /// A tally that was counted elsewhere, -2^53 to 2^53.
    case counted(questionID: Bytes, answerID: Bytes, voteCount: Int64)
    /// The value is null: forget every vote of the question.
    case forgetAll(questionID: Bytes)
}
