import Foundation
import Logging
import Synchronization
import Throughput

/// Writes the throughput lines into the log, in its format.
final class ThroughputLog: ThroughputWriter {
    private let format: LogFormat
    private let writer: LogWriter
    private let table: Mutex<ThroughputTable>

    init(format: LogFormat, writer: LogWriter = .standardError) {
        self.format = format
        self.writer = writer
        table = Mutex(ThroughputTable(width: Self.width))
    }

    /// Columns of the terminal on standard error; elsewhere COLUMNS gives the width of the log's later display.
    private static var width: Int {
        var size = winsize()
        if ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? ThroughputTable.usualWidth
    }

    func write(_ line: ThroughputLine) {
        switch format {
        case .json: writer.write(line.json, as: format)
        case .text: for text in table.withLock({ $0.lines(for: line) }) { writer.write(text, as: format) }
        }
    }
}

extension Settings {
    /// nil where the log level leaves out information.
    func throughputLog() -> ThroughputLog? {
        logLevel <= .info ? ThroughputLog(format: logFormat) : nil
    }
}
