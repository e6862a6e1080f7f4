import Testing

@testable import Worker

@Suite("When a lane commits")
struct CommitPaceTests {
    private static func pace(interval: Duration = .seconds(3600), maxBytes: Int = 1000) -> CommitPace {
        CommitPace(interval: interval, maxBytes: maxBytes)
    }

    @Test("nothing happened: never due")
    func idle() {
        var pace = Self.pace(interval: .zero)
        pace.ranDry = true
        #expect(!pace.isDue(produced: false, bytes: 0))
    }

    @Test("input ran dry after something was produced: at once")
    func dry() {
        var pace = Self.pace()
        pace.gathered()
        pace.ranDry = false
        #expect(!pace.isDue(produced: true, bytes: 10))
        pace.ranDry = true
        #expect(pace.isDue(produced: true, bytes: 10))
    }

    @Test("only table positions moved: with the interval, not at once")
    func tablesOnly() {
        var pace = Self.pace()
        pace.note()
        pace.ranDry = true
        #expect(!pace.isDue(produced: false, bytes: 0))
        var elapsed = Self.pace(interval: .zero)
        elapsed.note()
        #expect(elapsed.isDue(produced: false, bytes: 0))
    }

    @Test("as much as a transaction may hold: at once; less after failures, more again after successes")
    func bySize() {
        var pace = Self.pace(maxBytes: 1 << 20)
        pace.gathered()
        pace.ranDry = false
        #expect(!pace.isDue(produced: true, bytes: (1 << 20) - 1))
        #expect(pace.isDue(produced: true, bytes: 1 << 20))
        _ = pace.failed()
        pace.gathered()
        #expect(pace.isDue(produced: true, bytes: 1 << 18))
        pace.committed()
        pace.committed()
        pace.gathered()
        pace.ranDry = false
        #expect(!pace.isDue(produced: true, bytes: 1 << 18))
    }

    @Test("rests grow with failures in a row, and begin small again after a success")
    func rests() {
        var pace = Self.pace()
        let first = pace.failed()
        let second = pace.failed()
        #expect(second > first)
        for _ in 0..<20 { _ = pace.failed() }
        #expect(pace.failed() <= .seconds(5))
        pace.committed()
        #expect(pace.failed() == first)
    }

    @Test("records wait for their commit by batch, and the rest of one that a commit has cut waits for the next")
    func batches() throws {
        var pace = Self.pace()
        pace.gathered()
        pace.worked(records: 2)
        pace.worked(records: 1)
        pace.gathered()
        pace.worked(records: 4)
        #expect(pace.batches.map(\.records) == [3, 4])
        let polled = try #require(pace.batches.last?.polled)
        pace.committed()
        #expect(pace.batches.isEmpty)
        pace.worked(records: 5)
        pace.worked(records: 0)
        #expect(pace.batches.map(\.records) == [5])
        #expect(pace.batches.map(\.polled) == [polled])
    }

    @Test("an idle lane waits longer and longer, a busy one hardly")
    func waits() {
        var pace = Self.pace()
        let first = pace.wait(uncommitted: false, restoring: false)
        for _ in 0..<100 { _ = pace.wait(uncommitted: false, restoring: false) }
        let later = pace.wait(uncommitted: false, restoring: false)
        #expect(first == 1 && later == 50)
        #expect(pace.wait(uncommitted: true, restoring: false) == 1)
        #expect(pace.wait(uncommitted: false, restoring: true) == 0)
        pace.gathered()
        #expect(pace.wait(uncommitted: false, restoring: false) == first)
    }
}
