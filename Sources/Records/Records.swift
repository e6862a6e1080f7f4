package typealias Bytes = UnsafeRawBufferPointer

package struct Instant: Comparable, Hashable, Sendable {
    package var seconds: Int64
    package var attoseconds: UInt64
    package init(seconds: Int64, attoseconds: UInt64) {
        self.seconds = seconds
        self.attoseconds = attoseconds
    }
    package static func < (left: Instant, right: Instant) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.attoseconds < right.attoseconds
    }
}

package enum RecordErrorCode: String, Sendable, CaseIterable {
    case invalidJSON = "invalid-json"
    case tooDeep = "too-deep"
    case schema
    case keyMismatch = "key-mismatch"
    case tooLarge = "too-large"
}

package struct RecordError: Error, Sendable, Equatable {
    package let code: RecordErrorCode
    package let message: String
    package init(code: RecordErrorCode, message: String) {
        self.code = code
        self.message = message
    }
}

package enum AnswerRecord {
    case answer(questionID: Bytes, answerID: Bytes, answeredAt: Instant?)
    case withdrawn(questionID: Bytes, answerID: Bytes)
    case forgetAll(questionID: Bytes)
}

package enum VoteRecord {
    case cast(questionID: Bytes, answerID: Bytes, voterID: Bytes, value: Int8)
    case counted(questionID: Bytes, answerID: Bytes, voteCount: Int64)
    case forgetAll(questionID: Bytes)
}
