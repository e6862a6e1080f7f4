/// Why a record cannot be processed. The raw values are the words of the header `rejoinder.error.code`.
///
/// Where several apply to one record, the first in this order is the one that is told.
package enum RecordErrorCode: String, Sendable, CaseIterable {
    /// The value is not one JSON text (RFC 8259) in UTF-8 from its first byte to its last.
    case invalidJSON = "invalid-json"
    /// More than 512 arrays and objects are open at once somewhere in the value.
    case tooDeep = "too-deep"
    /// The value is JSON, but not a question, answer or vote.
    case schema
    /// The record's key is not the id of its question.
    case keyMismatch = "key-mismatch"
    /// The output record would be longer than allowed.
    case tooLarge = "too-large"
    /// The broker does not take the output record, whatever is tried.
    case refused
    /// A source's record that cannot be mapped to a question, answer or vote.
    case source
}

/// What is wrong with a record: a stable word for programs, a sentence for people.
package struct RecordError: Error, Sendable, Equatable {
    package let code: RecordErrorCode

    /// Field and reason. At most 300 bytes of UTF-8 when it comes from a `RecordReader`; quotes at most a short,
    /// printable piece of the record.
    package let message: String

    package init(code: RecordErrorCode, message: String) {
        self.code = code
        self.message = message
    }
}

extension RecordError: CustomStringConvertible {
    package var description: String { "\(code.rawValue): \(message)" }
}
