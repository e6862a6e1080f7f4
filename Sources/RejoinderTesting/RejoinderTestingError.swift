internal import AnswerStore
internal import Recording

/// A failure of a ``RejoinderTester``: a kind for programs, a sentence for people.
///
/// A record that cannot be processed is no error: it goes to ``RejoinderTester/deadLetters``, as in a worker.
public struct RejoinderTestingError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The part of the test site that failed.
    public enum Kind: Sendable, Hashable {
        /// A state directory: the one to start from is missing, in use or damaged, or no temporary one can be made.
        case state
        /// A recording: it cannot be read, or a line of it is not a record.
        case recording
        /// The temporary store: mostly a full disk.
        case store
    }

    /// The part of the test site that failed.
    public let kind: Kind
    /// The action, its object, the cause and the next step, as a sentence.
    public let description: String

    init(_ error: any Error) {
        kind =
            switch error {
            case is StateDirectoryError: .state
            case is RecordingError, is ReplayError: .recording
            default: .store
            }
        description = "\(error)"
    }

    /// Runs a body and converts its error.
    static func convert<Result>(_ body: () throws -> Result) throws(RejoinderTestingError) -> Result {
        do {
            return try body()
        } catch {
            throw RejoinderTestingError(error)
        }
    }
}
