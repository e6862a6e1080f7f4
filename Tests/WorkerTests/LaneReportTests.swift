import Enrichment
import Foundation
import KafkaClient
import Testing

@testable import Worker

@Suite("What a lane shows of itself, on the embedded broker", .timeLimit(.minutes(3)))
struct LaneReportTests {
    @Test("with nothing to do it is idle")
    func idle() async throws {
        let site = try EmbeddedSite()
        try await site.run { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "the assignment") { report.current.partitions.count == 2 }
            try await EmbeddedSite.wait(for: "the end of the partitions") {
                report.current.restoring.isEmpty && report.current.wait == nil
            }
            let before = report.current.times
            try await Task.sleep(for: .milliseconds(1000))
            let after = report.current.times
            #expect(after.total > before.total)
            #expect(Double(after[.idle] - before[.idle]) > 0.5 * Double(after.total - before.total))
            for activity in LaneActivity.allCases { #expect(after[activity] >= before[activity]) }
        }
    }

    @Test("a lane's whole life is accounted for to 2%")
    func wholeLife() async throws {
        let site = try EmbeddedSite()
        try site.publish((0..<2).map { Make.answer("a", to: "q\($0)", partition: $0) }, to: site.topics.answers)
        try site.publish((0..<500).map { Make.question("q\($0 % 2)", partition: $0 % 2) }, to: site.topics.questions)
        let report = LaneReport(lane: 0)
        let stop = StopSignal()
        nonisolated(unsafe) let place = site
        async let life = LaneRun.run(place, report: report, stop: stop)
        try await EmbeddedSite.wait(for: "the events") { report.current.totals.recordsIn == 500 }
        #expect(!report.current.hasEnded)
        stop.request()
        let wall = try await life / .nanoseconds(1)
        #expect(report.current.hasEnded)
        let times = report.current.times
        #expect(abs(Double(times.total) / wall - 1) < 0.02)
        for activity in [LaneActivity.reading, .lookup, .rendering, .producing, .committing, .applyingTables, .other] {
            #expect(times[activity] > 0, "\(activity)")
        }
    }

    @Test("a coordinator that does not commit is named while it does not, and its time is committing")
    func heldUpCommit() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.question("q")], to: site.topics.questions)
        let errors = Array(repeating: "COORDINATOR_LOAD_IN_PROGRESS", count: 10_000)
        site.injectOnceAssigned(errors, into: .endTransaction)
        let broker = site.broker
        try await site.run { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "the commit to be held up") {
                EmbeddedSite.isCommitHeldUp(report.current, for: .milliseconds(500))
            }
            let before = report.current
            #expect(before.committed == nil)
            try await Task.sleep(for: .milliseconds(200))
            let after = report.current
            // The lane itself is inside the call and says nothing.
            #expect(after.times[.committing] - before.times[.committing] >= 190_000_000)
            broker.clearErrors(of: .endTransaction)
            try await EmbeddedSite.wait(for: "the commit") {
                report.current.committed != nil && report.current.wait == nil && report.current.uncommittedSince == nil
            }
            let content = report.current
            #expect(content.commitLatency.totalCount >= 1 && content.commitLatency.max >= 500_000)
            #expect(content.latency.totalCount == 1 && content.latency.max >= 500_000)
        }
    }

    @Test("each record has its latency, those of a batch that several commits divide, too")
    func latencies() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let body = String(repeating: "x", count: 300_000)
        try site.publish(
            [TestRecord(key: "q", value: #"{"id":"a","questionId":"q","body":"\#(body)"}"#)], to: site.topics.answers)
        try site.publish((0..<40).map { _ in Make.question("q") }, to: site.topics.questions)
        // Transactions of 2 MiB: seven enriched records.
        try await site.run(site.configuration { $0.memoryBudgetMiB = 64 }) { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "the events") {
                let content = report.current
                #expect(content.latency.totalCount == UInt64(content.totals.recordsIn))
                return content.totals.recordsIn == 40
            }
            #expect(report.current.totals.commits >= 5)
        }
    }

    @Test("events that do not arrive are waited for, which is not idle")
    func missingInput() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.question("q")], to: site.topics.questions)
        try site.broker.inject(Array(repeating: "NOT_LEADER_FOR_PARTITION", count: 10_000), into: .fetch)
        let broker = site.broker
        try await site.run { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "missing input") { report.current.wait?.reason == .input }
            #expect(report.current.times[.waitingForInput] > 0)
            broker.clearErrors(of: .fetch)
            try await EmbeddedSite.wait(for: "the event") {
                report.current.totals.recordsIn == 1 && report.current.wait == nil
            }
        }
    }

    @Test("an event's age counts from its own timestamp")
    func eventTime() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let now = WallClock.microseconds / 1000
        var old = Make.question("q1")
        old.timestamp = now - 3_600_000
        var young = Make.question("q2")
        young.timestamp = now
        try site.publish([old, young], to: site.topics.questions)
        let worker = try await site.run { worker in
            try await EmbeddedSite.wait(for: "the commit") { worker.reports[0].current.eventLatency.totalCount == 2 }
        }
        let content = worker.reports[0].current
        #expect(content.eventLatency.count(within: 3_550_000_000...3_750_000_000) == 1)
        #expect(content.eventLatency.count(within: 0...120_000_000) == 1)
        #expect(content.latency.max < 120_000_000)
        #expect(content.steps.totalCount > 0 && content.committed != nil)
    }

    @Test("a restore shows how far it is, then the stores show what they hold")
    func restore() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<500).map { Make.answer("a\($0)", to: "q") }, to: site.topics.answers)
        try site.publish((0..<300).map { Make.vote(1, by: "v\($0)", for: "a1", to: "q") }, to: site.topics.votes)
        do {
            let restoring = try Restoring(site)
            defer { restoring.close() }
            let before = try #require(RestoreProgress(restoring.partition))
            #expect(before.of == 800 && before.done == 0 && before.partition == 0)
            // Nothing has been fetched yet, and the lag must not read as zero.
            #expect(restoring.lag(.answers) == 500 && restoring.lag(.votes) == 300)
            var seen: [Int64] = []
            try await EmbeddedSite.wait(for: "the restore") {
                try restoring.advance()
                seen.append(RestoreProgress(restoring.partition)?.done ?? -1)
                return seen.last == 800
            }
            #expect(seen == seen.sorted())
            #expect(restoring.lag(.answers) == 0 && restoring.lag(.votes) == 0)
        }
        let worker = try await site.run { worker in
            try await EmbeddedSite.wait(for: "the stores' figures") {
                worker.reports[0].current.stores.first.map { $0.answers == 500 && $0.votes == 300 } ?? false
            }
            #expect(worker.reports[0].current.hasBeenAssigned && worker.reports[0].current.restores.isEmpty)
        }
        #expect(worker.reports[0].current.stores[0].bytes > 10_000)
    }

    @Test("a short call does not hide what the lane waits for all the time, a long one does")
    func standingWait() {
        let report = LaneReport(lane: 0)
        let watch = LaneWatch(report: report)
        watch.stand(LaneWait(reason: .restore, since: .now - .seconds(60)))
        watch.during(.store, as: .applyingTables) { #expect(report.current.wait?.reason == .restore) }
        #expect(report.current.wait?.reason == .restore)
        watch.during(.store, as: .applyingTables, since: .now - .seconds(5)) {
            #expect(report.current.wait?.reason == .store)
        }
        watch.stand(nil)
        watch.during(.coordinator, as: .committing, cause: "because") {
            #expect(report.current.wait?.reason == .coordinator && report.current.wait?.cause == "because")
        }
        #expect(report.current.wait == nil)
    }

    @Test("a wait of many short pieces began with the first of them")
    func pieces() {
        let report = LaneReport(lane: 0)
        let watch = LaneWatch(report: report)
        var since: ContinuousClock.Instant?
        watch.duringPiece(.producerQueue, as: .producing, cause: "full") { since = report.current.wait?.since }
        watch.duringPiece(.producerQueue, as: .producing, cause: "full") {
            #expect(since != nil && report.current.wait?.since == since)
        }
        watch.during(.coordinator, as: .committing) { #expect(report.current.wait?.since != since) }
    }

    @Test("before the group has given it its part a lane says so")
    func unassigned() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.broker.inject(Array(repeating: "COORDINATOR_LOAD_IN_PROGRESS", count: 10_000), into: .joinGroup)
        let broker = site.broker
        try await site.run { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "the wait") { report.current.wait?.reason == .assignment }
            #expect(!report.current.hasBeenAssigned && report.current.uncommittedSince == nil)
            broker.clearErrors(of: .joinGroup)
            try await EmbeddedSite.wait(for: "the assignment") { report.current.hasBeenAssigned }
        }
    }

    @Test("the latest dead letters, oldest first, at most so many")
    func deadLetters() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let bad = (0..<50).map { TestRecord(key: "bad\($0)", value: "{") }
        try site.publish(bad, to: site.topics.questions)
        let worker = try await site.run { worker in
            try await EmbeddedSite.wait(for: "the dead letters") {
                worker.reports[0].current.totals.deadLetters.total == 50
            }
        }
        let notes = worker.reports[0].current.deadLetters
        #expect(notes.map(\.offset) == Array(30..<50))
        let last = try #require(notes.last)
        #expect(last.code == .invalidJSON && last.place == TopicPartition(topic: "questions", partition: 0))
        #expect(!last.message.isEmpty && abs(last.time - WallClock.microseconds / 1000) < 120_000)
    }

    @Test("what an abort has made void and is done again counts once")
    func countsOnce() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.answer("a", to: "q")], to: site.topics.answers)
        let events = (0..<20).map { _ in Make.question("q") } + [TestRecord(key: "bad", value: "{")]
        nonisolated(unsafe) let reader = site
        let worker = try await site.run { worker in
            // Or the transaction that fails could be the one with the tables' positions alone.
            try await EmbeddedSite.wait(for: "the tables' commit") { worker.reports[0].current.totals.commits > 0 }
            try reader.broker.inject(["INVALID_TXN_STATE"], into: .endTransaction)
            try reader.publish(events, to: reader.topics.questions)
            try await EmbeddedSite.wait(for: "the second try") { worker.reports[0].current.totals.recordsIn == 21 }
            #expect(worker.reports[0].current.totals.aborts >= 1)
            // The embedded broker shows aborted records: the aborted try is in the topic.
            #expect(try reader.read(reader.topics.enriched).count > 20)
        }
        let content = worker.reports[0].current
        #expect(content.totals.recordsOut == 20 && content.totals.answersAttached == 20)
        #expect(content.totals.deadLetters.total == 1 && content.deadLetters.count == 1)
        #expect(content.totals.tableAnswers == 1)
        #expect(content.latency.totalCount == 21 && content.eventLatency.totalCount == 21)
    }
}
