import Foundation
import Testing

@testable import Commands

@Suite(.timeLimit(.minutes(2))) struct LogWriterTests {
    /// A pipe that is full of line ends, until a test reads it.
    private final class Reader {
        let writer: LineWriter
        private let pipe = Pipe()

        init() {
            let descriptor = pipe.fileHandleForWriting.fileDescriptor
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            while write(descriptor, "\n", 1) == 1 {}
            _ = fcntl(descriptor, F_SETFL, 0)
            writer = LineWriter(descriptor: descriptor)
        }

        /// All lines, to be called after the last write.
        func lines() throws -> [String] {
            try pipe.fileHandleForWriting.close()
            let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
            return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }

        /// Reads until a line holds the text.
        func lines(until text: String) throws -> [String] {
            var data = Data()
            while true {
                data += pipe.fileHandleForReading.availableData
                let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
                if data.last == 0x0A, lines.contains(where: { $0.contains(text) }) { return lines }
            }
        }
    }

    private static func line(_ number: Int) -> String { "\(number) " + String(repeating: "x", count: 1_000) }

    private static func number(_ line: String) -> Int? { line.split(separator: " ").first.flatMap { Int($0) } }

    @Test func linesComeInOrder() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer)
        for number in 0..<20 { writer.write(Self.line(number), as: .text) }
        var lines = try reader.lines(until: "19 ")
        #expect(writer.finish())
        lines += try reader.lines()
        #expect(lines.map(Self.number) == Array(0..<20))
    }

    @Test func whoLogsDoesNotWaitAndWhatIsDroppedIsCounted() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 100_000)
        let count = 2_000
        for number in 0..<count { writer.write(Self.line(number), as: .json) }
        var lines = try reader.lines(until: "log lines dropped")
        writer.write("after", as: .json)
        #expect(writer.finish())
        lines += try reader.lines()

        let notices = lines.filter { $0.contains("log lines dropped") }
        #expect(notices.count == 1)
        let notice = try #require(
            try JSONSerialization.jsonObject(with: Data((notices.first ?? "").utf8)) as? [String: Any])
        #expect(notice["level"] as? String == "warning")
        let kept = lines.firstIndex { $0.contains("log lines dropped") } ?? 0
        #expect(lines[..<kept].map(Self.number) == Array(0..<kept), "the oldest are kept, in order")
        #expect((100...102).contains(kept), "as many as reach the limit, and the one in the thread's hands")
        #expect(notice["lines"] as? Int == count - kept)
        #expect(lines[(kept + 1)...] == ["after"])
    }

    @Test func theNoticeIsTextInATextLog() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 1)
        for number in 0..<500 { writer.write(Self.line(number), as: .text) }
        let lines = try reader.lines(until: "log lines dropped")
        let notice = try #require(lines.first { !$0.contains("xxx") })
        #expect(notice.contains(" warning  log "))
        #expect(notice.contains("  lines="))
        #expect(writer.finish())
    }

    @Test func theEndIsBounded() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 1 << 20)
        for number in 0..<200 { writer.write(Self.line(number), as: .text) }
        #expect(!writer.finish(patience: .milliseconds(20)), "nobody reads")
        #expect(!writer.finish(patience: .seconds(600)), "waits no second time")
        _ = try reader.lines(until: "199 ")
    }

    @Test func theLastLinesComeBehindAFullQueue() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 10_000)
        for number in 0..<200 { writer.write(Self.line(number), as: .text) }
        writer.finish(with: ["the last"], patience: .milliseconds(20))
        writer.write("too late", as: .text)
        let lines = try reader.lines(until: "the last")
        let isNoted = lines.suffix(2).first?.contains("log lines dropped") == true
        #expect(isNoted)
        #expect(lines.last == "the last")
    }

    @Test func anEmptyQueueTakesAnyLine() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 10)
        writer.write(String(repeating: "y", count: 1_000), as: .text)
        #expect(try reader.lines(until: "yyy").map(\.count) == [1_000])
        #expect(writer.finish())
    }

    @Test func aSentenceComesBehindWhatWasLogged() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("errors", Data())
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        let writer = LogWriter(to: LineWriter(descriptor: file.fileDescriptor), limit: 1 << 24)
        for round in 0..<20 {
            for number in 0..<100 { writer.write("\(100 * round + number)", as: .text) }
            writer.say("sentence \(round)")
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count == 101 * (round + 1) && lines.last == "sentence \(round)", "it is written on return")
        }
        #expect(writer.finish())
        writer.say("afterwards")
        #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("sentence 19\nafterwards\n"))
    }

    @Test func aSentenceIsNeverDropped() throws {
        let reader = Reader()
        let writer = LogWriter(to: reader.writer, limit: 1)
        for number in 0..<200 { writer.write(Self.line(number), as: .text) }
        let thread = Thread { writer.say("the sentence") }
        thread.start()
        let lines = try reader.lines(until: "the sentence")
        #expect(lines.last == "the sentence" && lines.dropLast().last?.contains("log lines dropped") == true)
        #expect(writer.finish())
    }

    @Test func aSignalEndsTheProcessAfterTheLog() async throws {
        let directory = try TemporaryDirectory()
        // A file takes every write at once; a pipe depends on its reader.
        let path = try directory.file("errors", Data())
        await #expect(processExitsWith: .signal(SIGTERM)) { [path = path as String] in
            // Commands are on the main thread; a thread of a pool takes no signals.
            var set = sigset_t()
            sigemptyset(&set)
            sigaddset(&set, SIGTERM)
            pthread_sigmask(SIG_UNBLOCK, &set, nil)
            try #require(dup2(open(path, O_WRONLY), STDERR_FILENO) == STDERR_FILENO)
            let rest = String(repeating: ".", count: 400)
            for number in 0..<2_000 { LogWriter.standardError.write("\(rest) line \(number)", as: .text) }
            StopOnSignal.endProcess(by: SIGTERM)
        }
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2_000 && lines.last?.hasSuffix(" line 1999") == true)
    }

    @Test func withNothingLoggedThereIsNothingToWaitFor() {
        #expect(LogWriter(to: LineWriter(descriptor: -1)).finish(patience: .zero))
    }
}
