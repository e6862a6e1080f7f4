import Foundation
import Testing

@testable import Commands

@Suite struct TopFrameTests {
    private static func frame(_ model: TopModel, _ columns: Int, _ rows: Int, unicode: Bool = true) -> [TopText] {
        TopFrame(
            model: model, size: .init(columns: columns, rows: rows), glyphs: TopGlyphs(unicode: unicode),
            clock: "16:20:31",
            now: .now
        ).lines
    }

    private static let full =
        #""state":"restoring","recordsIn":123,"recordsInPerSecond":12345.6,"lag":{"total":77,"#
        + #""partitions":[{"topic":"questions","partition":3,"records":70},{"topic":"votes","partition":1,"#
        + #""records":7},{"topic":"votes","partition":2,"records":0}]},"timeShares":{"idle":0.5,"committing":0.5},"#
        + #""latencyMs":{"count":1,"p50":1.5,"p90":20,"p99":300,"max":4000},"deadLetters":{"schema":2},"#
        + #""deadLettersTotal":2,"store":{"bytes":5000000,"partitions":4,"restoring":[{"partition":7,"done":50,"#
        + #""of":200,"seconds":3},{"partition":8,"done":5,"seconds":1}]},"lanes":[{"lane":0,"#
        + #""waitingFor":"answers and votes to be restored","waitingSeconds":4,"lag":70},{"lane":1,"lag":7}]"#

    private static func live() throws -> TopModel {
        var model = try TopModelTests.model(1)
        model.apply(TopUpdate(source: 0, news: .line(try TopModelTests.line(100, full))))
        return model
    }

    @Test func nothingIsEverWiderOrLongerThanTheScreen() throws {
        var several = try TopModelTests.model(12)
        for source in 0..<8 {
            several.apply(TopUpdate(source: source, news: .line(try TopModelTests.line(100, Self.full))))
        }
        several.apply(TopUpdate(source: 8, news: .lost("Connection refused")))
        several.move(by: 9)
        let models = try [TopModelTests.model(1), Self.live(), several]
        for model in models {
            for columns in [1, 5, 12, 20, 39, 40, 59, 60, 61, 80, 149, 150, 200, 300] {
                for rows in [1, 2, 3, 5, 7, 8, 10, 12, 17, 18, 24, 40, 60] {
                    let lines = Self.frame(model, columns, rows)
                    #expect(lines.count <= rows)
                    #expect(lines.allSatisfy { $0.width <= columns }, "\(columns)x\(rows)")
                }
            }
        }
    }

    @Test func theUsualTerminalShowsAllThatMatters() throws {
        let text = Self.frame(try Self.live(), 80, 24).map(\.plain).joined(separator: "\n")
        for words in [
            "restoring  w  up 1 min 40 s  4 partitions", "lane 0 waits 4 s for answers and votes to be restored",
            "restoring partition 7", "25% of 200 records, 9 s left", "12.3k/s", "committing          50% █████",
            "questions/3",
            "1.50ms", "4.00s", "dead letters 2", "q quit",
        ] {
            #expect(text.contains(words), "\(words) in\n\(text)")
        }
    }

    /// Only where published records follow changes.
    @Test func questionsThatWaitAreShown() throws {
        let live =
            #""waitingQuestions":12345,"waitingQuestionsSeconds":12.5,"coalesceSeconds":1,"republishedByAnswers":20,"#
            + #""republishedByVotes":1500,"unseenChanges":3"#
        func text(_ more: String) throws -> String {
            var model = try TopModelTests.model(1)
            model.apply(TopUpdate(source: 0, news: .line(try TopModelTests.line(100, Self.full + more))))
            return Self.frame(model, 80, 40).map(\.plain).joined(separator: "\n")
        }
        let shown = try text("," + live)
        for words in ["waiting     12,345", "again answers 20/s  votes 1.50k/s", "unseen 3/s  oldest change 12.5 s"] {
            #expect(shown.contains(words), "\(words) in\n\(shown)")
        }
        let off = try text("")
        #expect(!off.contains("oldest change") && !off.contains("again answers"))
    }

    @Test func theLagOfAllIsKnownWhenEachIs() throws {
        func all(_ lags: [String]) throws -> [Substring] {
            var model = try TopModelTests.model(lags.count)
            for (source, lag) in lags.enumerated() {
                let line = try TopModelTests.line(100, #""lag":{\#(lag)}"#)
                model.apply(TopUpdate(source: source, news: .line(line)))
            }
            let row = Self.frame(model, 100, 30).map(\.plain).first { $0.hasPrefix("  all ") }
            return try #require(row).split(separator: " ")
        }
        #expect(try all([#""total":30"#, #""total":12"#])[2] == "42")
        #expect(try all([#""total":30"#, #""topics":{}"#])[2] == "-")
    }

    @Test func asciiIsAscii() throws {
        let lines = Self.frame(try Self.live(), 120, 40, unicode: false)
        let glyphs = TopGlyphs(unicode: false)
        #expect(lines.allSatisfy { glyphs.text($0.plain).utf8.allSatisfy { $0 < 0x80 } })
        #expect(TopGlyphs(unicode: false).name("größe\u{1B}") == "gr??e\\u{1B}")
    }

    @Test func aTextIsCutByCellsAndNotByCharacters() {
        #expect(TopText.width(of: "aé漢e\u{301}") == 5)
        #expect(TopText.cut("a漢字", 4) == "a漢" && TopText.cut("abc", 3) == "abc" && TopText.cut("漢", 1) == "")
        var line = TopText("ab", .bold)
        line.right("xyz", 5)
        #expect(line.plain == "ab  xyz" && line.width == 7 && line.cut(6).plain == "ab  xy")
        #expect(line.rendered(colour: false) == "\u{1B}[1mab\u{1B}[0m  xyz")
        #expect(TopText("x", .good).rendered(colour: false) == "x")
    }

    @Test func barsAndSparksFillWhatTheyShould() {
        let glyphs = TopGlyphs(unicode: true)
        #expect(
            glyphs.bar(1, 4) == "████" && glyphs.bar(0, 4) == "" && glyphs.bar(0.0001, 4) == "▏"
                && glyphs.bar(0.5, 3) == "█▌")
        #expect(glyphs.bar(.nan, 4) == "" && glyphs.bar(99, 2) == "██" && glyphs.bar(0.5, 0) == "")
        #expect(glyphs.spark([nil, 0, 1, 8]) == " ▁▁█" && glyphs.spark([]) == "" && glyphs.spark([0, 0]) == "▁▁")
    }

    @Test func aLogIsReadFromItsEndAndThroughRotation() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/worker.log"
        var news: [TopUpdate.News] = []
        let follower = LogFollower(index: 0, path: path) { news.append($0.news) }
        func text(_ second: Int) -> String {
            #"{"time":"2026-01-01T00:00:0\#(second)Z","level":"info","logger":"throughput","message":"throughput","#
                + #""seconds":1,"uptimeSeconds":\#(second),"worker":"w"}"#
                + "\n"
        }
        func seen() -> String {
            defer { news = [] }
            return news.map { update in
                switch update {
                case .history(let lines): "history " + lines.map { "\(Int($0.uptimeSeconds))" }.joined(separator: ",")
                case .line(let line): "\(Int(line.uptimeSeconds))"
                case .lost(let reason): reason
                case .stopped(let reason), .ended(let reason): reason
                }
            }.joined(separator: " ")
        }
        func append(_ text: String, to path: String) throws {
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
        follower.step()
        #expect(seen() == "No such file or directory")
        try Data((String(repeating: "x", count: LogFollower.tailBytes) + "\n" + text(1) + "other\n" + text(2)).utf8)
            .write(to: URL(fileURLWithPath: path))
        follower.step()
        #expect(seen() == "history 1,2")
        try append(String(text(3).prefix(40)), to: path)
        follower.step()
        #expect(seen() == "")
        try append(String(text(3).dropFirst(40)), to: path)
        follower.step()
        #expect(seen() == "3")
        // Renamed, still written to, then made anew.
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        try append(text(4), to: path + ".1")
        follower.step()
        try append(text(5), to: path + ".1")
        try Data(text(6).utf8).write(to: URL(fileURLWithPath: path))
        follower.step()
        #expect(seen() == "4 5 6")
        // Cut off.
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.truncate(atOffset: 0)
        try handle.close()
        follower.step()
        try append(text(7), to: path)
        follower.step()
        #expect(seen() == "7")
    }
}
