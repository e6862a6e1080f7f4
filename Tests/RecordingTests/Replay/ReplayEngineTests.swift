import AnswerStore
import Foundation
import KafkaClient
import Testing
import Worker

@testable import Recording

@Suite("Replaying in process")
struct ReplayEngineTests {
    @Test("records are worked on in their order: a question sees what came before it")
    func order() throws {
        let out = try ReplaySite.replay([
            ReplaySite.question("q1"), ReplaySite.answer("a1", to: "q1"), ReplaySite.question("q1"),
            ReplaySite.vote(1, by: "v", for: "a1", to: "q1"), ReplaySite.question("q1"),
            ReplaySite.vote(0, by: "v", for: "a1", to: "q1"), ReplaySite.record("questions", "q1", nil),
        ])
        let answer = #"{"answer":{"id":"a1","questionId":"q1","body":"So."},"voteCount":"#
        let question = #"{"question":{"id":"q1","title":"Why?"},"answers":["#
        #expect(
            out.map(\.text) == [
                question + #"],"answerCount":0}"#, question + answer + #"0,"voteLabel":"+1"}],"answerCount":1}"#,
                question + answer + #"1,"voteLabel":"+2"}],"answerCount":1}"#, nil,
            ])
        #expect(out.map(\.offset) == [0, 1, 2, 3])
        #expect(out.allSatisfy { $0.topic == "questions.enriched" && $0.key == Array("q1".utf8) })
    }

    @Test("changes of many questions wait together, and none of them is missed")
    func batches() throws {
        var records: [RecordedRecord] = []
        var expected: [String: Int] = [:]
        var random = 7
        var counts: [Int] = []
        for index in 0..<20_000 {
            random = (random &* 1_103_515_245 &+ 12_345) & 0x7FFF_FFFF
            let id = "q\(random / 7 % 300)"
            if random % 3 == 0 {
                records.append(ReplaySite.question(id))
                counts.append(expected[id] ?? 0)
            } else {
                records.append(ReplaySite.answer("a\(index)", to: id))
                expected[id, default: 0] += 1
            }
        }
        let out = try ReplaySite.replay(records)
        let found = out.map { $0.text?.components(separatedBy: #""answerCount":"#).last?.dropLast() ?? "" }
        #expect(found.map { Int($0) } == counts)
    }

    @Test("partitions have nothing of each other, and offsets of their own")
    func partitions() throws {
        let out = try ReplaySite.replay([
            ReplaySite.answer("a1", to: "q1", partition: 1), ReplaySite.question("q1", partition: 0),
            ReplaySite.question("q1", partition: 1), ReplaySite.question("q1", partition: 100_000),
        ])
        #expect(out.map { $0.text?.contains("a1") } == [false, true, false])
        #expect(out.map(\.partition) == [0, 1, 100_000] && out.map(\.offset) == [0, 0, 0])
    }

    @Test("headers and times pass through; a record without a time stays one")
    func passThrough() throws {
        var event = ReplaySite.question("q1", timestamp: nil)
        event.headers = [RecordHeader("a", "1"), RecordHeader("a", "2"), RecordHeader(name: "null", value: nil)]
        let out = try ReplaySite.replay([event])
        #expect(out.first?.headers == event.headers && out.first?.timestamp == nil)
        #expect(out.first?.timestampType == .unknown)
    }

    @Test("bad records of all three topics become dead letters that say where they came from, with the source's time")
    func deadLetters() throws {
        let out = try ReplaySite.replay([
            ReplaySite.record("answers", "q1", "{", 2, 17, 41, headers: [RecordHeader("mine", "kept")]),
            ReplaySite.record("votes", "q1", "[]", 2, 3, nil),
            ReplaySite.record("questions", "other", #"{"id":"q1","title":"Why?"}"#, 2, 5, 43),
        ])
        #expect(out.map { $0.header("rejoinder.error.code") } == ["invalid-json", "schema", "key-mismatch"])
        #expect(out.map { $0.header("rejoinder.source.topic") } == ["answers", "votes", "questions"])
        #expect(out.map { $0.header("rejoinder.source.offset") } == ["17", "3", "5"])
        #expect(out.map { $0.header("rejoinder.source.timestamp") } == ["41", "-1", "43"])
        #expect(out.map(\.timestamp) == [41, nil, 43])
        #expect(out.map(\.offset) == [0, 1, 2] && out.allSatisfy { $0.topic == "questions.dead-letter" })
        #expect(out[0].headers.first == RecordHeader("mine", "kept") && out[0].text == "{")
    }

    @Test("what is too large is cut or refused as a worker does it")
    func limits() throws {
        let limits = RecordLimits(maxMessageBytes: 2_000, maxRecordBytes: 400)
        let answers = (1...3).map { ReplaySite.answer("a\($0)", to: "q1", String(repeating: "x", count: 100)) }
        let out = try ReplaySite.replay(
            answers + [
                ReplaySite.question("q1"), ReplaySite.question("q2", String(repeating: "y", count: 500)),
                ReplaySite.record("questions", "q3", String(repeating: "z", count: 5_000)),
            ], limits: limits)
        #expect(out[0].text?.hasSuffix(#""answersOmitted":2}"#) == true)
        #expect(out[1].header("rejoinder.error.code") == "too-large" && out[1].value != nil)
        #expect(out[2].header("rejoinder.error.value-omitted") == "true" && out[2].value == nil)
    }

    @Test("topics by their configured names, with what a recording has before them; others are counted")
    func names() throws {
        let topics = TopicNames(questions: "q", answers: "a", votes: "v", enriched: "out", deadLetter: "dead")
        var answer = ReplaySite.answer("a1", to: "q1")
        answer.topic = "prod.a"
        var question = ReplaySite.question("q1")
        question.topic = "prod.q"
        let engine = try ReplayEngine(topics: topics, prefix: "prod.", limits: ReplaySite.limits)
        let sink = Collected()
        for record in [answer, question, ReplaySite.question("q1")] { try engine.feed(record, into: sink) }
        #expect(sink.records.map(\.topic) == ["out"] && sink.records[0].text?.contains("a1") == true)
        #expect(engine.counts.skipped == 1 && engine.counts.questions == 1 && engine.counts.answers == 1)
    }

    @Test("a replay can begin with a worker's stores, which it leaves as they are")
    func startState() throws {
        try ReplaySite.withDirectory { directory in
            let path = directory + "/state"
            let state = try StateDirectory(path: path)
            let source = StoreSource(clusterID: "live", answersTopic: "answers", votesTopic: "votes", partition: 3)
            let store = try state.openStore(partition: 3, source: source).store
            let batch = TableBatch()
            let json = Array(#"{"id":"a1","questionId":"q1"}"#.utf8)
            try json.withUnsafeBytes { json in
                try Array("q1".utf8).withUnsafeBytes { question in
                    try Array("a1".utf8).withUnsafeBytes { id in
                        batch.append(.answer(questionID: question, answerID: id, answeredAt: nil), json: json)
                        try store.apply(batch, positions: TablePositions(answers: 5, votes: 0))
                    }
                }
            }
            let records = [
                ReplaySite.answer("a2", to: "q1", partition: 3), ReplaySite.question("q1", partition: 3),
                ReplaySite.question("q1", partition: 0),
            ]
            // In use: a store that is written to is no copy.
            #expect(throws: StateDirectoryError.self) { try ReplaySite.replay(records, startState: path) }
            store.close()
            state.unlock()
            let before = try Data(contentsOf: URL(fileURLWithPath: path + "/partitions/3/data.mdb"))
            let out = try ReplaySite.replay(records, startState: path)
            #expect(out.map { $0.text?.hasSuffix(#""answerCount":2}"#) } == [true, false])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/partitions/3/data.mdb")) == before)
            #expect(try ReplaySite.replay(records, startState: path) == out)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path + "/partitions/3/seal"))
            #expect(throws: StoreError.self) { try ReplaySite.replay(records, startState: path) }
            #expect(throws: StateDirectoryError.self) {
                try ReplaySite.replay(records, startState: directory + "/none")
            }
        }
    }

    @Test("two replays of a file write the same bytes, packed too")
    func sameBytes() throws {
        try ReplaySite.withDirectory { directory in
            func run(_ name: String) throws -> Data {
                let engine = try ReplayEngine(topics: TopicNames(), limits: ReplaySite.limits)
                let writer = try RecordingWriter(path: "\(directory)/\(name)")
                try Replay(files: ReplaySite.examples).run(engine, into: RecordingSink(writer))
                try writer.finish()
                return try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
            }
            let plain = (try run("a.jsonl"), try run("b.jsonl"))
            #expect(plain.0 == plain.1 && plain.0.count > 10_000)
            let packed = (try run("a.jsonl.zst"), try run("b.jsonl.zst"))
            #expect(packed.0 == packed.1)
        }
    }

    @Test("with the tables first every question sees all answers and votes, wherever they stand")
    func tablesFirst() throws {
        func run(_ files: [String], _ order: Replay.Order) throws -> [RecordedRecord] {
            let engine = try ReplayEngine(topics: TopicNames(), limits: ReplaySite.limits)
            let sink = Collected()
            try Replay(files: files, order: order).run(engine, into: sink)
            return sink.records.filter { $0.topic == "questions.enriched" }
        }
        let files = ReplaySite.examples
        let expected = try run(files, .asRecorded)
        #expect(try run(files.reversed(), .tablesFirst) == expected)
        #expect(try run(files.reversed(), .asRecorded) != expected)
        #expect(throws: ReplayError.self) { try run(["-"], .tablesFirst) }
    }

    @Test("the samples give what an independent program says")
    func examples() throws {
        let engine = try ReplayEngine(topics: TopicNames(), limits: ReplaySite.limits)
        let sink = Collected()
        try Replay(files: ReplaySite.examples).run(engine, into: sink)
        let folder = URL(fileURLWithPath: ReplaySite.examples[0]).deletingLastPathComponent()
        func golden(_ name: String) throws -> Set<[String]> {
            let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            return try Set(
                text.split(separator: "\n").map { line in
                    let object = try #require(
                        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
                    let headers = object["headers"] as? [String] ?? []
                    return [
                        object["topic"] as? String ?? "", "\(object["partition"] as? Int ?? -1)",
                        object["key"] as? String ?? "", object["payload"] as? String ?? "null",
                    ] + headers
                })
        }
        let found = sink.records.map { record in
            var headers = record.headers
            // For people: not a thing that another program could know.
            headers.removeAll { $0.name == "rejoinder.error.message" }
            return [
                record.topic, "\(record.partition)", String(decoding: record.key ?? [], as: UTF8.self),
                record.text ?? "null",
            ] + headers.flatMap { [$0.name, String(decoding: $0.value ?? [], as: UTF8.self)] }
        }
        let expected = try golden("enriched.golden.jsonl").union(golden("dead-letters.golden.jsonl"))
        #expect(Set(found) == expected && found.count == 19)
    }
}
