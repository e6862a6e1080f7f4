import KafkaClient
import Testing
import Worker

@testable import Recording

@Suite("Replays whose records follow changes")
struct LiveReplayTests {
    private func replay(_ records: [RecordedRecord], coalesce: Int = 1000) throws -> [RecordedRecord] {
        let engine = try ReplayEngine(
            topics: TopicNames(), limits: ReplaySite.limits, publishOn: .changes(coalesce: .milliseconds(coalesce)))
        let sink = Collected()
        for record in records { try engine.feed(record, into: sink) }
        try engine.finish(into: sink)
        return sink.records
    }

    private func at(_ timestamp: Int64, _ record: RecordedRecord) -> RecordedRecord {
        var record = record
        record.timestamp = timestamp
        return record
    }

    @Test("changes are conflated by the records' own time, and the newest state is published")
    func conflates() throws {
        let out = try replay([
            at(0, ReplaySite.question("q1")), at(100, ReplaySite.answer("a1", to: "q1")),
            at(600, ReplaySite.vote(1, by: "v", for: "a1", to: "q1")),
            at(1100, ReplaySite.vote(1, by: "w", for: "a1", to: "q1")),
            at(1500, ReplaySite.answer("a1", to: "q1")),
        ])
        #expect(out.map(\.timestamp) == [0, 600, 1100])
        #expect(out.map { $0.header("rejoinder.cause") } == [nil, "answers", "votes"])
        #expect(out[1].text?.contains(#""voteLabel":"+2""#) == true)
        #expect(out[2].text?.contains(#""voteLabel":"+3""#) == true)
        #expect(out.map(\.offset) == [0, 1, 2])
    }

    @Test("a question's own event publishes what waits; a deleted one and one never asked are not published")
    func events() throws {
        let out = try replay([
            at(0, ReplaySite.answer("a1", to: "never")), at(10, ReplaySite.question("q1")),
            at(20, ReplaySite.answer("a1", to: "q1")), at(30, ReplaySite.question("q1", "Now?")),
            at(40, ReplaySite.answer("a2", to: "q1")), at(50, ReplaySite.record("questions", "q1", nil)),
            at(5000, ReplaySite.answer("a3", to: "q1")),
        ])
        #expect(out.map { $0.header("rejoinder.cause") } == [nil, nil, nil])
        #expect(out[1].text?.contains(#""answerCount":1"#) == true && out[2].value == nil)
    }

    @Test("a change that makes a record too large gives one dead letter, and the last record stays")
    func tooLarge() throws {
        let limits = RecordLimits(maxMessageBytes: 10_000, maxRecordBytes: 300)
        let engine = try ReplayEngine(topics: TopicNames(), limits: limits, publishOn: .changes(coalesce: .zero))
        let sink = Collected()
        // There is room for the question without answers, but not for the number of those left out.
        let rest = #"{"question":{"id":"q1","title":""},"answers":[],"answerCount":0}"#.utf8.count
        let title = String(repeating: "x", count: 300 - rest)
        try engine.feed(ReplaySite.question("q1", title), into: sink)
        for number in 1...3 {
            try engine.feed(ReplaySite.answer("a\(number)", to: "q1"), into: sink)
        }
        try engine.feed(ReplaySite.record("answers", "q1", nil), into: sink)
        #expect(sink.records.map(\.topic) == ["questions.enriched", "questions.dead-letter", "questions.enriched"])
        #expect(sink.records[1].header("rejoinder.error.code") == "too-large")
        #expect(sink.records[2].text == sink.records[0].text)
    }

    @Test("the last records alone: each question once, in the order of their last records")
    func lastRecords() throws {
        let engine = try ReplayEngine(
            topics: TopicNames(), limits: ReplaySite.limits, publishOn: .changes(coalesce: .zero))
        let sink = Collected()
        let last = LastRecordSink(sink)
        for record in [
            ReplaySite.question("q1"), ReplaySite.question("q2"), ReplaySite.answer("a1", to: "q1"),
            ReplaySite.record("votes", "q1", "["),
        ] {
            try engine.feed(record, into: last)
        }
        try engine.finish(into: last)
        try last.finish()
        #expect(sink.records.map { $0.key.map { String(decoding: $0, as: UTF8.self) } } == ["q1", "q2", "q1"])
        #expect(sink.records[0].topic == "questions.dead-letter")
        #expect(sink.records[2].text?.contains("a1") == true)
    }
}
