import AnswerStore
import Foundation
import KafkaClient
import Synchronization
import Testing

@testable import Worker

/// At-least-once, since the embedded broker stores no offsets that go with a transaction.
@Suite("Offsets that do not match their log, on the embedded broker", .timeLimit(.minutes(3)))
struct OffsetMismatchTests {
    private func configuration(_ site: EmbeddedSite, _ policy: OffsetMismatchPolicy) -> WorkerConfiguration {
        site.configuration {
            $0.delivery = .atLeastOnce
            $0.offsetMismatch = policy
        }
    }

    private func place(_ site: EmbeddedSite, _ topic: String? = nil) -> TopicPartition {
        TopicPartition(topic: topic ?? site.topics.questions, partition: 0)
    }

    /// Commits for the workers' group.
    private func commit(_ offsets: [TopicPartition: Int64], _ site: EmbeddedSite) throws {
        let consumer = try GroupConsumer(
            properties: site.properties.overlaid(by: KafkaProperties(["group.id": "test"])), logger: site.logger)
        defer { consumer.close(timeout: .seconds(5)) }
        try consumer.commit(offsets, timeout: .seconds(20))
    }

    private func committed(_ site: EmbeddedSite) throws -> Int64? {
        let admin = try AdminClient(properties: site.properties, logger: site.logger)
        defer { admin.close() }
        return try admin.committedOffsets(group: "test", of: [place(site)], timeout: .seconds(20))[place(site)]
    }

    private func site(questions: Int = 4) throws -> EmbeddedSite {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<questions).map { Make.question("q\($0)") }, to: site.topics.questions)
        return site
    }

    /// The worker ends before it publishes, and counts the mismatch; with `continue` it goes on, and then all is well.
    private func check(
        _ site: EmbeddedSite, _ reason: OffsetResetReason, thenCommitted end: Int64, published: [String]
    ) async throws {
        let error = await #expect(throws: WorkerError.self) {
            try await site.work(configuration(site, .stop)) { _ in false }
        }
        #expect(error?.matter == .configuration)
        #expect(error?.message.contains("questions [0]") == true)
        #expect(error?.message.contains("offsets.onMismatch: continue") == true)
        #expect(try site.read(site.topics.enriched).isEmpty)

        nonisolated(unsafe) let reader = site
        let totals = try await site.work(configuration(site, .continue)) { totals in
            guard totals[0].offsetResets.total > 0, totals[0].commits > 0 else { return false }
            return try reader.read(reader.topics.enriched).count >= published.count
        }
        #expect(totals[0].offsetResets[0, reason] == 1 && totals[0].offsetResets.total == 1)
        #expect(try site.read(site.topics.enriched).map(\.key) == published)
        #expect(try committed(site) == end)

        // The group's offsets are right again, under either setting.
        try site.publish([Make.question("last")], to: site.topics.questions)
        let again = try await site.work(configuration(site, .stop)) { $0[0].recordsIn >= 1 }
        #expect(again[0].offsetResets.total == 0)
        #expect(try site.read(site.topics.enriched).map(\.key) == published + ["last"])
    }

    @Test("a committed offset beyond the log's end")
    func beyondEnd() async throws {
        let site = try site()
        try commit([place(site): 9], site)
        try await check(site, .beyondEnd, thenCommitted: 4, published: ["q0", "q1", "q2", "q3"])
    }

    /// The embedded broker keeps about 5 MiB of a partition.
    @Test("a committed offset below the log's start")
    func belowStart() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let title = String(repeating: "x", count: 400_000)
        for number in 0..<20 {
            try site.publish([Make.question("q\(number)", title: title)], to: site.topics.questions)
        }
        let span = try site.ends(of: place(site))
        try #require(span.low > 1 && span.high == 20)
        try commit([place(site): 1], site)
        try await check(
            site, .belowStart, thenCommitted: 20, published: (span.low..<20).map { "q\($0)" })
    }

    @Test("no committed offset, though the state directory has noted one")
    func missing() async throws {
        let site = try site()
        try note([3, nil, nil], site)
        try await check(site, .missing, thenCommitted: 4, published: ["q3"])
    }

    private func note(_ offsets: [Int64?], _ site: EmbeddedSite, group: String = "test") throws {
        let cluster = try Cluster.survey(
            topics: site.topics, properties: site.properties, timeout: .seconds(10), logger: site.logger)
        let state = try StateDirectory(path: site.directory.path)
        defer { state.unlock() }
        try state.note(
            CommittedMark(clusterID: cluster.id, group: group, topics: site.topics.inputs, offsets: offsets), of: 0)
    }

    @Test("what is noted of another group is none of this one's: a fresh group begins at the start")
    func freshGroup() async throws {
        let site = try site()
        try note([3, nil, nil], site, group: "another")
        let totals = try await site.work(configuration(site, .stop)) { $0[0].recordsIn >= 4 }
        #expect(totals[0].offsetResets.total == 0)
    }

    @Test("a worker notes what its group has committed, tables included")
    func notes() async throws {
        let site = try site()
        try site.publish([TestRecord(key: "bad", value: "{")], to: site.topics.answers)
        try await site.work(configuration(site, .stop)) { $0[0].recordsIn >= 4 && $0[0].deadLetters.total >= 1 }
        let state = try StateDirectory(path: site.directory.path)
        defer { state.unlock() }
        let mark = try #require(state.committedMark(of: 0))
        #expect(mark.group == "test" && mark.topics == site.topics.inputs)
        #expect(mark.offsets == [4, 1, nil])
    }

    @Test("a table whose committed offset is gone publishes no dead letter a second time")
    func missingTable() async throws {
        let site = try site()
        try site.publish((0..<3).map { TestRecord(key: "bad\($0)", value: "{") }, to: site.topics.answers)
        try commit([place(site): 4], site)
        try note([4, 2, nil], site)
        let totals = try await site.work(configuration(site, .continue)) {
            $0[0].offsetResets.total > 0 && $0[0].deadLetters.total > 0
        }
        #expect(totals[0].offsetResets[1, .missing] == 1 && totals[0].offsetResets.total == 1)
        #expect(try site.read(site.topics.deadLetter).map(\.key) == ["bad2"])
        let answers = place(site, site.topics.answers)
        let admin = try AdminClient(properties: site.properties, logger: site.logger)
        defer { admin.close() }
        #expect(try admin.committedOffsets(group: "test", of: [answers], timeout: .seconds(20)) == [answers: 3])
    }

    @Test("a store ahead of its topic is rebuilt, and counted")
    func storeAhead() async throws {
        let site = try site()
        try site.publish([Make.answer("a", to: "q0")], to: site.topics.answers)
        try commit([place(site, site.topics.answers): 7], site)
        let totals = try await site.work(configuration(site, .stop)) { $0[0].recordsIn >= 4 }
        #expect(totals[0].offsetResets[1, .beyondEnd] == 1)
    }
}
