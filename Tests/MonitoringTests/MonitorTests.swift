import Histogram
import KafkaClient
import Records
import Synchronization
import Testing

@testable import Throughput
@testable import Worker

@Suite("The monitor")
struct MonitorTests {
    private func waiting(_ topic: String, _ partition: Int32, _ records: Int64) -> PartitionLag {
        PartitionLag(place: TopicPartition(topic: topic, partition: partition), records: records)
    }

    // MARK: - Lines

    @Test("one line an interval: what grew over all lanes, and rates")
    func intervals() throws {
        let fixture = MonitorFixture(lanes: 2)
        fixture.tick(9) {
            $0.totals.recordsIn += 10
            $0.totals.bytesOut += 1000
            $0.totals.commits += 1
        }
        #expect(fixture.log.all.isEmpty)
        fixture.tick { $0.totals.deadLetters[.schema] += 2 }
        let line = try #require(fixture.log.all.first)
        #expect(line.message == .interval)
        #expect(line.time == "2026-03-01T09:05:10.000Z")
        #expect(line.seconds == 10)
        #expect(line.recordsIn == 180)
        #expect(line.recordsInPerSecond == 18)
        #expect(line.bytesOutPerSecond == 1800)
        #expect(line.commits == 18)
        #expect(line.deadLettersTotal == 4)
        #expect(line.deadLetters["schema"] == 4)
        #expect(line.deadLetters["too-deep"] == 0)
        #expect(line.lanes.map(\.recordsIn) == [90, 90])
        fixture.tick(10) { $0.totals.recordsIn += 1 }
        #expect(fixture.log.all.map(\.recordsIn) == [180, 20])
        #expect(fixture.log.all.map(\.uptimeSeconds) == [10, 20])
    }

    @Test("percentiles are those of the whole interval and of all lanes, of the whole run at its end")
    func latencies() throws {
        let fixture = MonitorFixture(lanes: 2)
        // 9 x 2 x 10 short ones, 20 long ones: 10%, over ten seconds.
        fixture.tick(9) { $0.latency.record(1000, count: 10) }
        fixture.tick {
            $0.latency.record(500_000, count: 10)
            $0.commitLatency.record(20_000, count: 1)
        }
        let line = try #require(fixture.log.all.first)
        let latency = try #require(line.latencyMs)
        #expect(latency.count == 200)
        #expect(abs(latency.p50 - 1) < 0.02)
        #expect(abs(latency.p90 - 1) < 0.02)
        #expect(abs(latency.p99 - 500) < 10)
        #expect(abs(latency.max - 500) < 10)
        #expect(line.commitLatencyMs?.count == 2)
        #expect(line.eventLatencyMs == nil)
        fixture.tick(10) { $0.latency.record(1000, count: 100) }
        #expect(fixture.log.all.last?.latencyMs?.count == 2000)
        #expect((fixture.log.all.last?.latencyMs?.max ?? 0) < 2)
        fixture.monitor.end(at: fixture.now)
        let totals = try #require(fixture.log.all.last)
        #expect(totals.message == .totals)
        #expect(totals.latencyMs?.count == 2200)
        #expect(abs((totals.latencyMs?.max ?? 0) - 500) < 10)
    }

    @Test("lag by topic and partition, in order, with the largest named")
    func lags() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 1)
        fixture.reports[0].update { $0.lags = [waiting("votes", 2, 1), waiting("questions", 2, 5)] }
        fixture.reports[1].update { $0.lags = [waiting("questions", 10, 7), waiting("questions", 1, 0)] }
        fixture.tick()
        let lag = try #require(fixture.log.all.first?.lag)
        #expect(lag.total == 13)
        #expect(lag.topics == ["questions": 12, "votes": 1])
        #expect(lag.largest == .init(topic: "questions", partition: 10, records: 7))
        #expect(lag.partitions.map(\.partition) == [1, 2, 10, 2])
        #expect(fixture.log.all.first?.lanes.map(\.lag) == [6, 7])
        for report in fixture.reports { report.update { $0.lags = [] } }
        fixture.tick()
        #expect(fixture.log.all.last?.lag.largest == nil)
    }

    @Test("nobody knows the lag until every lane was told its partitions and has seen how far it is in each")
    func unknownLag() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 1)
        func last() throws -> ThroughputLine { try #require(fixture.log.all.last) }
        fixture.reports[0].update { $0.hasBeenAssigned = false }
        fixture.tick()
        #expect(try last().lag.total == nil)
        #expect(try last().lanes.map(\.lag) == [nil, 0])
        fixture.reports[0].update {
            $0.hasBeenAssigned = true
            $0.partitions = [1]
            $0.restoring = [2]
        }
        fixture.tick()
        #expect(try last().lag.total == nil)
        fixture.reports[0].update { $0.lags = [waiting("questions", 1, 5)] }
        fixture.tick()
        #expect(try last().lag.total == nil)
        #expect(try last().lag.topics == ["questions": 5])
        #expect(try last().lag.largest?.records == 5)
        fixture.reports[0].update { $0.lags.append(waiting("questions", 2, 4)) }
        fixture.tick()
        #expect(try last().lag.total == 9)
        #expect(try last().lanes.map(\.lag) == [9, 0])
    }

    @Test("time shares are of the interval, over all lanes, and add up to 1")
    func timeShares() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 2)
        fixture.tick(2) { $0.times[.lookup] += 1_000_000_000 }
        #expect(fixture.log.all.first?.timeShares[.lookup] == 1)
        fixture.reports[0].update { $0.times[.idle] += 2_000_000_000 }
        fixture.reports[1].update {
            $0.times[.committing] += 1_000_000_000
            $0.times[.reading] += 1_000_000_000
        }
        fixture.tick(2)
        let line = try #require(fixture.log.all.last)
        #expect(LaneActivity.allCases.map { line.timeShares[$0] } == [0.5, 0, 0.25, 0, 0, 0, 0.25, 0, 0])
        #expect(line.lanes.map(\.timeShares[.idle]) == [1, 0])
    }

    @Test(
        "an activity that was counted before a call came back, and turns out to have had less, is never below nothing")
    func timeTakenBack() throws {
        let fixture = MonitorFixture(interval: 1)
        fixture.tick { $0.times[.committing] += 3_000_000_000 }
        fixture.tick {
            $0.times[.committing] -= 1_000_000_000
            $0.times[.rendering] += 2_000_000_000
        }
        #expect(fixture.log.all.map(\.timeShares[.committing]) == [1, 0])
        #expect(fixture.log.all.last?.timeShares[.rendering] == 1)
    }

    @Test("stores, restores and the process's own figures")
    func storesAndProcess() throws {
        let fixture = MonitorFixture(interval: 10)
        fixture.tick(5)
        fixture.reports[0].update {
            $0.partitions = [4, 3]
            $0.restoring = [4, 5]
            $0.stores = [StoreFigures(partition: 3, bytes: 4096, answers: 7, votes: 2)]
            $0.restores = [
                RestoreProgress(partition: 5, done: 0, of: nil, since: fixture.now.instant),
                RestoreProgress(partition: 4, done: 10, of: 100, since: fixture.start.instant),
            ]
        }
        fixture.useCPU(5, residentBytes: 1 << 20)
        fixture.tick(5)
        let line = try #require(fixture.log.all.first)
        #expect(line.state == .restoring)
        #expect(line.store.bytes == 4096)
        #expect(line.store.answers == 7)
        #expect(line.store.votes == 2)
        #expect(line.store.partitions == 3)
        #expect(
            line.store.restoring == [
                .init(partition: 4, done: 10, of: 100, seconds: 10), .init(partition: 5, done: 0, of: nil, seconds: 5),
            ])
        #expect(line.process == .init(residentBytes: 1 << 20, cpuSeconds: 5, cpuCores: 0.5))
        fixture.useCPU(1, residentBytes: 0)
        fixture.tick(10)
        #expect(fixture.log.all.last?.process.cpuSeconds == 6)
        #expect(fixture.log.all.last?.process.cpuCores == 0.1)
    }

    @Test("idle is only who has nothing to do")
    func states() {
        func state(_ change: (inout LaneReport.Content) -> Void) -> ThroughputLine.State? {
            let fixture = MonitorFixture(interval: 1)
            fixture.reports[0].update(change)
            fixture.tick()
            return fixture.log.all.first?.state
        }
        let now = ContinuousClock.now
        let cases: [(ThroughputLine.State, (inout LaneReport.Content) -> Void)] = [
            (.idle, { _ in }),
            (.idle, { $0.wait = LaneWait(reason: .assignment, since: now) }),
            (.idle, { $0.totals.commits += 1 }),
            (.working, { $0.totals.tableVotes += 1 }),
            (.working, { $0.totals.deadLetters[.schema] += 1 }),
            (.working, { $0.uncommittedSince = now }),
            (.working, { $0.lags = [waiting("questions", 0, 1)] }),
            (.working, { $0.wait = LaneWait(reason: .acknowledgements, since: now) }),
            (.restoring, { $0.restoring = [1] }),
        ]
        for (index, (expected, change)) in cases.enumerated() { #expect(state(change) == expected, "case \(index)") }
    }

    // MARK: - Time

    @Test("an interval longer than intended counts as long as it was; what was missed is not made up for")
    func lateTick() {
        let fixture = MonitorFixture(interval: 10)
        fixture.tick(4) { $0.totals.recordsIn += 1 }
        fixture.pass(.milliseconds(30_400))
        fixture.tick { $0.totals.recordsIn += 70 }
        fixture.tick(3)
        #expect(fixture.log.all.map(\.seconds) == [35.4])
        #expect(fixture.log.all.map(\.recordsInPerSecond) == [2.09])
        // Whole intervals after the start.
        fixture.tick(2)
        #expect(fixture.log.all.map(\.seconds) == [35.4, 5])
    }

    @Test("paces keep to their beginning", arguments: [(0, false), (9_999, false), (10_000, true), (47_000, true)])
    func pace(milliseconds: Int, isDue: Bool) {
        let start = ContinuousClock.now
        var pace = MonitorPace(start: start, interval: .seconds(10))
        let now = start + .milliseconds(milliseconds)
        let answers = [pace.isDue(now), pace.isDue(now)]
        #expect(answers == [isDue, false])
        #expect(pace.due > now)
        #expect(Int((pace.due - start) / .seconds(10)) * 10 == Int((pace.due - start) / .seconds(1)))
    }

    // MARK: - The end

    @Test("the last line is of the whole run, and all lines before add up to it")
    func end() throws {
        let fixture = MonitorFixture(lanes: 2, interval: 5)
        fixture.tick(13) {
            $0.totals.recordsIn += 3
            $0.totals.commits += 1
            $0.times[.lookup] += 500_000_000
            $0.times[.idle] += 500_000_000
        }
        fixture.pass(.milliseconds(300))
        // Counted after the last tick, while the lanes end.
        fixture.reports[1].update { $0.totals.commits += 1 }
        fixture.monitor.end(at: fixture.now)
        let lines = fixture.log.all
        #expect(lines.map(\.message) == [.interval, .interval, .interval, .totals])
        #expect(lines.map(\.seconds) == [5, 5, 3.3, 13.3])
        let totals = try #require(lines.last)
        #expect(totals.recordsIn == 78)
        #expect(totals.commits == 27)
        #expect(totals.timeShares[.lookup] == 0.5)
        #expect(lines.dropLast().reduce(0) { $0 + $1.recordsIn } == totals.recordsIn)
        #expect(lines.dropLast().reduce(0) { $0 + $1.commits } == totals.commits)
    }

    @Test("a moment behind the last interval is a line only if something happened in it", arguments: [0, 1])
    func shortEnd(commits: Int) {
        let fixture = MonitorFixture(interval: 1)
        fixture.tick(2)
        fixture.pass(.milliseconds(2))
        fixture.reports[0].update { $0.totals.commits += commits }
        fixture.monitor.end(at: fixture.now)
        #expect(fixture.log.all.dropLast().count == 2 + commits)
        #expect(fixture.log.all.last?.message == .totals)
    }

    // MARK: - Who watches

    @Test("the history is of the last hour and no longer")
    func history() {
        let fixture = MonitorFixture(interval: 3600)
        fixture.tick(9)
        #expect(fixture.monitor.history.isEmpty)
        fixture.tick(11) { $0.totals.recordsIn += 2 }
        #expect(fixture.monitor.history.map(\.recordsIn) == [2, 20])
        #expect(fixture.monitor.latest?.recordsIn == 2)
        #expect(fixture.monitor.latest?.seconds == 1)
        for _ in 0..<Monitor.historyLines {
            fixture.pass(.seconds(9))
            fixture.tick()
        }
        #expect(fixture.monitor.history.count == Monitor.historyLines)
        #expect(fixture.monitor.history.allSatisfy { $0.recordsIn == 0 && $0.seconds == 10 })
        #expect(fixture.monitor.history.first?.uptimeSeconds == 30)
    }

    @Test("each listener gets every second, a slow one the newest, and the end of all")
    func listeners() async {
        let fixture = MonitorFixture()
        let slow = fixture.monitor.seconds()
        var quick = fixture.monitor.seconds().makeAsyncIterator()
        for second in 1...3 {
            fixture.tick()
            #expect(await quick.next()?.uptimeSeconds == Double(second))
        }
        fixture.monitor.end()
        var seen: [ThroughputLine] = []
        for await line in slow { seen.append(line) }
        #expect(seen.map(\.uptimeSeconds) == [3])
        #expect(await quick.next() == nil)
        // A subscription that comes too late ends at once.
        for await _ in fixture.monitor.seconds() { Issue.record("a line after the end") }
    }

    @Test("a sink gets every second with what the lanes reported")
    func sinks() throws {
        final class Sink: MonitorSink {
            let ticks = Mutex<[MonitorTick]>([])
            func note(_ tick: MonitorTick) { ticks.withLock { $0.append(tick) } }
        }
        let sink = Sink()
        let fixture = MonitorFixture(lanes: 2, sinks: [sink])
        fixture.tick(2) {
            $0.totals.recordsIn += 1
            $0.steps.record(10, count: 1)
        }
        let ticks = sink.ticks.withLock { $0 }
        #expect(ticks.map(\.seconds) == [1, 1])
        #expect(ticks.map(\.line.recordsIn) == [2, 2])
        #expect(ticks.map { $0.contents.map(\.totals.recordsIn) } == [[1, 1], [2, 2]])
        #expect(ticks.map { $0.contents.map(\.steps.totalCount) } == [[1, 1], [1, 1]])
    }

    @Test("the last dead letters of all lanes, oldest first")
    func deadLetters() {
        let fixture = MonitorFixture(lanes: 2)
        for (index, report) in fixture.reports.enumerated() {
            report.update { content in
                content.deadLetters = (0..<20).map { number in
                    DeadLetterNote(
                        code: .schema, place: TopicPartition(topic: "votes", partition: Int32(index)),
                        offset: Int64(number), message: "x", time: Int64(1000 + number * 2 + index))
                }
            }
        }
        fixture.tick()
        #expect(fixture.monitor.deadLetters.map(\.time) == (1020...1039).map(Int64.init))
    }
}
