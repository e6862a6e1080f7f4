import Logging

/// Calls a function where the worker logs, on the thread that logs: the only way to have a lane stand still at a place
/// that its log names.
struct LogHook: LogHandler {
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]
    private let act: @Sendable (_ message: String, _ metadata: Logger.Metadata) -> Void

    static func logger(_ act: @escaping @Sendable (_ message: String, _ metadata: Logger.Metadata) -> Void) -> Logger {
        Logger(label: "test") { _ in LogHook(act: act) }
    }

    private init(act: @escaping @Sendable (String, Logger.Metadata) -> Void) { self.act = act }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { act("\(event.message)", event.metadata ?? [:]) }
}
