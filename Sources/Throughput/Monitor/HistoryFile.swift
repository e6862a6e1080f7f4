import Bytes
import Dispatch
import Foundation
import Logging

/// The last hour's lines in a file of the state directory, for the dashboard after a restart. Nothing else depends on
/// it: it is never synced, and lines that cannot be read or written are skipped.
package final class HistoryFile: Sendable {
    /// Limit on the file's lines, at which it is cut to the last ``Monitor/historyLines``.
    private static let most = 2 * Monitor.historyLines
    /// Limit on the bytes that are read, far above the size of so many lines.
    private static let largest = 64 << 20

    private let path: String
    private let logger: Logger
    /// Writes may wait for the disk, and must not block a cooperative thread. Only this queue accesses the members
    /// below.
    private let queue = DispatchQueue(label: "rejoinder.history")
    nonisolated(unsafe) private var lines: [String] = []
    nonisolated(unsafe) private var written = 0
    nonisolated(unsafe) private var hasFailed = false

    /// - Parameter directory: exists and has no other writer.
    package init(directory: String, logger: Logger) {
        path = directory + "/history.jsonl"
        self.logger = logger
    }

    /// Reads the lines that an earlier worker wrote in the hour before `now`, oldest first. Called once, before the
    /// first ``append(_:)``.
    ///
    /// - Parameter now: seconds since 1970.
    func load(now: Double) -> [ThroughputLine] {
        queue.sync {
            guard let handle = FileHandle(forReadingAtPath: path) else { return [] }
            defer { try? handle.close() }
            guard let data = try? handle.read(upToCount: Self.largest) else { return [] }
            // Skips a partial line, which a kill may leave, and lines in the future, after a clock was set back.
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
            // The next `append` rewrites the file.
            written = Self.most
            return kept.map(\.line)
        }
    }

    /// Queues the write and returns at once.
    func append(_ line: ThroughputLine) {
        queue.async { [self] in
            let text = line.json
            if lines.count == Monitor.historyLines { lines.removeFirst() }
            lines.append(text)
            do {
                if written >= Self.most || hasFailed {
                    let file = try AtomicFile(path: path)
                    try Descriptor.writeAll(Array((lines.joined(separator: "\n") + "\n").utf8), to: file.descriptor)
                    try file.finish()
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

    /// Waits until all appended lines are written.
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
