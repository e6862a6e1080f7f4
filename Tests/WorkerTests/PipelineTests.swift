import Foundation
import KafkaClient
import Testing

@testable import Worker

@Suite("Events through a worker, on the embedded broker", .timeLimit(.minutes(3)))
struct PipelineTests {
    @Test("an event comes out with its answers and votes, under its own key, time, headers and partition number")
    func enriches() async throws {
        let site = try EmbeddedSite()
        try site.publish(
            [Make.answer("a1", to: "q1", partition: 1), Make.answer("a2", to: "q1", partition: 1)],
            to: site.topics.answers)
        try site.publish([Make.vote(1, by: "v", for: "a2", to: "q1", partition: 1)], to: site.topics.votes)
        var event = Make.question("q1", partition: 1)
        event.timestamp = 1_234_567_890_123
        event.headers = [
            RecordHeader("traceparent", "00-1"), RecordHeader("twice", "a"), RecordHeader("twice", "b"),
            RecordHeader(name: "null", value: nil),
        ]
        try site.publish([event], to: site.topics.questions)
        let totals = try await site.work(events: 1)

        let out = try site.read(site.topics.enriched)
        var expected = event
        expected.value =
            #"{"question":{"id":"q1","title":"Why?"},"answers":["#
            + #"{"answer":{"id":"a2","questionId":"q1","body":"So."},"voteCount":1,"voteLabel":"+2"},"#
            + #"{"answer":{"id":"a1","questionId":"q1","body":"So."},"voteCount":0,"voteLabel":"+1"}],"answerCount":2}"#
        #expect(out == [expected])
        #expect(totals.tableAnswers == 2 && totals.tableVotes == 1 && totals.answersAttached == 2)
    }

    @Test("W3C trace headers of a question event are on its enriched record, so that a trace goes through")
    func traceContext() async throws {
        let site = try EmbeddedSite(partitions: 1)
        var events = [Make.question("q1"), TestRecord(key: "q1", value: nil), Make.question("q2")]
        events[0].headers = [
            RecordHeader("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            RecordHeader("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ]
        events[1].headers = [RecordHeader("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]
        try site.publish(events, to: site.topics.questions)
        try await site.work(events: 3)
        #expect(try site.read(site.topics.enriched).map(\.headers) == events.map(\.headers))
    }

    @Test("a deleted question and one without answers")
    func tombstoneAndBare() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.question("q1"), TestRecord(key: "q1", value: nil)], to: site.topics.questions)
        let totals = try await site.work(events: 2)
        let out = try site.read(site.topics.enriched)
        #expect(out.map(\.value) == [#"{"question":{"id":"q1","title":"Why?"},"answers":[],"answerCount":0}"#, nil])
        #expect(totals.questionsWithoutAnswers == 1)
    }

    @Test("what cannot be processed, on all three topics, becomes a dead letter and hurts nothing else")
    func deadLetters() async throws {
        let site = try EmbeddedSite(partitions: 1)
        var bad = TestRecord(key: "q1", value: "{", headers: [RecordHeader("mine", "kept")])
        bad.timestamp = 42_000
        try site.publish([bad, Make.answer("a1", to: "q1")], to: site.topics.answers)
        try site.publish(
            [TestRecord(key: "q1", value: "[]"), Make.vote(1, by: "v", for: "a1", to: "q1")], to: site.topics.votes)
        try site.publish(
            [TestRecord(key: "other", value: #"{"id":"q1","title":"Why?"}"#), Make.question("q1")],
            to: site.topics.questions)
        let totals = try await site.work(events: 2)

        let letters = try site.read(site.topics.deadLetter)
        func header(_ letter: TestRecord, _ name: String) -> String? {
            letter.headers.first { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
        }
        let codes = Dictionary(
            uniqueKeysWithValues: letters.map {
                (header($0, "rejoinder.source.topic") ?? "", header($0, "rejoinder.error.code") ?? "")
            })
        #expect(codes == ["answers": "invalid-json", "votes": "schema", "questions": "key-mismatch"])
        let letter = try #require(letters.first { header($0, "rejoinder.source.topic") == "answers" })
        #expect(letter.key == "q1" && letter.value == "{" && letter.headers.first == RecordHeader("mine", "kept"))
        #expect(header(letter, "rejoinder.source.partition") == "0" && header(letter, "rejoinder.source.offset") == "0")
        #expect(header(letter, "rejoinder.source.timestamp") == "42000")
        #expect(totals.deadLetters.total == 3)
        #expect(try site.read(site.topics.enriched).count == 1)
    }

    @Test("a value that does not fit is cut to its best answers, one that cannot fit is a dead letter")
    func tooLarge() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish(
            (1...3).map { Make.answer("a\($0)", to: "q1", body: String(repeating: "x", count: 100)) },
            to: site.topics.answers)
        try site.publish(
            [Make.question("q1"), Make.question("q2", title: String(repeating: "y", count: 500))],
            to: site.topics.questions)
        try await site.work(site.configuration { $0.maxRecordBytes = 420 }, events: 2)
        let out = try site.read(site.topics.enriched)
        #expect(out.count == 1)
        #expect(out.first?.value?.hasSuffix(#""answerCount":3,"answersOmitted":2}"#) == true)
        let letters = try site.read(site.topics.deadLetter)
        #expect(letters.map(\.key) == ["q2"])
        #expect(letters.first?.headers.first?.value == Array("too-large".utf8))
    }

    @Test("headers take their room from the value: an event with large ones keeps fewer answers")
    func largeHeaders() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish(
            (1...9).map { Make.answer("a\($0)", to: "q1", body: String(repeating: "x", count: 100_000)) },
            to: site.topics.answers)
        var event = Make.question("q1")
        event.headers = [RecordHeader("large", String(repeating: "h", count: 400_000))]
        try site.publish([event], to: site.topics.questions)
        try await site.work(events: 1)
        let out = try site.read(site.topics.enriched)
        #expect(out.first?.headers == event.headers)
        #expect(out.first?.value?.hasSuffix(#""answerCount":9,"answersOmitted":4}"#) == true)
    }

    @Test("a dead letter that would not fit goes without its value, and says so")
    func valueOmitted() async throws {
        let site = try EmbeddedSite(partitions: 1)
        // The producer that publishes takes more than the worker's: as where they are configured differently.
        try site.publish(
            [TestRecord(key: "q1", value: String(repeating: "z", count: 60_000))], to: site.topics.questions)
        try await site.work(site.configuration { $0.kafkaProperties["message.max.bytes"] = "50000" }, events: 1)
        let letter = try #require(try site.read(site.topics.deadLetter).first)
        #expect(letter.key == "q1" && letter.value == nil)
        #expect(letter.headers.contains(RecordHeader("rejoinder.error.value-omitted", "true")))
    }

    @Test("a deletion whose headers leave no room is a dead letter too, and the worker goes on")
    func deletionWithoutRoom() async throws {
        let site = try EmbeddedSite(partitions: 1)
        var deletion = TestRecord(key: "q1", value: nil)
        deletion.headers = [RecordHeader("large", String(repeating: "h", count: 60_000))]
        try site.publish([deletion, Make.question("q2")], to: site.topics.questions)
        try await site.work(site.configuration { $0.kafkaProperties["message.max.bytes"] = "50000" }, events: 2)
        let letter = try #require(try site.read(site.topics.deadLetter).first)
        #expect(letter.key == "q1" && letter.value == nil)
        #expect(letter.headers.first == RecordHeader("rejoinder.error.code", "too-large"))
        #expect(letter.headers.contains(RecordHeader("rejoinder.error.headers-omitted", "true")))
        #expect(try site.read(site.topics.enriched).map(\.key) == ["q2"])
    }

    @Test("where the output has other partitions the key decides, as Java's murmur2 does")
    func byKey() async throws {
        let site = try EmbeddedSite(partitions: 1, outputPartitions: 4)
        // Places that Java's DefaultPartitioner gives these keys in 4 partitions, computed with an independent murmur2.
        let places: [String: Int32] = ["q-1": 2, "q-2": 0, "q-3": 1, "Grüße": 3]
        try site.publish(places.keys.sorted().map { Make.question($0) }, to: site.topics.questions)
        try await site.work(events: places.count)
        let out = try site.read(site.topics.enriched, partitions: 4)
        #expect(Dictionary(uniqueKeysWithValues: out.map { ($0.key ?? "", $0.partition) }) == places)
    }

    @Test("a restarted worker goes on where it was, and its store with it", arguments: [true, false])
    func restarts(storeLost: Bool) async throws {
        let site = try EmbeddedSite(partitions: 1)
        let configuration = site.configuration { $0.delivery = .atLeastOnce }
        try site.publish([Make.answer("a1", to: "q1"), TestRecord(key: "q1", value: "bad")], to: site.topics.answers)
        try site.publish([Make.question("q1")], to: site.topics.questions)
        try await site.work(configuration, events: 1)
        if storeLost { try FileManager.default.removeItem(at: site.directory) }
        try site.publish([Make.answer("a2", to: "q1")], to: site.topics.answers)
        try site.publish([Make.question("q1", title: "Again?")], to: site.topics.questions)
        let totals = try await site.work(configuration, events: 1)
        #expect(totals.recordsIn == 1)
        #expect(totals.tableAnswers == (storeLost ? 2 : 1))
        let out = try site.read(site.topics.enriched)
        #expect(out.count == 2)
        #expect(out.last?.value?.hasSuffix(#""answerCount":2}"#) == true)
        // Read again for the lost store, the bad answer is not published again.
        #expect(try site.read(site.topics.deadLetter).count == 1)
    }

    @Test("several lanes share the partitions, each event comes out once")
    func lanes() async throws {
        let site = try EmbeddedSite(partitions: 4)
        let events = (0..<200).map { Make.question("q\($0)", partition: Int32($0 % 4)) }
        try site.publish(events, to: site.topics.questions)
        try await site.work(site.configuration { $0.lanes = 2 }) { $0.reduce(0) { $0 + $1.recordsIn } >= 200 }
        let out = try site.read(site.topics.enriched)
        #expect(Set(out.compactMap(\.key)) == Set(events.compactMap(\.key)))
        #expect(out.count == 200)
    }
}
