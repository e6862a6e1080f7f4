import AnswerStore
import Foundation
import KafkaClient
import Synchronization
import Testing

@testable import Worker

/// A transaction fails while a batch is worked on: the gathered events that were not worked on yet have to come again.
/// The embedded broker shows aborted records, so every record has to be there at least once.
@Suite("A transaction that fails in the middle of a batch", .timeLimit(.minutes(3)))
struct AbortTests {
    @Test("questions of partitions that the batch had not come to are read again")
    func questions() async throws {
        let site = try EmbeddedSite(partitions: 3)
        let events = [(0, 1600), (1, 300), (2, 100)].flatMap { partition, count in
            (0..<count).map { Make.question("q\(partition)-\($0)", partition: Int32(partition)) }
        }
        try site.publish(events, to: site.topics.questions)
        site.injectOnceAssigned(["INVALID_TXN_STATE"], into: .addPartitionsToTransaction)
        nonisolated(unsafe) let reader = site
        try await site.work { totals in
            guard totals[0].aborts > 0, totals[0].recordsIn >= events.count else { return false }
            return Set(try reader.read(reader.topics.enriched).compactMap(\.key)).count == events.count
        }
    }

    @Test("transactions that fail one after the other for one cause write few lines")
    func fewLines() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
        let broker = site.broker
        let isDone = Atomic(false)
        let lines = Atomic(0)
        site.logger = LogHook.logger { message, _ in
            // By the fault's kind.
            if ["transaction aborted", "producer renewed"].contains(message) { lines.add(1, ordering: .relaxed) }
            guard message == "partitions assigned", !isDone.exchange(true, ordering: .relaxed) else { return }
            try? broker.inject(Array(repeating: "INVALID_TXN_STATE", count: 5), into: .addPartitionsToTransaction)
        }
        let totals = try await site.work { $0[0].aborts >= 4 && $0[0].recordsIn >= 20 }
        #expect(totals[0].aborts >= 4)
        #expect(lines.load(ordering: .relaxed) <= 2)
    }

    @Test("a partition at its end is known to be, though what was gathered with that was given up")
    func endOfPartition() async throws {
        let site = try EmbeddedSite(partitions: 2)
        let body = String(repeating: "x", count: 100_000)
        try site.publish((0..<2).map { Make.answer("a", to: "q", partition: $0, body: body) }, to: site.topics.answers)
        nonisolated(unsafe) let place = site
        let caughtUp = CaughtUp()
        site.logger = LogHook.logger { message, metadata in
            guard message == "partition caught up", let number = metadata["partition"].flatMap({ Int32("\($0)") })
            else { return }
            guard let earlier = caughtUp.add(number) else { return }
            // The events are the one partition's, the other one is empty. The lane gathers the events of both at once
            // when it goes on; and then the first of several commits of that batch fails.
            try? place.broker.inject(["INVALID_TXN_STATE"], into: .endTransaction)
            let events = (0..<100).map { _ in Make.question("q", partition: earlier) }
            try? place.publish(events, to: place.topics.questions)
            Thread.sleep(forTimeInterval: 0.5)
        }
        let configuration = site.configuration {
            $0.memoryBudgetMiB = 64
            $0.commitInterval = .seconds(30)
        }
        try await site.run(configuration) { worker in
            let report = worker.reports[0]
            try await EmbeddedSite.wait(for: "the events") {
                report.current.totals.recordsIn == 100 && report.current.totals.aborts > 0
            }
            let before = report.current.times[.idle]
            try await EmbeddedSite.wait(for: "the lane to be idle") { report.current.times[.idle] > before }
        }
    }

    /// The partitions that are worked on, in the order in which they came to be.
    private final class CaughtUp: Sendable {
        private let numbers = Mutex<[Int32]>([])

        /// - Returns: the one before it.
        func add(_ number: Int32) -> Int32? {
            numbers.withLock {
                $0.append(number)
                return $0.dropLast().last
            }
        }
    }

    @Test("records of the tables, dead letters among them, are read again")
    func tables() async throws {
        let site = try EmbeddedSite(partitions: 2)
        for partition in Int32(0)..<2 {
            let bad = (0..<1500).map { TestRecord(partition: partition, key: "bad\(partition)-\($0)", value: "{") }
            let good = (0..<100).map { Make.answer("a\($0)", to: "q\(partition)", partition: partition) }
            try site.publish(bad + good, to: site.topics.answers)
        }
        try site.publish((0..<2).map { Make.question("q\($0)", partition: $0) }, to: site.topics.questions)
        site.injectOnceAssigned(["INVALID_TXN_STATE"], into: .addPartitionsToTransaction)
        let totals = try await site.work(events: 2)
        #expect(totals.aborts > 0)
        let counts = try site.read(site.topics.enriched).map { $0.value?.suffix(18) }
        #expect(!counts.isEmpty && counts.allSatisfy { $0 == #""answerCount":100}"# })
        #expect(Set(try site.read(site.topics.deadLetter).compactMap(\.key)).count == 3000)
    }

    @Test("while a lost store is filled again, what was published stays published")
    func rewindDuringRestore() throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish(
            [TestRecord(key: "bad", value: "{"), Make.answer("a", to: "q"), TestRecord(key: "new", value: "{")],
            to: site.topics.answers)
        let state = try StateDirectory(path: site.directory.path)
        let store = try state.openStore(
            partition: 0, source: StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: 0)
        ).store
        defer { store.close() }
        let properties = ClientProperties(configuration: site.configuration(), identity: "i", lane: 0)
        let follower = try TableFollower(
            properties: properties, topics: site.topics, watch: LaneWatch(report: LaneReport(lane: 0)),
            logger: site.logger)
        defer { follower.close() }
        let partition = OwnedPartition(number: 0, store: store)
        var partitions = OwnedPartitions()
        partitions[0] = partition
        let committed = [follower.place(.answers, 0): Int64(2)]
        try follower.beginRestore(partition, committed: committed, ends: [(0, 3), (0, 0)])
        try follower.rewind([partition], committed: committed)

        var letters: [Int64] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while partition.answers.next < 3, .now < deadline {
            _ = try follower.advance(partitions, wait: 20) { letters.append($0.offset) }
        }
        #expect(letters == [2])
        #expect(store.positions.answers == 3)
    }

    @Test("what one batch of events makes is committed in parts, none larger than a transaction may be")
    func largeOutput() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let body = String(repeating: "x", count: 100_000)
        try site.publish([Make.answer("a", to: "q", body: body)], to: site.topics.answers)
        try site.publish((0..<100).map { _ in Make.question("q") }, to: site.topics.questions)
        let configuration = site.configuration {
            $0.memoryBudgetMiB = 64
            $0.commitInterval = .seconds(30)
        }
        // A transaction may hold 2 MiB then, and there are 10.
        let totals = try await site.work(configuration, events: 100)
        #expect(totals.commits >= 4)
    }
}
