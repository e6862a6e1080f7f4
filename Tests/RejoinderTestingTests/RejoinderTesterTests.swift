import Foundation
import RejoinderTesting
import Testing

@Suite("The library for users' tests")
struct RejoinderTesterTests {
    private let question = #"{"id":"q1","title":"Why?"}"#
    private let answer = #"{"id":"a1","questionId":"q1","body":"So."}"#
    private let vote =
        #"{"questionId":"q1","answerId":"a1","voterId":"v","value":1,"castAt":"2025-01-01T00:00:00Z"}"#

    @Test("three calls: what was sent before a question is attached to it")
    func threeCalls() throws {
        let site = try RejoinderTester()
        try site.send(answer: answer)
        try site.send(vote: vote)
        try site.send(question: question, timestamp: 42, headers: [RecordHeader("trace", "1")])

        let record = try #require(site.enriched.first)
        #expect(
            record.text
                == #"{"question":\#(question),"answers":[{"answer":\#(answer),"voteCount":1,"voteLabel":"+2"}],"#
                + #""answerCount":1}"#)
        #expect(record.key == "q1" && record.timestamp == 42 && record.headers == [RecordHeader("trace", "1")])
        #expect(record.answers.map(\.id) == ["a1"] && record.answers.map(\.voteLabel) == ["+2"])
        #expect(record.answerCount == 1 && site.enriched.count == 1 && site.deadLetters.isEmpty)
    }

    @Test("records follow changes: what is sent after a question publishes it again")
    func followsChanges() throws {
        let site = try RejoinderTester()
        site.publishOn = .changes
        try site.send(question: question, timestamp: 42, headers: [RecordHeader("trace", "1")])
        try site.send(answer: answer, timestamp: 50)
        try site.send(answer: answer, timestamp: 51)
        try site.send(vote: vote, timestamp: 60)
        #expect(site.enriched.map(\.answerCount) == [0, 1, 1])
        #expect(site.enriched.map(\.timestamp) == [42, 50, 60])
        #expect(site.enriched[2].headers == [RecordHeader("trace", "1"), RecordHeader("rejoinder.cause", "votes")])
        #expect(site.latest("q1")?.answers.map(\.voteLabel) == ["+2"])
        try site.deleteQuestion("q1")
        try site.forgetVotes(ofQuestion: "q1")
        #expect(site.enriched.count == 4 && site.latest("q1")?.isDeletion == true)

        site.publishOn = .changes(coalesceMilliseconds: 1000)
        try site.send(question: question, timestamp: 100)
        try site.send(vote: vote, timestamp: 200)
        #expect(site.enriched.count == 5)
        try site.settle()
        #expect(site.enriched.count == 6 && site.latest("q1")?.timestamp == 200)
        site.publishOn = .questions
        try site.forgetVotes(ofQuestion: "q1")
        try site.settle()
        #expect(site.enriched.count == 6)
    }

    @Test("decoding a record as the user's own type")
    func decodes() throws {
        struct Page: Decodable {
            struct Question: Decodable { var title: String }
            var question: Question
        }
        let site = try RejoinderTester()
        try site.send(question: question)
        #expect(try site.latest("q1")?.decode(Page.self).question.title == "Why?")
        #expect(site.latest("q2") == nil)
    }

    @Test("deleting and forgetting")
    func tombstones() throws {
        let site = try RejoinderTester()
        try site.send(answer: answer)
        try site.send(vote: vote)
        try site.forgetVotes(ofQuestion: "q1")
        try site.send(question: question)
        #expect(site.latest("q1")?.answers.map(\.voteCount) == [0])
        try site.forgetAnswers(ofQuestion: "q1")
        try site.send(question: question)
        #expect(site.latest("q1")?.answerCount == 0)
        try site.deleteQuestion("q1")
        #expect(site.latest("q1")?.isDeletion == true)
        #expect(site.enriched.count == 3)
    }

    @Test("a bad record is no error but a dead letter")
    func deadLetters() throws {
        let site = try RejoinderTester()
        try site.send(question: "{")
        try site.send(answer: answer, key: "other")
        try site.send(vote: "{}")
        #expect(site.deadLetters.map(\.code) == ["invalid-json", "key-mismatch", "schema"])
        #expect(site.deadLetters.map(\.sourceTopic) == ["questions", "answers", "votes"])
        #expect(site.deadLetters[0].text == "{" && !site.deadLetters[0].message.isEmpty)
        #expect(site.enriched.isEmpty)
    }

    @Test("a question sees its own partition's answers alone")
    func partitions() throws {
        let site = try RejoinderTester()
        try site.send(answer: answer, partition: 1)
        try site.send(question: question, partition: 0)
        try site.send(question: question, partition: 1)
        #expect(site.enriched.map(\.answerCount) == [0, 1])
        #expect(site.enriched.map(\.partition) == [0, 1])
    }

    @Test("a limit leaves answers out")
    func limit() throws {
        let site = try RejoinderTester(maxRecordBytes: 130)
        try site.send(answer: answer)
        try site.send(question: question)
        #expect(site.enriched.first?.answers.isEmpty == true)
        #expect(site.enriched.first?.answerCount == 1)
    }

    @Test("a recording is sent as a whole")
    func recording() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let line =
            #"{"topic":"questions","partition":2,"offset":7,"key":"q1","payload":"{\"id\":\"q1\",\"title\":\"Why?\"}"}"#
        try Data("\(line)\n".utf8).write(to: file)
        let site = try RejoinderTester()
        try site.send(recordingAt: file.path)
        #expect(site.enriched.map(\.partition) == [2] && site.latest("q1")?.answerCount == 0)
        try Data("nonsense\n".utf8).write(to: file)
        let error = #expect(throws: RejoinderTestingError.self) { try site.send(recordingAt: file.path) }
        #expect(error?.kind == .recording)
        #expect(error?.description.contains("line 1") == true)
        let state = #expect(throws: RejoinderTestingError.self) { try RejoinderTester(startState: file.path + "/none") }
        #expect(state?.kind == .state)
    }

    @Test func recordingsOfTopicsWithOtherNames() throws {
        let line =
            #"{"topic":"prod.fragen","partition":0,"offset":0,"key":"q1","payload":"{\"id\":\"q1\",\"title\":\"?\"}"}"#
        let path = NSTemporaryDirectory() + "rejoinder-testing-\(UUID().uuidString).jsonl"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data((line + "\n").utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: RejoinderTestingError.self) { try RejoinderTester().send(recordingAt: path) }
        #expect(error?.kind == .recording)
        #expect(error?.description.contains("of questions, answers, votes; they are of prod.fragen") == true)
        let site = try RejoinderTester(topics: .init(questions: "fragen"), recordedPrefix: "prod.")
        #expect(try site.send(recordingAt: path) == 1)
        #expect(site.enriched.map(\.key) == ["q1"])
        // Records sent without a file go to the same site; a dead letter has the name that the worker knows.
        try site.send(question: #"{"id":"q2","title":"?"}"#)
        #expect(site.enriched.map(\.key) == ["q1", "q2"])
        try site.send(question: "no JSON", key: "q3")
        #expect(site.deadLetters.map(\.sourceTopic) == ["fragen"])
    }
}
