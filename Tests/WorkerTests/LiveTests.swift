import KafkaClient
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
}
