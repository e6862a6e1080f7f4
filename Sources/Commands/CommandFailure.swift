import AnswerStore
import KafkaClient
import Recording
import Records
import Worker

/// A command's failure: sentences for the user, and the exit status. The one place that maps the errors of all modules
/// to statuses.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    var status: ExitStatus
    /// Sentences for people, one a line, each with the next step to take.
    var lines: [String]

    init(_ status: ExitStatus, _ message: String) {
        self.init(status, lines: [message])
    }

    init(_ status: ExitStatus, lines: [String]) {
        self.status = status
        self.lines = lines
    }

    /// - Parameter error: any error that a command throws.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure:
            self = failure
        case let error as SettingsError:
            let status = error.problems.allSatisfy(\.isFromFlag) ? ExitStatus.usage : .configuration
            self.init(status, lines: error.problems.map(\.message))
        case let error as WorkerError:
            self.init(ExitStatus(error.matter), error.message)
        case let error as KafkaError:
            self.init(ExitStatus(error), error.description + Self.advice(on: error))
        case let failure as PublishFailure:
            self.init(ExitStatus(failure.cause), failure.description + Self.advice(on: failure.cause))
        case let error as StateDirectoryError:
            self.init(.stateDirectory, error.description)
        case let error as StoreError:
            self.init(.stateDirectory, error.description)
        case let error as RecordingError:
            self.init(ExitStatus(error.matter), error.description)
        case let error as CaptureError:
            self.init(ExitStatus(error.matter), error.description)
        case let error as RecordError:
            self.init(.badData, error.message)
        case let error as ReplayError:
            self.init(.usage, error.description)
        default:
            self.init(.internalError, "unexpected error, please report it: \(Printable.text("\(error)", limit: 1_000))")
        }
    }

    private static func advice(on error: KafkaError) -> String {
        if error.isAuthorization { return "; ask for the permission, or use other names" }
        if error.isUnreachable {
            return "; see that kafka.bootstrapServers names a running cluster ('rejoinder check' tells more)"
        }
        return ""
    }

    var description: String { lines.joined(separator: "\n") }
}

extension ExitStatus {
    init(_ matter: WorkerError.Matter) {
        switch matter {
        case .configuration: self = .configuration
        case .brokerUnreachable: self = .brokerUnreachable
        case .stateDirectory: self = .stateDirectory
        case .failed: self = .internalError
        }
    }

    init(_ matter: RecordingError.Matter) {
        switch matter {
        case .content: self = .badData
        case .unopened: self = .usage
        case .io: self = .internalError
        }
    }

    init(_ matter: CaptureError.Matter) {
        switch matter {
        case .usage: self = .usage
        case .configuration: self = .configuration
        case .brokerUnreachable: self = .brokerUnreachable
        }
    }

    init(_ error: KafkaError) {
        if error.isUnreachable {
            self = .brokerUnreachable
        } else if error.isAuthorization || error.name == "_INVALID_ARG" {
            self = .configuration
        } else {
            self = .internalError
        }
    }
}
