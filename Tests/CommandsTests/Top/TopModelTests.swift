import Foundation
import Testing

@testable import Commands
@testable import Throughput

@Suite struct TopModelTests {
    static func line(_ second: Int, seconds: Double = 1, worker: String = "w", _ more: String = "") throws
        -> ThroughputLine
    {
        let time = LogClock.text(seconds: 1_767_268_800 + second, milliseconds: 0)
        let text =
            #"{"time":"\#(time)","message":"throughput","seconds":\#(seconds),"uptimeSeconds":\#(second),"group":"g","#
            + #""worker":"\#(worker)"\#(more.isEmpty ? "" : "," + more)}"#
        return try #require(ThroughputLine(json: text))
    }

    private static let target = HealthCommand.Target.self

    static func model(_ count: Int) throws -> TopModel {
        TopModel(sources: try (0..<count).map { .worker(try target.init(url: "http://127.0.0.1:\(9000 + $0)")) })
    }

    @Test func aWorkerIsWaitedForThenLiveThenLost() throws {
        var model = try Self.model(1)
        #expect(model.statuses == [.waiting] && !model.hasAllAnswered)
        model.apply(TopUpdate(source: 0, news: .history([try Self.line(10, seconds: 10)])))
        #expect(model.statuses == [.waiting], "what was is not what is")
        model.apply(TopUpdate(source: 0, news: .line(try Self.line(11))))
        #expect(model.statuses == [.live] && model.hasAllAnswered && model.isAnyLive)
        let then = ContinuousClock.now
        model.apply(TopUpdate(source: 0, news: .lost("gone")), now: then)
        model.apply(TopUpdate(source: 0, news: .lost("still gone")), now: then + .seconds(5))
        #expect(model.statuses == [.lost("still gone", since: then)])
        #expect(model.workers[0].points.count == 2)
    }

    @Test func aWorkerThatSaysNothingIsLostWithinSeconds() throws {
        var model = try Self.model(1)
        let then = ContinuousClock.now
        model.apply(TopUpdate(source: 0, news: .line(try Self.line(11))), now: then)
        #expect(model.status(model.workers[0], now: then + .seconds(2)) == .live)
        guard case .lost(_, let since) = model.status(model.workers[0], now: then + .seconds(5)) else {
            Issue.record("still live")
            return
        }
        #expect(since == then)
        model.apply(TopUpdate(source: 0, news: .line(try Self.line(17))), now: then + .seconds(6))
        #expect(model.status(model.workers[0], now: then + .seconds(6)) == .live)
    }

    @Test func theLastLineOfALogSaysThatItsWorkerHasEnded() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("top-\(UUID().uuidString).log")
        defer { try? FileManager.default.removeItem(at: path) }
        let end =
            #"{"time":"2026-01-01T12:00:21.000Z","level":"error","logger":"rejoinder","#
            + #""message":"ended: The disk is full."}"#
        func line(_ second: Int) throws -> String {
            try Self.line(second, seconds: 10, #""logger":"throughput""#).json
        }
        try "\(line(10))\n\(line(20))\n\(end)\n".write(to: path, atomically: false, encoding: .utf8)
        nonisolated(unsafe) var model = TopModel(sources: [.log(path.path)])
        let follower = LogFollower(index: 0, path: path.path) { model.apply($0) }
        follower.step()
        #expect(model.status(model.workers[0]) == .ended("The disk is full."))
        // It was started again.
        let file = try FileHandle(forWritingTo: path)
        try file.seekToEnd()
        try file.write(contentsOf: Data("\(line(30))\n".utf8))
        follower.step()
        #expect(model.status(model.workers[0]) == .live)
        try file.write(contentsOf: Data("\(end)\n".utf8))
        follower.step()
        #expect(model.status(model.workers[0]) == .ended("The disk is full."))
        try file.close()
    }

    @Test func whatWasSeenLiveIsNotReplacedByACoarserHistory() throws {
        var model = try Self.model(1)
        for second in 21...25 { model.apply(TopUpdate(source: 0, news: .line(try Self.line(second)))) }
        model.apply(
            TopUpdate(source: 0, news: .history([try Self.line(10, seconds: 10), try Self.line(20, seconds: 10)])))
        #expect(model.workers[0].points.map(\.seconds) == [10, 10, 1, 1, 1, 1, 1])
        // The same second told twice is one.
        model.apply(TopUpdate(source: 0, news: .line(try Self.line(25))))
        #expect(model.workers[0].points.count == 7)
    }

    @Test func aLogHasARowForEachWorkerInIt() throws {
        var model = TopModel(sources: [.log("a.log"), .log("b.log")])
        model.apply(TopUpdate(source: 0, news: .history([try Self.line(1), try Self.line(2, worker: "v")])))
        model.apply(TopUpdate(source: 1, news: .line(try Self.line(3, worker: "x"))))
        model.apply(TopUpdate(source: 0, news: .line(try Self.line(3, worker: "v"))))
        #expect(model.workers.map(\.name) == ["w", "v", "x"])
        #expect(model.workers.map(\.points.count) == [1, 2, 1])
        #expect(model.statuses == [.live, .live])
        model.move(by: 5)
        #expect(model.selected == 2)
        model.move(by: -9)
        #expect(model.selected == 0)
    }

    @Test func aLogWithoutNewLinesIsOneOfAWorkerThatIsGone() throws {
        var model = TopModel(sources: [.log("a.log")])
        model.apply(TopUpdate(source: 0, news: .history([try Self.line(10, seconds: 10)])))
        func status(after seconds: Double) -> TopModel.Status {
            model.wall = 1_767_268_810 + seconds
            return model.status(model.workers[0])
        }
        #expect(status(after: 14) == .live)
        guard case .lost(let reason, _) = status(after: 16) else {
            Issue.record("still live")
            return
        }
        #expect(reason == "the log has no newer line")
        let text = try Self.line(20).json.replacing(#""message":"throughput""#, with: #""message":"totals""#)
        model.apply(TopUpdate(source: 0, news: .line(try #require(ThroughputLine(json: text)))))
        #expect(status(after: 1) == .ended("the worker has ended"))
        #expect(model.workers[0].points.count == 1)
    }

    @Test func aClockThatIsSetBackStopsNothing() throws {
        var model = try Self.model(1)
        for second in 100...110 { model.apply(TopUpdate(source: 0, news: .line(try Self.line(second)))) }
        var back = try Self.line(111)
        back.time = try Self.line(105).time
        model.apply(TopUpdate(source: 0, news: .line(back)))
        #expect(model.workers[0].points.last?.uptime == 111)
        #expect(model.workers[0].points.map(\.end) == model.workers[0].points.map(\.end).sorted())
        #expect(model.workers[0].points.count == 6)
    }

    @Test func columnsMeanWhatCoversThem() throws {
        var model = try Self.model(1)
        let lines = try [(10, 10.0, 100), (20, 10, 200), (21, 1, 50), (22, 1, 70)].map {
            try Self.line($0, seconds: $1, #""recordsInPerSecond":\#($2)"#)
        }
        model.apply(TopUpdate(source: 0, news: .history(lines)))
        let worker = model.workers[0]
        #expect(worker.columns(4, seconds: 10, \.recordsIn) == [nil, 100, 200, 60])
        #expect(worker.columns(3, seconds: 1, \.recordsIn) == [200, 50, 70])
        #expect(worker.columns(0, seconds: 1, \.recordsIn).isEmpty)
    }

    @Test func anUnknownLagIsNoPointOfTheCourse() throws {
        var model = try Self.model(1)
        let lags = [#""lag":{"total":500}"#, #""lag":{"topics":{}}"#, #""lag":{"total":400}"#]
        model.apply(TopUpdate(source: 0, news: .history(try lags.enumerated().map { try Self.line($0 + 1, $1) })))
        #expect(model.workers[0].columns(3, seconds: 1, \.lag) == [500, nil, 400])
    }

    @Test func keysAreReadFromWhatTerminalsSend() {
        #expect(TopKey.keys(Array("q\u{3}\u{1A}".utf8)) == [.quit, .quit, .suspend])
        #expect(TopKey.keys(Array("\u{1B}[A\u{1B}OB\u{1B}[1;5Bjk\t".utf8)) == [.up, .down, .down, .down, .up, .down])
        #expect(TopKey.keys(Array("\u{1B}[200~x\u{1B}".utf8)) == [] && TopKey.keys([0x1B, 0x5B]) == [])
    }

    @Test(
        arguments: [
            (["LANG": "C.UTF-8"], true), (["LANG": "en_US.utf8"], true),
            (["LANG": "en_US.UTF-8", "LC_ALL": "C"], false),
            (["LC_CTYPE": "de_DE.UTF-8", "LC_ALL": ""], true), ([:], false),
        ] as [([String: String], Bool)])
    func theLocaleSaysWhetherUTF8IsShown(environment: [String: String], isUnicode: Bool) {
        #expect(TopLocale.isUnicode(environment) == isUnicode)
    }
}
