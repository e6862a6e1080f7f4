import Dispatch
import Foundation
import Logging

/// The last hour's lines in a file of the state directory, so that the dashboard has them after a restart, too. It is for people
/// to look at and nothing hangs on it: it is never synced, and what cannot be written or read is left out.
package final class HistoryFile: Sendable {
    /// Lines that the file has at most, before it is cut to the last ``Monitor/historyLines``.
    private static let most = 2 * Monitor.historyLines
    /// Bytes of a file that is read: far more than so many lines have.
    private static let largest = 64 << 20

    private let path: String
    private let logger: Logger
    /// Writing may wait for the disk, for which a cooperative thread has no time. What follows is touched here alone.
    private let queue = DispatchQueue(label: "rejoinder.history")
    nonisolated(unsafe) private var lines: [String] = []
    nonisolated(unsafe) private var written = 0
    nonisolated(unsafe) private var hasFailed = false

    /// - Parameter directory: exists; nobody else writes there.
    package init(directory: String, logger: Logger) {
        path = directory + "/history.jsonl"
        self.logger = logger
    }

    /// The lines of the last hour before `now`, oldest first: those that an earlier worker wrote here. Once, before the first
    /// ``append(_:)``.
    ///
    /// - Parameter now: seconds since 1970.
    func load(now: Double) -> [ThroughputLine] {
        queue.sync {
            guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
            defer { try? handle.close() }
            guard let data = try? handle.read(upToCount: Self.largest) else { return [] }
            // Half a line, as a kill may leave it, is none; a clock that was set back makes lines of the future, which are none.
            var kept: [(text: String, line: ThroughputLine)] = []
            for bytes in data.split(separator: UInt8(ascii: "\n")) {
                let text = String(decoding: bytes, as: UTF8.self)
                guard let line = ThroughputLine(json: text), let time = LogEntry.seconds(line.time),
                    (now - 3600...now).contains(time)
                else { continue }
                kept.append((text, line))
            }
            kept = kept.suffix(Monitor.historyLines)
            lines = kept.map(\.text)
            // The next line makes the file anew.
            written = Self.most
            return kept.map(\.line)
        }
    }

    /// Returns at once.
    func append(_ line: ThroughputLine) {
        queue.async { [self] in
            let text = line.json
            if lines.count == Monitor.historyLines { lines.removeFirst() }
            lines.append(text)
            do {
                if written >= Self.most || hasFailed {
                    let all = Data((lines.joined(separator: "\n") + "\n").utf8)
                    try all.write(to: URL(fileURLWithPath: path), options: .atomic)
                    written = lines.count
                    hasFailed = false
                } else {
                    try add(text + "\n")
                    written += 1
                }
            } catch {
                if !hasFailed {
                    logger.notice(
                        "the dashboard's history is not kept for the next start",
                        metadata: ["file": "\(path)", "cause": "\(error)"])
                }
                hasFailed = true
            }
        }
    }

    /// Waits until all that was appended is written.
    package func finish() { queue.sync {} }

    private func add(_ text: String) throws {
        let url = URL(fileURLWithPath: path)
        guard FileManager.default.fileExists(atPath: path) else {
            return try Data(text.utf8).write(to: url)
        }
        let handle = try FileHandle(forWritingTo: url)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
    }
}
