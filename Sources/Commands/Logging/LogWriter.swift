import Foundation
import Logging
import Throughput

/// The log's output: a queue, and a thread that writes it. A lane, librdkafka or the monitor never waits for the reader
/// of the log. A full queue drops lines until half of it is written, and then logs how many it dropped.
///
/// Unchecked: `condition` guards all mutable state.
final class LogWriter: @unchecked Sendable {
    /// The log of the process. Exit waits for the queue to be written, at most for `patience`.
    static let standardError: LogWriter = {
        atexit { LogWriter.standardError.finish() }
        return LogWriter(to: .standardError)
    }()

    /// The longest wait for a slow reader at the process's end.
    static let patience = Duration.seconds(3)

    private enum State {
        case taking
        /// The number of lines dropped since then, and the format of the first.
        case dropping(lines: Int, since: ContinuousClock.Instant, format: LogFormat)
        /// The last line is in the queue.
        case ending
    }

    private let writer: LineWriter
    private let limit: Int
    private let condition = NSCondition()
    private var state = State.taking
    /// Oldest first, from `first` on; earlier entries are written.
    private var queue: [String] = []
    private var first = 0
    /// Size of the queued lines.
    private var bytes = 0
    /// The thread has taken a line and has not written it yet.
    private var isWriting = false
    private var hasThread = false
    /// A line of a JSON log was written, or dropped.
    private var hasJSON = false

    /// Whether the output is a JSON log, whose readers expect JSON lines only.
    var isLog: Bool { condition.withLock { hasJSON } }

    /// - Parameter limit: in bytes. The line that reaches it is still taken, so an empty queue takes any line.
    init(to writer: LineWriter, limit: Int = 1 << 20) {
        self.writer = writer
        self.limit = limit
    }

    /// Queues the line, or drops it.
    /// - Parameter format: the log's, for the report of dropped lines.
    func write(_ line: String, as format: LogFormat) {
        condition.withLock {
            if format == .json { hasJSON = true }
            switch state {
            case .taking where bytes < limit: add(line)
            case .taking: state = .dropping(lines: 1, since: .now, format: format)
            case .dropping(let lines, let since, let format):
                state = .dropping(lines: lines + 1, since: since, format: format)
            case .ending: break
            }
        }
    }

    /// Writes a command's sentence after all lines logged before it, and waits without limit until it is written.
    func say(_ sentence: String) {
        condition.lock()
        if case .ending = state {
            condition.unlock()
            writer.write(sentence)
            return
        }
        noteDropped()
        add(sentence)
        while !isWritten { condition.wait() }
        condition.unlock()
    }

    /// Queues the last lines even where the queue is full, and waits until all is written; later lines are dropped.
    /// - Returns: whether all was written in time.
    @discardableResult
    func finish(with lines: [String] = [], patience: Duration = patience) -> Bool {
        condition.withLock {
            if case .ending = state { return isWritten }
            noteDropped()
            lines.forEach(add)
            state = .ending
            condition.broadcast()
            let deadline = Date(timeIntervalSinceNow: patience / .seconds(1))
            while !isWritten {
                if !condition.wait(until: deadline) { return isWritten }
            }
            return true
        }
    }

    private var isWritten: Bool { first == queue.count && !isWriting }

    private func add(_ line: String) {
        queue.append(line)
        bytes += line.utf8.count
        condition.broadcast()
        guard !hasThread else { return }
        hasThread = true
        let thread = Thread { self.work() }
        thread.name = "log"
        thread.start()
    }

    /// Reports the dropped lines at the place in the log where they would have been.
    private func noteDropped() {
        guard case .dropping(let lines, let since, let format) = state else { return }
        state = .taking
        let now = LogClock.now()
        let seconds = (ContinuousClock.now - since).components.seconds
        let line = LogLine(
            time: LogClock.text(seconds: now.seconds, milliseconds: now.milliseconds), level: .warning, logger: "log",
            message: "log lines dropped",
            fields: [
                "lines": .stringConvertible(lines), "seconds": .stringConvertible(seconds),
                "cause": "standard error was read more slowly than lines came",
            ])
        add(format == .json ? line.json : line.text)
    }

    // MARK: - The thread

    private func work() {
        while let line = next() { writer.write(line) }
    }

    /// Waits for a line.
    /// - Returns: nil when the last line is written.
    private func next() -> String? {
        condition.withLock {
            isWriting = false
            if first == queue.count || first >= 1_024 {
                queue.removeFirst(first)
                first = 0
            }
            while first == queue.count {
                condition.broadcast()
                if case .ending = state { return nil }
                condition.wait()
            }
            let line = queue[first]
            queue[first] = ""
            first += 1
            bytes -= line.utf8.count
            isWriting = true
            if bytes <= limit / 2 { noteDropped() }
            return line
        }
    }
}
