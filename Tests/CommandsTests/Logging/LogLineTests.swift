import Foundation
import Logging
import Testing
import Throughput

@testable import Commands

@Suite struct LogLineTests {
    /// Every ASCII character, separators that some readers split lines at, the ends of the planes, combining marks.
    private static let odd =
        String((0...127).map { Character(Unicode.Scalar(UInt8($0))) })
        + "\u{80}\u{85}\u{A0}\u{2028}\u{2029}\u{FEFF}\u{FFFD}\u{FFFF}\u{10FFFF}"
        + "\u{1F469}\u{200D}\u{2695}\u{301}\\u0000\r\n"

    private func line(_ message: String, _ fields: Logger.Metadata = [:]) -> LogLine {
        LogLine(time: "2026-03-01T09:05:00.007Z", level: .info, logger: "rejoinder", message: message, fields: fields)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func oddTextComesBackUnchanged() throws {
        let bytes = String(decoding: [UInt8](0...255), as: UTF8.self)
        for text in [Self.odd, bytes, ""] {
            let json = line(text, [text + "x": .string(text)]).json
            #expect(!json.utf8.contains { $0 < 0x20 }, "one line, no control characters")
            let object = try object(json)
            #expect((object["message"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
            #expect((object[text + "x"] as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        }
    }

    @Test func fieldsStandBesideTheFixedOnes() throws {
        let json = line(
            "done",
            [
                "records": .stringConvertible(17), "rate": .stringConvertible(2.5), "ok": .stringConvertible(true),
                "nan": .stringConvertible(Double.nan), "text": "17", "list": ["a", .stringConvertible(1)],
                "map": ["b": "c", "a": [:]], "message": "another", "time": "t",
            ]
        ).json
        let object = try object(json)
        #expect(
            json.hasPrefix(#"{"time":"2026-03-01T09:05:00.007Z","level":"info","logger":"rejoinder","message":"done","#)
        )
        #expect(object["records"] as? Int == 17)
        #expect(object["rate"] as? Double == 2.5)
        #expect(object["ok"] as? Bool == true)
        #expect(object["nan"] as? String == "nan")
        #expect(object["text"] as? String == "17")
        #expect((object["list"] as? [Any])?.count == 2)
        #expect((object["map"] as? [String: Any])?["b"] as? String == "c")
        #expect(object["message"] as? String == "done")
        #expect(object["message_"] as? String == "another")
        #expect(object["time_"] as? String == "t")
    }

    @Test func textIsOneLine() {
        let text = line(
            "two\nlines\u{1B}[31m",
            ["a": "x y", "b": "bare", "c": "", "d": "q\"\n", "e": ["k": "v", "l": ["1", "2 3"]]]
        ).text
        #expect(!text.utf8.contains { $0 < 0x20 })
        #expect(text.contains("two\\nlines"))
        #expect(text.contains(#"a="x y"  b=bare  c=""  d="q\"\n"  e={k: v, l: [1, "2 3"]}"#))
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000Z"), (951_782_400, 7, "2000-02-29T00:00:00.007Z"),
        (1_772_355_900, 999, "2026-03-01T09:05:00.999Z"), (4_102_444_799, 10, "2099-12-31T23:59:59.010Z"),
    ])
    func timesAreUTC(seconds: Int, milliseconds: Int, expected: String) {
        #expect(LogClock.text(seconds: seconds, milliseconds: milliseconds) == expected)
    }

    @Test func handlerWritesWholeLinesFromManyThreads() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/log"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        #expect(descriptor >= 0)
        defer { close(descriptor) }
        let writer = LogWriter(to: LineWriter(descriptor: descriptor), limit: 1 << 23)
        let long = String(repeating: "x", count: 10_000)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var logger = Logger(label: "t") {
                        LineLogHandler(label: $0, level: .info, format: .json, writer: writer)
                    }
                    logger[metadataKey: "task"] = .stringConvertible(task)
                    for number in 0..<50 {
                        logger.info("line", metadata: ["n": .stringConvertible(number), "x": .string(long)])
                    }
                    logger.debug("below the level")
                }
            }
        }
        #expect(writer.finish(patience: .seconds(60)))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 400)
        for line in lines {
            let object = try object(String(line))
            #expect((object["x"] as? String)?.count == long.count)
            #expect(object["task"] is Int)
        }
    }
}
