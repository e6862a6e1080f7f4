import AnswerStore
import Bytes
import Enrichment
import Foundation
import Records
import Testing

@Suite struct EnricherTests {
    @Test func aQuestionWithoutAnswersIsNeverDropped() {
        #expect(render("{}", []) == .init(#"{"question":{},"answers":[],"answerCount":0}"#, attached: 0, omitted: 0))
    }

    @Test func theContractsExample() {
        let rendered = render(#"{"id":"q"}"#, [TestAnswer(id: "a", json: #"{"id":"a"}"#, voteCount: 3)])
        let expected =
            #"{"question":{"id":"q"},"answers":[{"answer":{"id":"a"},"voteCount":3,"voteLabel":"+4"}],"answerCount":1}"#
        #expect(rendered == .init(expected, attached: 1, omitted: 0))
    }

    @Test func questionAndAnswersAreCarriedByteForByte() {
        let question = "\n\t {\"t\" : \"\\u00e9 é 日本\" ,\r\n \"n\":1e400}  "
        let rendered = render(question, [TestAnswer(id: "a", json: " { \"id\":\"\\u0061\" } ", voteCount: 0)])
        let expected =
            "{\"question\":" + question + ",\"answers\":[{\"answer\": { \"id\":\"\\u0061\" } ,\"voteCount\":0,"
            + "\"voteLabel\":\"+1\"}],\"answerCount\":1}"
        #expect(rendered == .init(expected, attached: 1, omitted: 0))
    }

    @Test(
        arguments: [
            (0, "+1"), (1, "+2"), (8, "+9"), (9, "+10"), (-1, "0"), (-2, "-1"), (-3, "-2"), (-10, "-9"), (-11, "-10"),
            (1 << 53, "+9007199254740993"), (-(1 << 53), "-9007199254740991"), (.max, "+9223372036854775808"),
            (.min, "-9223372036854775807"),
        ] as [(Int64, String)])
    func labels(voteCount: Int64, label: String) {
        let rendered = render("1", [TestAnswer(id: "a", json: "2", voteCount: voteCount)])
        let expected =
            #"{"question":1,"answers":[{"answer":2,"voteCount":\#(voteCount),"voteLabel":"\#(label)"}],"#
            + #""answerCount":1}"#
        #expect(rendered == .init(expected, attached: 1, omitted: 0))
    }

    @Test func rankingByVotesThenTimeThenID() {
        let early = Instant(seconds: 1, attoseconds: 999_999_999_999_999_999)
        let late = Instant(seconds: 2, attoseconds: 0)
        let ranked = [
            TestAnswer(id: "z", json: "0", voteCount: 9),
            TestAnswer(id: "y", json: "1", voteCount: 1, answeredAt: early),
            TestAnswer(id: "a", json: "2", voteCount: 1, answeredAt: late),
            TestAnswer(id: "a\u{7F}", json: "3", voteCount: 1, answeredAt: late),
            TestAnswer(id: "é", json: "4", voteCount: 1, answeredAt: late),
            TestAnswer(id: "A", json: "5", voteCount: 1), TestAnswer(id: "a0", json: "6", voteCount: 1),
            TestAnswer(id: "0", json: "7", voteCount: -1, answeredAt: early),
        ]
        for seed in 0..<20 {
            var generator = SeededGenerator(UInt64(seed))
            let text = render("q", ranked.shuffled(using: &generator)).text
            let order = text.matches(of: /"answer":([0-9])/).map { String($0.output.1) }
            #expect(order == ranked.map(\.json))
        }
    }

    @Test(arguments: 0..<40)
    func randomAnswersAreRankedAndCutAsTheModelSays(seed: UInt64) {
        var generator = SeededGenerator(seed)
        let count = [0, 1, 2, 5, 9, 12, 13, 14, 40, 120].randomElement(using: &generator) ?? 3
        let question = String(repeating: "q", count: .random(in: 1...300, using: &generator))
        let answers = (0..<count).map { TestAnswer.random($0, using: &generator) }
        let whole = EnrichedModel.render(question, answers, limit: .max)
        let length = whole?.text.utf8.count ?? 0
        let limits =
            [length - 1, length, length + 1, 0, -1, 44 + question.utf8.count, .max]
            + (0..<30).map { _ in Int.random(in: 0...length, using: &generator) }
        // One enricher for all: nothing of a rendering shows in the next.
        let enricher = Enricher()
        for limit in limits {
            let expected = EnrichedModel.render(question, answers, limit: limit)
            #expect(render(question, answers, limit: limit, enricher) == expected ?? .tooLarge, "limit \(limit)")
        }
    }

    /// Where the number of omitted answers gets a digit more or less, so that every byte around it counts.
    @Test func limitsAroundEveryLength() {
        let answers = (0..<12).map {
            TestAnswer(id: "\($0)", json: String(repeating: "j", count: $0 % 3 + 1), voteCount: 0)
        }
        for limit in 40...900 {
            #expect(
                render("{}", answers, limit: limit)
                    == EnrichedModel.render("{}", answers, limit: limit) ?? .tooLarge, "limit \(limit)")
        }
    }

    @Test func tooLargeSaysWhatToDo() {
        let question = String(repeating: "q", count: 1000)
        guard
            case .tooLarge(let error) = question.withBytes({
                Enricher().render(question: $0, answers: StoredAnswers(), limit: 1000)
            })
        else {
            Issue.record("it was rendered")
            return
        }
        #expect(error.code == .tooLarge)
        // 12 + 1000 + 12 + 16 + 1 + 1
        #expect(error.message.contains("1042 bytes"))
        #expect(error.message.contains("1000 are allowed"))
        #expect(error.message.contains("maxRecordBytes"))
    }

    @Test func largeRecords() {
        let answers = (0..<1000).map {
            TestAnswer(id: "\($0)", json: String(repeating: "5", count: 5000), voteCount: Int64($0 % 7))
        }
        let question = String(repeating: "q", count: 900_000)
        let enricher = Enricher()
        for limit in [5_950_000, 8_000_000] {
            #expect(
                render(question, answers, limit: limit, enricher)
                    == EnrichedModel.render(question, answers, limit: limit))
        }
    }
}
