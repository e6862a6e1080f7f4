import KafkaClient
import Records
import Testing

@testable import Admin
@testable import Throughput
@testable import Worker

@Suite("The verdict")
struct VerdictTests {
    private static let place = TopicPartition(topic: "questions", partition: 3)

    private func verdict(_ fixture: MonitorFixture) throws -> Verdict {
        try #require(fixture.monitor.latest?.verdict)
    }

    /// A lane that does 100 records a second, and its share of dead letters.
    private func work(_ fixture: MonitorFixture, seconds: Int, dead: Int = 0) {
        fixture.tick(seconds) { content in
            content.totals.recordsIn += 100
            content.totals.recordsOut += 100 - dead
            content.totals.deadLetters[.schema] += dead
            content.totals.commits += 10
            content.committed = .now
        }
    }

    @Test("all records become dead letters, and that is said before anything else about the work")
    func deadLetters() throws {
        let fixture = MonitorFixture()
        work(fixture, seconds: 10, dead: 100)
        var verdict = try verdict(fixture)
        #expect(verdict.kind == .deadLetters && verdict.tone == .bad)
        #expect(verdict.line == "All records become dead letters: 1,000 in the last minute (schema 1,000)")
        #expect(verdict.runbook == "rejoinderdeadletters")
        let some = MonitorFixture()
        work(some, seconds: 10, dead: 2)
        verdict = try self.verdict(some)
        #expect(verdict.kind == .deadLetters && verdict.tone == .fair)
        #expect(verdict.line == "Dead letters: 2.0% of the records, 20 in the last minute (schema 20)")
        work(some, seconds: 60)
        #expect(try self.verdict(some).kind == .keepingUp, "after a minute without it is over")
        let few = MonitorFixture()
        work(few, seconds: 50)
        few.reports[0].update { $0.totals.deadLetters[.schema] += 1 }
        work(few, seconds: 1)
        #expect(try self.verdict(few).kind == .keepingUp, "one in thousands is no matter for the first line")
    }

    @Test("no broker answers: said within seconds, whether there was work or not")
    func unreachable() throws {
        let board = LagBoard()
        let fixture = MonitorFixture(board: board)
        board.note(ends: [Self.place: 0], at: fixture.now.instant)
        fixture.reports[0].update { $0.lags = [PartitionLag(place: Self.place, records: 0, next: 0)] }
        fixture.tick(5)
        #expect(try verdict(fixture).kind == .idle)
        board.note(failure: "Local: Timed out")
        fixture.tick(1)
        let verdict = try verdict(fixture)
        #expect(verdict.kind == .unreachable && verdict.tone == .bad)
        #expect(verdict.line == "No answer from the brokers for 6 s; the figures are as of then")
        #expect(verdict.more.contains("Local: Timed out"))
        #expect(fixture.monitor.latest?.lag.ageSeconds == 6)
        board.note(ends: [Self.place: 0], at: fixture.now.instant)
        fixture.tick(1)
        #expect(try self.verdict(fixture).kind == .idle)
    }

    @Test("a lane that commits is not cut off, whatever the probe meets")
    func committing() throws {
        let board = LagBoard()
        let fixture = MonitorFixture(board: board)
        for _ in 0..<20 { fixture.tick { [now = fixture.now.instant] in $0.committed = now } }
        #expect(try verdict(fixture).kind != .unreachable)
    }

    @Test("nothing committed for ten seconds is a stall, however long the log's interval")
    func stalled() throws {
        let fixture = MonitorFixture(interval: 3600, commitLimit: .seconds(10))
        fixture.reports[0].update {
            $0.lags = [PartitionLag(place: Self.place, records: 12, next: 0)]
            $0.wait = LaneWait(reason: .coordinator, since: fixture.now.instant, cause: "Broker: Not coordinator")
        }
        fixture.tick(9)
        #expect(try verdict(fixture).kind != .stalled)
        fixture.tick(1)
        let verdict = try verdict(fixture)
        #expect(verdict.kind == .stalled)
        #expect(verdict.line == "Stalled: 12 records wait and nothing was committed for 10 s")
        #expect(
            verdict.more.contains(
                "Lane 0 waits for the transaction coordinator to commit, for 10 s (Broker: Not coordinator)."))
        #expect(AdminHealth.ready(fixture.monitor, isStopping: false).verdict == verdict.line)
    }

    @Test("behind is a matter of time: how long the oldest record has waited, and when it will be over")
    func behind() throws {
        let board = LagBoard()
        let fixture = MonitorFixture(board: board)
        for second in 1...30 {
            board.note(ends: [Self.place: Int64(second * 200)], at: fixture.now.instant)
            fixture.reports[0].update {
                $0.lags = [PartitionLag(place: Self.place, records: 0, next: Int64(second * 100))]
            }
            work(fixture, seconds: 1)
        }
        let verdict = try verdict(fixture)
        #expect(verdict.kind == .behind && verdict.tone == .bad)
        #expect(verdict.title == "Falling behind")
        #expect(verdict.line.contains("the oldest record has waited 15 s, lag 3,000, growing by 100/s"))
        #expect(fixture.monitor.latest?.lag.seconds == 15)
        #expect(Backlog.isBehind(lag: 10, seconds: 4, perSecond: 0, objective: 5) == false)
        #expect(Backlog.isBehind(lag: 10, seconds: 6, perSecond: 1e6, objective: 5))
        #expect(Backlog.isBehind(lag: 10, seconds: 1.5, perSecond: 0, objective: 0.1) == false)
        #expect(Backlog.isBehind(lag: 100, seconds: nil, perSecond: 10, objective: 5))
    }

    @Test("no place in the group is told before a stall")
    func joining() throws {
        let fixture = MonitorFixture(interval: 1, commitLimit: .seconds(3))
        fixture.reports[0].update {
            $0.hasBeenAssigned = false
            $0.wait = LaneWait(reason: .assignment, since: fixture.now.instant)
        }
        fixture.tick(12)
        let verdict = try verdict(fixture)
        #expect(verdict.kind == .joining && verdict.tone == .bad)
        #expect(verdict.line == "No place in the group: lane 0 has waited 12 s for the group to assign partitions")
    }

    @Test("a deleted topic is the verdict of page, log and readiness alike, before the group's state")
    func topicMissing() throws {
        let fixture = MonitorFixture()
        fixture.tick { [now = fixture.now.instant] in
            $0.missingTopics = ["votes"]
            $0.wait = LaneWait(reason: .assignment, since: now)
        }
        let verdict = try verdict(fixture)
        #expect(verdict.kind.rawValue == "topic-missing" && verdict.tone == .bad)
        #expect(verdict.line == "Topic missing: votes was deleted while the worker runs")
        #expect(verdict.runbook == "rejoindertopicmissing")
        let health = AdminHealth.ready(fixture.monitor, isStopping: false)
        #expect(health.status == .topicMissing && health.missingTopics == ["votes"])
        #expect(health.verdict == verdict.line)
        fixture.reports[0].update { $0.missingTopics = ["answers", "votes"] }
        fixture.tick()
        #expect(try self.verdict(fixture).line == "Topics missing: answers, votes were deleted while the worker runs")
    }

    @Test("a lane that does not turn for a minute is the verdict of page, log and readiness alike")
    func stuck() throws {
        let reports = [LaneReport(lane: 0), LaneReport(lane: 1)]
        for report in reports {
            report.update {
                $0.hasBeenAssigned = true
                $0.turned = .now
            }
        }
        reports[1].update {
            $0.turned = .now - .seconds(75)
            $0.wait = LaneWait(reason: .input, since: .now - .seconds(75), cause: "timed out")
        }
        let monitor = Monitor(names: .test, reports: reports, options: MonitorOptions(interval: .seconds(10)))
        monitor.tick(at: .now)
        let verdict = try #require(monitor.latest?.verdict)
        #expect(verdict.kind.rawValue == "stuck" && verdict.tone == .bad)
        #expect(verdict.line == "A lane does not turn: lane 1 for 1 min 15 s")
        #expect(verdict.more.contains("Lane 1 waits for input from the broker, for 1 min 15 s (timed out)."))
        #expect(verdict.runbook == "rejoinderlanestalled")
        let health = AdminHealth.ready(monitor, isStopping: false)
        #expect(health.status == .stalled && health.verdict == verdict.line)
        #expect(health.stalledLanes?.map(\.lane) == [1])
        // An ended lane has no turns.
        reports[1].update { $0.hasEnded = true }
        monitor.tick(at: .now)
        #expect(monitor.latest?.verdict?.kind.rawValue != "stuck")
        #expect(AdminHealth.live(monitor).status == .ok)
    }

    @Test("an open transaction: the commands that find its producer and end it, and the chapter about it")
    func openTransaction() throws {
        let board = LagBoard()
        let fixture = MonitorFixture(board: board)
        for _ in 0..<20 {
            board.note(ends: [Self.place: 100], at: fixture.now.instant)
            board.note(stable: [Self.place: 40])
            fixture.reports[0].update { $0.lags = [PartitionLag(place: Self.place, records: 0, next: 40)] }
            fixture.tick()
        }
        let verdict = try verdict(fixture)
        #expect(verdict.kind == .behind)
        let place = "--topic questions --partition 3"
        let tool = "kafka-transactions.sh --bootstrap-server BROKER"
        #expect(verdict.more.contains("holds back 60 records of questions [3] from offset 40 on"))
        #expect(verdict.more.contains("\(tool) describe-producers \(place)"))
        #expect(verdict.more.contains("\(tool) abort \(place) --start-offset 40"))
        #expect(verdict.runbook == "open-transactions")
    }

    @Test("events within the freshness objective are counted")
    func freshness() throws {
        let fixture = MonitorFixture(objectiveMilliseconds: 1000)
        fixture.reports[0].update {
            for microseconds in [10_000, 900_000, 5_000_000] as [Int64] {
                $0.eventLatency.record(microseconds: microseconds, count: 2)
            }
        }
        fixture.tick()
        #expect(fixture.monitor.latest?.freshness == .init(objectiveMs: 1000, within: 4, of: 6))
    }
}

@Suite("Lanes of the sources")
struct SourceLaneMonitoringTests {
    private static let place = TopicPartition(topic: "site.post", partition: 0)

    private func fixture(_ index: SourceFigures.IndexProgress? = nil) -> MonitorFixture {
        let fixture = MonitorFixture()
        fixture.reports[0].update {
            $0.sources = SourceFigures(
                partitions: [Self.place, TopicPartition(topic: "site.post", partition: 2)], index: index)
            $0.lags = $0.sources?.partitions.map { PartitionLag(place: $0, records: 0, next: 0) } ?? []
        }
        return fixture
    }

    private func work(_ fixture: MonitorFixture, seconds: Int, dead: Int = 0) {
        fixture.tick(seconds) { content in
            content.totals.sourceRecords += 100
            content.totals.sourceRecordsPublished += 90
            content.totals.deadLetters[.source] += dead
            content.totals.commits += 10
            content.committed = .now
        }
    }

    @Test("their records are work, and dead letters are a share of them")
    func work() throws {
        let busy = fixture()
        work(busy, seconds: 10)
        var line = try #require(busy.monitor.latest)
        #expect(line.state == .working)
        #expect(line.verdict?.line == "Keeping up: 100 records/s, lag 0")
        let lane = try #require(line.lanes.first)
        #expect(lane.name == "source lane 0" && lane.partitionCount == 2)
        #expect(lane.consumed == 100 && lane.published == 90)
        #expect(line.json.contains(#""sources":[{"topic":"site.post","partitions":[0,2]}]"#))
        #expect(ThroughputLine(json: line.json)?.lanes == line.lanes)
        let few = fixture()
        work(few, seconds: 10, dead: 2)
        line = try #require(few.monitor.latest)
        #expect(line.verdict?.line == "Dead letters: 2.0% of the records, 20 in the last minute (source 20)")
    }

    @Test("reading their index is a restore, and no stall while it goes on")
    func index() throws {
        let now = ContinuousClock.now
        let fixture = fixture(.init(done: 0, of: 4000, since: now))
        fixture.tick(60) { content in
            content.wait = LaneWait(reason: .sourceIndex, since: now)
            content.sources?.index?.done += 10
        }
        let line = try #require(fixture.monitor.latest)
        #expect(line.state == .restoring)
        #expect(line.verdict?.line == "Restoring: the index of the sources, 15% done")
        #expect(line.lanes[0].sourceIndex?.done == 600)
        #expect(ThroughputLine(json: line.json)?.lanes == line.lanes)
        fixture.tick(60)
        #expect(fixture.monitor.latest?.verdict?.kind == .stalled)
    }
}
