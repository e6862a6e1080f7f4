/// Why a record cannot be processed. The raw values are those of the header `rejoinder.error.code`.
///
/// When several apply to one record, the first in this order is reported.
package enum RecordErrorCode: String, Sendable, CaseIterable {
    /// The value is not one JSON text (RFC 8259) in UTF-8 from its first byte to its last.
    case invalidJSON = "invalid-json"
    /// More than 512 nested arrays and objects are open at some point in the value.
    case tooDeep = "too-deep"
    /// The value is JSON, but not a question, answer or vote.
    case schema
    /// The record's key is not the id of its question.
    case keyMismatch = "key-mismatch"
    /// The output record would be longer than allowed.
    case tooLarge = "too-large"
    /// The broker refuses the output record permanently.
    case refused
    /// A source's record that cannot be mapped to a question, answer or vote.
    case source
}

/// A record's error: a stable code for programs, a sentence for people.
package struct RecordError: Error, Sendable, Equatable {
    /// The first that applies, in the order of ``RecordErrorCode``.
    package let code: RecordErrorCode

    /// Field and reason. From a `RecordReader`, at most 300 bytes of UTF-8, quoting at most a short, printable piece of
    /// the record.
    package let message: String

    /// - Parameter message: field and reason, without a full stop.
    package init(code: RecordErrorCode, message: String) {
        self.code = code
        self.message = message
    }
}

extension RecordError: CustomStringConvertible {
    /// Code and message, for logs and people.
    package var description: String { "\(code.rawValue): \(message)" }
}
