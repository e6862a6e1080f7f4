/// The process's exit statuses, numbered as in sysexits.h where it has one; 1 as in diff.
enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    /// A replay's output, or the published records, differ from the expected ones.
    case different = 1
    case usage = 64
    case badData = 65
    case brokerUnreachable = 69
    case internalError = 70
    case stateDirectory = 73
    case configuration = 78
}
