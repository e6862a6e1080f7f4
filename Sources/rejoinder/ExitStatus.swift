/// The process's exit statuses; the numbers are those of sysexits.h where it has one, and diff's 1.
enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    /// A replay's output, or what is published, is not the expected one.
    case different = 1
    case usage = 64
    case badData = 65
    case brokerUnreachable = 69
    case internalError = 70
    case stateDirectory = 73
    case configuration = 78
}
