import KafkaClient
import Records
import Testing

@testable import Worker

@Suite("What a question would be published as, on the embedded broker", .timeLimit(.minutes(3)))
struct PreviewTests {
    private static func ask(
        _ worker: WorkerService, _ record: TestRecord, partition: Int32? = nil, patience: Duration = .seconds(30)
    ) async -> Preview {
        await worker.preview(
            key: Array((record.key ?? "").utf8), value: Array((record.value ?? "").utf8),
            partition: partition ?? record.partition, patience: patience)
    }

    private static func isSettled(_ worker: WorkerService, partitions: Int) -> Bool {
        let content = worker.reports[0].current
        return content.partitions.count == partitions && content.restoring.isEmpty
    }

    @Test("it is what is published, byte for byte")
    func same() async throws {
        let site = try EmbeddedSite()
        try site.publish(
            (0..<3).map { Make.answer("a\($0)", to: "q1", partition: 1) }, to: site.topics.answers)
        try site.publish([Make.vote(1, by: "v", for: "a2", to: "q1", partition: 1)], to: site.topics.votes)
        let event = Make.question("q1", partition: 1)
        try site.publish([event], to: site.topics.questions)
        nonisolated(unsafe) let reader = site
        try await site.run { worker in
            try await EmbeddedSite.wait(for: "the event") { worker.reports[0].current.totals.recordsOut == 1 }
            let published = try #require(try reader.read(reader.topics.enriched).first?.value)
            #expect(published.contains(#""answerCount":3"#))
            #expect(await Self.ask(worker, event) == .enriched(Array(published.utf8)))
        }
        #expect(try site.read(site.topics.enriched).count == 1)
    }

    @Test("a bad one is refused with the dead letter's reason; nothing is published")
    func refused() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try await site.run { worker in
            try await EmbeddedSite.wait(for: "the partition") { Self.isSettled(worker, partitions: 1) }
            let bad = TestRecord(key: "other", value: #"{"id":"q1","title":"Why?"}"#)
            guard case .refused(.keyMismatch, let reason) = await Self.ask(worker, bad) else {
                Issue.record("not refused")
                return
            }
            #expect(!reason.isEmpty)
        }
        #expect(try site.read(site.topics.deadLetter).isEmpty)
    }

    @Test("a partition that nobody has, before, while and after the worker runs")
    func notOwned() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let before = try WorkerService(
            configuration: site.configuration { $0.stateDirectory += "/other" }, logger: site.logger)
        #expect(await Self.ask(before, Make.question("q")) == .notOwned)
        let worker = try await site.run { worker in
            try await EmbeddedSite.wait(for: "the partition") { Self.isSettled(worker, partitions: 1) }
            #expect(await Self.ask(worker, Make.question("q"), partition: 7) == .notOwned)
            #expect(await Self.ask(worker, Make.question("q"), partition: -1) == .notOwned)
        }
        #expect(await Self.ask(worker, Make.question("q")) == .notOwned)
    }

    @Test("while a partition is restored nothing half-loaded is shown")
    func restoring() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.answer("a", to: "q")], to: site.topics.answers)
        try site.broker.inject(Array(repeating: "NOT_LEADER_FOR_PARTITION", count: 10_000), into: .fetch)
        let broker = site.broker
        try await site.run { worker in
            try await EmbeddedSite.wait(for: "the restore") { worker.reports[0].current.wait?.reason == .restore }
            #expect(await Self.ask(worker, Make.question("q")) == .restoring)
            broker.clearErrors(of: .fetch)
            try await EmbeddedSite.wait(for: "its end") { Self.isSettled(worker, partitions: 1) }
            guard case .enriched = await Self.ask(worker, Make.question("q")) else {
                Issue.record("not enriched")
                return
            }
        }
    }

    @Test("a lane that is held up lets nobody wait for it longer than the patience, nor more than it has room for")
    func busy() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let broker = site.broker
        try site.publish([Make.question("q")], to: site.topics.questions)
        site.injectOnceAssigned(Array(repeating: "COORDINATOR_LOAD_IN_PROGRESS", count: 10_000), into: .endTransaction)
        try await site.run { worker in
            try await EmbeddedSite.wait(for: "the commit to be held up") {
                EmbeddedSite.isCommitHeldUp(worker.reports[0].current, for: .milliseconds(300))
            }
            #expect(await Self.ask(worker, Make.question("q"), patience: .milliseconds(100)) == .busy)
            // As many as there is room for, the one before having been given up, and one more.
            let waiting = (0..<PreviewInbox.capacity).map { _ in
                PreviewRequest(key: Array("q".utf8), value: [], partition: 0)
            }
            for request in waiting { worker.inboxes[0].post(request) }
            #expect(waiting.allSatisfy { !$0.isAnswered })
            #expect(await Self.ask(worker, Make.question("q")) == .busy)
            broker.clearErrors(of: .endTransaction)
            for request in waiting {
                guard case .refused(.invalidJSON, _) = await request.answer() else {
                    Issue.record("not answered")
                    return
                }
            }
        }
    }

    @Test("whoever asks and goes away is not waited for")
    func cancelled() async throws {
        let request = PreviewRequest(key: [], value: [], partition: 0)
        request.answer(.busy)
        request.answer(.notOwned)
        #expect(await request.answer() == .busy)

        let inbox = PreviewInbox()
        inbox.post(request)
        #expect(inbox.isEmpty && inbox.take().isEmpty)
        inbox.open()
        let left = PreviewRequest(key: [], value: [], partition: 0)
        inbox.post(left)
        #expect(!inbox.isEmpty)
        inbox.close()
        #expect(await left.answer() == .notOwned)
        let late = PreviewRequest(key: [], value: [], partition: 0)
        inbox.post(late)
        #expect(await late.answer() == .notOwned)
    }
}
