import Logging
import Throughput

/// swift-log's handler: one JSON object or one line of text for each event.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let writer: LogWriter

    init(label: String, level: Logger.Level, format: LogFormat, writer: LogWriter = .standardError) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.writer = writer
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: Logging.LogEvent) {
        var fields = metadataProvider?.get() ?? [:]
        fields.merge(metadata) { _, new in new }
        fields.merge(event.metadata ?? [:]) { _, new in new }
        let now = LogClock.now()
        let line = LogLine(
            time: LogClock.text(seconds: now.seconds, milliseconds: now.milliseconds),
            level: event.level, logger: label, message: event.message.description, fields: fields)
        writer.write(format == .json ? line.json : line.text, as: format)
    }
}

extension Settings {
    /// A logger with the configured level and format, to standard error.
    /// - Parameter least: the lowest level to log for a verbose part, where it is above the configured one.
    func logger(_ label: String, atLeast least: Logger.Level = .trace) -> Logger {
        Logger(label: label) { LineLogHandler(label: $0, level: max(logLevel, least), format: logFormat) }
    }
}
