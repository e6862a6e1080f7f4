import Foundation
import Logging
import Testing

@testable import Throughput

@Suite("The history's file")
struct HistoryFileTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID())").path

    private func withDirectory(_ body: (HistoryFile) throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try body(file())
    }

    private func file() -> HistoryFile {
        HistoryFile(directory: directory, logger: Logger(label: "") { _ in SwiftLogNoOpLogHandler() })
    }

    private var content: [Substring] {
        let text = (try? String(contentsOfFile: directory + "/history.jsonl", encoding: .utf8)) ?? ""
        return text.split(separator: "\n")
    }

    @Test("a worker that starts again has the last hour's lines of the one before, as they were")
    func restart() throws {
        try withDirectory { file in
            let first = MonitorFixture(historyFile: file)
            first.tick(35) { $0.totals.recordsIn += 7 }
            file.finish()
            #expect(first.monitor.history.count == 3)
            // Of the same moment, so that the hour holds both.
            let second = MonitorFixture(historyFile: self.file())
            #expect(second.monitor.history.isEmpty, "they are of its future")
            let last = try #require(first.monitor.history.last)
            let time = try #require(LogEntry.seconds(last.time))
            #expect(self.file().load(now: time).map(\.json) == first.monitor.history.map(\.json))
            #expect(self.file().load(now: time + 3595).count == 1, "an hour is kept")
            #expect(self.file().load(now: time + 3601).isEmpty)
        }
    }

    @Test("half a line, and what is no line of ours, is passed over")
    func damage() throws {
        try withDirectory { file in
            let fixture = MonitorFixture(historyFile: file)
            fixture.tick(20)
            file.finish()
            let lines = content
            try (lines[0] + "\nnothing of ours\n{}\n" + lines[1].dropLast(40)).write(
                toFile: directory + "/history.jsonl", atomically: false, encoding: .utf8)
            let last = try #require(fixture.monitor.history.last)
            let time = try #require(LogEntry.seconds(last.time))
            let again = self.file()
            #expect(again.load(now: time).map(\.json) == [String(lines[0])])
            // The next line makes the file anew.
            again.append(last)
            again.finish()
            #expect(content == lines)
        }
    }

    @Test("the file does not grow beyond two hours")
    func bound() throws {
        try withDirectory { file in
            let fixture = MonitorFixture(historyFile: file)
            var most = 0
            for _ in 0..<(2 * Monitor.historyLines + 3) {
                fixture.tick(10)
                file.finish()
                most = max(most, content.count)
            }
            #expect(most == 2 * Monitor.historyLines)
            #expect(content.count == Monitor.historyLines + 2)
            #expect(fixture.monitor.history.count == Monitor.historyLines)
        }
    }

    @Test("a directory that takes nothing is said once, and holds nothing up")
    func unwritable() {
        let entries = LogEntries()
        let file = HistoryFile(
            directory: directory + "/nowhere", logger: Logger(label: "") { _ in entries.handler })
        let fixture = MonitorFixture(historyFile: file)
        fixture.tick(30)
        file.finish()
        #expect(fixture.monitor.history.count == 3)
        #expect(entries.all.map(\.message) == ["the dashboard's history is not kept for the next start"])
    }
}
