import KafkaClient
import Logging
import Testing

@testable import Admin
@testable import Throughput
@testable import Worker

@Suite("Stalled lanes")
struct StallTests {
    private static let waiting = [PartitionLag(place: TopicPartition(topic: "questions", partition: 3), records: 12)]

    private func messages(_ fixture: MonitorFixture) -> [String] { fixture.entries.all.map(\.message) }

    @Test("input waits and nothing is committed for three intervals: which lane, what it waits for, and why")
    func warning() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 10)
        fixture.tick(5) { $0.totals.commits += 1 }
        fixture.reports[1].update {
            $0.lags = Self.waiting
            $0.wait = LaneWait(reason: .coordinator, since: fixture.now.instant, cause: "Local: Timed out")
        }
        // Inside a call of librdkafka: it publishes nothing, and does not turn.
        fixture.tick(29, hanging: [1])
        #expect(fixture.entries.all.isEmpty)
        #expect(fixture.monitor.latest?.state == .working)
        fixture.tick(hanging: [1])
        let entry = try #require(fixture.entries.all.first)
        #expect(entry.level == .warning)
        #expect(entry.message == "stalled")
        #expect(entry.metadata["lane"] == "1")
        #expect(entry.metadata["seconds"] == "30")
        #expect(entry.metadata["lag"] == "12")
        #expect(entry.metadata["largest"] == "questions [3]")
        #expect(entry.metadata["waitingFor"] == "the transaction coordinator to commit")
        #expect(entry.metadata["waitingSeconds"] == "30")
        #expect(entry.metadata["cause"] == "Local: Timed out")
        #expect(fixture.monitor.latest?.state == .stalled)
        fixture.tick(6, hanging: [1])
        #expect(fixture.log.all.last?.state == .stalled)
    }

    @Test("the limit is one of seconds, however long the log's interval is, and longer only where lanes rest longer")
    func limit() {
        #expect(MonitorOptions(interval: .seconds(3600)).commitLimit == .seconds(10))
        #expect(MonitorOptions(interval: .seconds(1), commitInterval: .milliseconds(100)).commitLimit == .seconds(10))
        #expect(MonitorOptions(interval: .seconds(1), commitInterval: .seconds(30)).commitLimit == .seconds(90))
    }

    @Test("it is told once, then whenever six more limits have passed, then that it is over")
    func repeated() throws {
        let fixture = MonitorFixture(interval: 2)
        fixture.tick(5) { $0.lags = Self.waiting }
        #expect(messages(fixture) == [])
        fixture.tick(36)
        #expect(messages(fixture) == ["stalled"])
        fixture.tick()
        #expect(messages(fixture) == ["stalled", "stalled"])
        fixture.tick(36)
        #expect(messages(fixture) == ["stalled", "stalled", "stalled"])
        fixture.tick { $0.totals.commits += 1 }
        let over = try #require(fixture.entries.all.last)
        #expect(over.message == "no longer stalled")
        #expect(over.level == .info)
        #expect(over.metadata["seconds"] == "78")
        #expect(fixture.monitor.latest?.state == .working)
        fixture.tick(5)
        #expect(fixture.entries.all.count == 4)
    }

    @Test("a lane that has nothing to do, that commits, or that restores, is not stalled")
    func wellLanes() {
        let idle = MonitorFixture(interval: 1)
        idle.tick(20)
        #expect(idle.entries.all.isEmpty)
        let working = MonitorFixture(interval: 1)
        for _ in 0..<10 {
            working.tick(2) { $0.lags = Self.waiting }
            working.tick { $0.totals.commits += 1 }
        }
        #expect(working.entries.all.isEmpty)
        let restoring = MonitorFixture(interval: 1)
        restoring.tick(20) {
            $0.lags = Self.waiting
            $0.restoring = [3]
            $0.totals.tableVotes += 10
        }
        #expect(restoring.entries.all.isEmpty)
        // Got on with, but not committed: it does stall.
        let uncommitted = MonitorFixture(interval: 1)
        uncommitted.tick(20) {
            $0.lags = Self.waiting
            $0.totals.recordsIn += 10
            $0.totals.tableVotes += 10
        }
        #expect(messages(uncommitted).first == "stalled")
    }

    @Test("a lane with everything in its hands and nothing left at the broker is stalled all the same")
    func worksInHand() {
        let fixture = MonitorFixture(interval: 1)
        fixture.tick(3, hanging: [0])
        #expect(fixture.entries.all.isEmpty)
        fixture.reports[0].update { $0.wait = LaneWait(reason: .acknowledgements, since: fixture.now.instant) }
        fixture.tick(3, hanging: [0])
        #expect(messages(fixture) == ["stalled"])
    }

    @Test("a lane that says nothing: since when it has not turned")
    func silent() throws {
        let fixture = MonitorFixture(interval: 1)
        fixture.reports[0].update { $0.lags = Self.waiting }
        fixture.tick(3, hanging: [0])
        let entry = try #require(fixture.entries.all.first)
        #expect(entry.metadata["lastTurnSeconds"] == "3")
        #expect(entry.metadata["waitingFor"] != nil)
    }

    @Test("time for which the whole process stood still is not held against its lanes")
    func stoppedProcess() {
        let fixture = MonitorFixture(interval: 10)
        fixture.tick { $0.lags = Self.waiting }
        fixture.pass(.seconds(600))
        fixture.tick()
        fixture.tick(10)
        #expect(fixture.entries.all.isEmpty)
    }

    @Test("a lane that the group does not take in, or not again", arguments: [true, false])
    func unassigned(hasBeenAssigned: Bool) {
        let fixture = MonitorFixture(interval: 1)
        fixture.reports[0].update {
            $0.hasBeenAssigned = hasBeenAssigned
            $0.wait = LaneWait(reason: .assignment, since: fixture.now.instant)
        }
        fixture.tick(2)
        #expect(fixture.monitor.latest?.state == .idle)
        #expect(AdminHealth.ready(fixture.monitor, isStopping: false).status == .joining)
        fixture.tick()
        #expect(fixture.entries.all.first?.metadata["waitingFor"] == "the group to assign partitions")
        #expect(fixture.monitor.latest?.state == .stalled)
        // None is an answer, too.
        fixture.tick {
            $0.hasBeenAssigned = true
            $0.wait = nil
        }
        #expect(messages(fixture) == ["stalled", "no longer stalled"])
        #expect(fixture.monitor.latest?.state == .idle)
    }

    @Test("a lane that ends while it is stalled is not told to have recovered, nor to be stalled ever after")
    func ended() {
        let fixture = MonitorFixture(lanes: 2, interval: 1)
        fixture.reports[0].update { $0.wait = LaneWait(reason: .coordinator, since: fixture.now.instant) }
        fixture.tick(3, hanging: [0])
        #expect(messages(fixture) == ["stalled"])
        fixture.reports[0].update {
            $0.wait = nil
            $0.hasEnded = true
        }
        fixture.tick(20)
        fixture.monitor.end(at: fixture.now)
        #expect(messages(fixture) == ["stalled"])
        #expect(fixture.log.all.last?.state == .stalled)
    }

    @Test("a stalled lane whose last commit came through has recovered")
    func endedWell() {
        let fixture = MonitorFixture(interval: 1)
        fixture.tick(3) { $0.lags = Self.waiting }
        fixture.reports[0].update {
            $0.totals.commits += 1
            $0.hasEnded = true
        }
        fixture.monitor.end(at: fixture.now)
        #expect(messages(fixture) == ["stalled", "no longer stalled"])
    }

    @Test("a lane that has lost its partitions is no longer stalled")
    func lostPartitions() {
        let fixture = MonitorFixture(interval: 1)
        fixture.tick(3) { $0.lags = Self.waiting }
        fixture.tick { $0.lags = [] }
        #expect(messages(fixture) == ["stalled", "no longer stalled"])
    }
}
