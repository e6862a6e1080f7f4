import KafkaClient
import Testing

@testable import Throughput
@testable import Worker

@Suite("Lags as the brokers tell them")
struct LagBoardTests {
    private static let place = TopicPartition(topic: "questions", partition: 3)
    private let start = ContinuousClock.now

    private func lag(_ next: Int64, _ records: Int64 = 0) -> [PartitionLag] {
        [PartitionLag(place: Self.place, records: records, next: next)]
    }

    @Test(
        "a lane whose fetches are late believes that nothing waits; the broker's end tells what does, and how old that is"
    )
    func lateFetches() throws {
        let board = LagBoard()
        board.note(ends: [Self.place: 100], at: start)
        board.note(ends: [Self.place: 7_793], at: start + .seconds(6))
        let lag = try #require(board.bringUp(lag(100), at: start + .seconds(8)).first)
        #expect(lag.records == 7_693)
        #expect(lag.seconds == 2 && lag.age == 2)
    }

    @Test("what a lane has seen beyond the last answer counts, and a partition that was not asked for stays as it was")
    func lanesOwn() throws {
        let board = LagBoard()
        #expect(board.bringUp(lag(5, 7), at: start) == lag(5, 7))
        board.note(ends: [Self.place: 10], at: start)
        #expect(try #require(board.bringUp(lag(8, 40), at: start).first).records == 40)
        #expect(try #require(board.bringUp(lag(12), at: start).first).records == 0)
    }

    @Test("the oldest record's age is the time since the look that first saw it")
    func ages() throws {
        let board = LagBoard()
        for second in 0..<60 { board.note(ends: [Self.place: Int64(second * 10)], at: start + .seconds(second)) }
        let now = start + .seconds(60)
        #expect(board.bringUp(lag(205), at: now).first?.seconds == 39)
        #expect(board.bringUp(lag(590), at: now).first?.seconds == 0)
        // It was there before anything was looked at.
        board.note(ends: [Self.place: 600], at: start + .seconds(60))
        let backlog = LagBoard()
        backlog.note(ends: [Self.place: 100], at: start)
        #expect(backlog.bringUp(lag(50), at: now).first?.seconds == nil)
        #expect(backlog.unknownArrivals(lag(50)) == [Self.place: 50])
        let hourAgo = Int64((LogClock.secondsSince1970 - 3600) * 1000)
        backlog.note(timestamp: hourAgo, of: Self.place, at: 50)
        let seconds = try #require(backlog.bringUp(lag(50), at: now).first?.seconds)
        #expect(abs(seconds - 3600) < 5)
        #expect(backlog.unknownArrivals(lag(50)).isEmpty)
    }

    @Test("a partition that is being taken over has the lag from the group's committed offset, once both are known")
    func takingOver() throws {
        let board = LagBoard()
        var content = LaneReport.Content()
        content.takingOver = [Self.place]
        func lags(at now: ContinuousClock.Instant) -> [PartitionLag] {
            var raised = content
            board.bringUp(&raised, at: now)
            return raised.lags
        }
        #expect(lags(at: start).isEmpty)
        board.note(committed: [Self.place: 40])
        #expect(lags(at: start).isEmpty, "a lag of zero would be made up")
        board.note(ends: [Self.place: 100], at: start)
        let lag = try #require(lags(at: start + .seconds(1)).first)
        #expect(lag.records == 60 && lag.next == 40 && lag.age == 1)
    }

    @Test("many looks are kept as few, and those of what is done go")
    func bounded() throws {
        var arrivals = ArrivalTimes()
        for second in 0..<2_000 { arrivals.note(end: Int64(second), at: start + .seconds(second)) }
        for position in [500, 1_500, 1_900] as [Int64] {
            guard case .at(let time) = try #require(arrivals.arrival(ofRecordAt: position)) else {
                Issue.record("not seen")
                return
            }
            let age = 2_000 - Double(position)
            #expect(abs((time - start) / .seconds(1) - Double(position)) < 0.1 * age)
        }
        arrivals.forget(below: 1_990)
        #expect(arrivals.arrival(ofRecordAt: 1_995) != nil)
        #expect(arrivals.arrival(ofRecordAt: 20_000) == nil)
        // A topic that was made anew.
        arrivals.note(end: 3, at: start + .seconds(20_000))
        #expect(arrivals.arrival(ofRecordAt: 1) == .before(start + .seconds(20_000)))
    }

    @Test("records that an open transaction holds back, and from where on")
    func heldBack() throws {
        let board = LagBoard()
        board.note(ends: [Self.place: 7_793], at: start)
        board.note(stable: [Self.place: 100])
        let lag = try #require(board.bringUp(lag(100), at: start).first)
        #expect(lag.heldBack == .init(records: 7_693, from: 100))
        #expect(board.bringUp(self.lag(50), at: start).first?.heldBack == nil, "there is other work before")
    }

    @Test("silence is the time since some broker answered")
    func silence() {
        let board = LagBoard()
        board.note(ends: [Self.place: 1], at: start)
        board.note(failure: "timed out")
        #expect(board.silence(at: start + .seconds(7)) == .init(seconds: 7, reason: "timed out"))
        board.note(ends: [Self.place: 1], at: start + .seconds(8))
        #expect(board.silence(at: start + .seconds(8)) == .init(seconds: 0, reason: nil))
    }
}
