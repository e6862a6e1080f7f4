import KafkaClient
import Logging
import Synchronization
import Testing

@testable import Worker

@Suite("Records that follow changes, on the embedded broker", .timeLimit(.minutes(3)))
struct LiveTests {
    private static func cause(_ record: TestRecord) -> String? {
        record.headers.last { $0.name == "rejoinder.cause" }?.value.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a question is published again when an answer comes, with its headers, the cause and the later time")
    func follows() async throws {
        let site = try EmbeddedSite(partitions: 1)
        var question = Make.question("q1")
        question.headers = [RecordHeader("trace", "1")]
        try site.publish([question], to: site.topics.questions)
        nonisolated(unsafe) let reader = site
        let configuration = site.configuration { $0.publishOn = .changes(coalesce: .milliseconds(50)) }
        let worker = try await site.run(configuration) { worker in
            let totals = { worker.reports[0].current.totals }
            try await EmbeddedSite.wait(for: "the question") { totals().recordsIn == 1 }
            var answer = Make.answer("a1", to: "q1")
            answer.timestamp = 1_700_000_005_000
            // Twice the same: seen once.
            try reader.publish([answer, answer], to: reader.topics.answers)
            try await EmbeddedSite.wait(for: "the change") { totals().republishedByAnswers == 1 }
            try await EmbeddedSite.wait(for: "the end of the wait") {
                worker.reports[0].current.waiting?.questions == 0
            }
        }
        let out = try site.read(site.topics.enriched)
        #expect(out.map(Self.cause) == [nil, "answers"])
        #expect(out.last?.timestamp == 1_700_000_005_000 && out.last?.headers.first == RecordHeader("trace", "1"))
        #expect(worker.reports[0].current.totals.recordsOut == 2)
    }

    @Test("neither question events nor changes starve while both have a backlog")
    func neitherStarves() async throws {
        let (asked, events) = (16_000, 24_000)
        let title = String(repeating: "t", count: 100)
        let site = try EmbeddedSite(partitions: 1)
        // Little memory makes small transactions.
        let configuration = site.configuration {
            $0.delivery = .atLeastOnce
            $0.publishOn = .changes(coalesce: .zero)
            $0.memoryBudgetMiB = 64
        }
        try site.publish((0..<asked).map { Make.question("q\($0)", title: title) }, to: site.topics.questions)
        try await site.work(configuration) { $0[0].recordsIn >= asked }
        try site.publish((0..<asked).map { Make.answer("a", to: "q\($0)") }, to: site.topics.answers)
        try site.publish((0..<events).map { Make.question("e\($0)", title: title) }, to: site.topics.questions)

        let (report, stop) = (LaneReport(lane: 0), StopSignal())
        let commits = Mutex<[(events: Int, changes: Int)]>([])
        site.logger = LogHook.logger { message, _ in
            guard message == "committed" else { return }
            let totals = report.current.totals
            commits.withLock { $0.append((totals.recordsIn, totals.republishedByAnswers)) }
        }
        site.logger.logLevel = .trace
        nonisolated(unsafe) let place = site
        async let life = LaneRun.run(place, configuration: configuration, report: report, stop: stop)
        defer { stop.request() }
        try await EmbeddedSite.wait(for: "events and changes") {
            let totals = report.current.totals
            return totals.recordsIn == events && totals.republishedByAnswers == asked
        }
        stop.request()
        _ = try await life
        let busy = commits.withLock { commits in
            commits.filter { $0.events + $0.changes > 0 }.prefix { $0.events < events && $0.changes < asked }
        }
        try #require(busy.count >= 3, "too few commits: \(busy)")
        for (earlier, later) in zip(busy, busy.dropFirst(2)) {
            #expect(later.events > earlier.events && later.changes > earlier.changes, "\(busy)")
        }
    }
}
