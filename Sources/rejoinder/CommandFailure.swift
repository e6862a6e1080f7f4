/// Why a command could not do its work: what to tell the person, and the exit status. The one place where errors of all
/// modules become statuses.
struct CommandFailure: Error, Sendable, Equatable, CustomStringConvertible {
    var status: ExitStatus
    /// Sentences for people, each with what to do next; one a line.
    var lines: [String]

    init(_ status: ExitStatus, _ message: String) {
        self.init(status, lines: [message])
    }

    private init(_ status: ExitStatus, lines: [String]) {
        self.status = status
        self.lines = lines
    }

    /// Nothing more to say: the command has already printed what failed.
    init(alreadyTold status: ExitStatus) {
        self.status = status
        lines = []
    }

    /// - Parameter error: whatever a command threw.
    init(_ error: any Error) {
        switch error {
        case let failure as CommandFailure:
            self = failure
        case let error as SettingsError:
            let status = error.problems.allSatisfy(\.isFromFlag) ? ExitStatus.usage : .configuration
            self.init(status, lines: error.problems.map(\.message))
        default:
            self.init(.internalError, "unexpected error, please report it: \(Printable.text("\(error)", limit: 1_000))")
        }
    }

    var description: String { lines.joined(separator: "\n") }
}
