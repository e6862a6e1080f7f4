import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore
@testable import Commands

@Suite struct StoredQuestionTests {
    private func answer(_ id: String, _ votes: Int64, seconds: Int64? = nil, json: String = "{}") -> FoundAnswer {
        FoundAnswer(
            id: Array(id.utf8), json: Array(json.utf8), voteCount: votes,
            answeredAt: seconds.map { Instant(seconds: $0, attoseconds: 0) })
    }

    @Test func ranked() {
        let question = StoredQuestion(
            id: "q",
            FoundQuestion(
                partition: 3,
                answers: [
                    answer("d", 0), answer("c", 0), answer("b", 0, seconds: 9), answer("a", 0, seconds: 10),
                    answer("z", 5), answer("y", -2),
                ], talliesWithoutAnswer: []))
        #expect(question.answers.map { String(decoding: $0.id, as: UTF8.self) } == ["z", "b", "a", "c", "d", "y"])
    }

    @Test(
        arguments: [(0, "+1"), (3, "+4"), (-1, "0"), (-3, "-2"), (.max, "+9223372036854775808")] as [(Int64, String)])
    func labels(votes: Int64, label: String) {
        #expect(StoredQuestion.label(votes) == label)
    }

    @Test func jsonCarriesTheAnswersBytes() throws {
        let bytes = "{ \"id\" : \"a\", \"n\":1.50 }"
        let question = StoredQuestion(
            id: "q\"\n",
            FoundQuestion(
                partition: 0, answers: [answer("a", -1, json: bytes)],
                talliesWithoutAnswer: [FoundTally(answerID: Array("w".utf8), voteCount: 2)]))
        #expect(question.json.contains("{\"answer\":\(bytes),\"voteCount\":-1,\"voteLabel\":\"0\"}"))
        let object = try JSONSerialization.jsonObject(with: Data(question.json.utf8)) as? [String: Any]
        #expect(object?["questionId"] as? String == "q\"\n")
        #expect(object?["answerCount"] as? Int == 1)
        #expect(((object?["votesWithoutAnswer"] as? [[String: Any]])?.first?["voteCount"]) as? Int == 2)
    }

    @Test func textIsForPeople() {
        let json =
            #"{"title":"Two\nlines","author":{"displayName":"Dr. \u001b[1mX"},"answeredAt":"2026-01-01T00:00:00Z"}"#
        let question = StoredQuestion(
            id: "q",
            FoundQuestion(
                partition: 1, answers: [answer("a", 3, json: json), answer("b", 0, json: "17")],
                talliesWithoutAnswer: [FoundTally(answerID: Array("w".utf8), voteCount: -1)]))
        let lines = question.text.split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines[0] == "question q, partition 1: 2 answers")
        #expect(lines[1].contains("+4  a  (voteCount 3)  Dr. \\u{1B}[1mX  2026-01-01T00:00:00Z  Two\\nlines"))
        #expect(lines[4].contains("w  (voteCount -1)"))
    }
}
