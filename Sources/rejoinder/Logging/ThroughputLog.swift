import Logging
import Monitoring
import Synchronization

/// The lines of the throughput log among those of the log, in its format.
final class ThroughputLog: ThroughputWriter {
    private let format: LogFormat
    private let writer: LineWriter
    private let table = Mutex(ThroughputTable())

    init(format: LogFormat, writer: LineWriter = .standardError) {
        self.format = format
        self.writer = writer
    }

    func write(_ line: ThroughputLine) {
        switch format {
        case .json: writer.write(line.json)
        case .text: table.withLock { $0.lines(for: line) }.forEach(writer.write)
        }
    }
}

extension Settings {
    /// nil where the log leaves out what is only information.
    func throughputLog() -> ThroughputLog? {
        logLevel <= .info ? ThroughputLog(format: logFormat) : nil
    }
}
