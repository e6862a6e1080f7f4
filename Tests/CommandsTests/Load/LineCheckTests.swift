import Foundation
import Records
import Testing

@testable import Commands

@Suite struct LineCheckTests {
    private func check(_ text: String, _ kind: RecordKind = .questions, limit: Int = 1_000) throws -> (
        result: LineCheck.Result, keys: [String], values: [String]
    ) {
        let directory = try TemporaryDirectory()
        let source = try LoadSource(path: try directory.file(text))
        var keys: [String] = []
        var values: [String] = []
        let result = try LineCheck(kind: kind, limit: limit).run(source) { key, value, _ in
            keys.append(String(decoding: key, as: UTF8.self))
            values.append(String(decoding: value, as: UTF8.self))
        }
        return (result, keys, values)
    }

    @Test func goodLinesOfEachKind() throws {
        let question = #"{"id":"q\u0031","title":"t"}"#
        #expect(try check(question).keys == ["q1"])
        #expect(try check(question).values == [question])
        #expect(try check(#"{"id":"a","questionId":"é"}"#, .answers).keys == ["é"])
        let vote = #"{"questionId":"q","answerId":"a","voterId":"v","value":1,"castAt":"2026-01-01T00:00:00Z"}"#
        #expect(try check(vote, .votes).keys == ["q"])
    }

    @Test func blankLinesAreNone() throws {
        let found = try check("\n  \t\n\r\n{\"id\":\"a\",\"title\":\"t\"}\n\n")
        #expect(found.result == LineCheck.Result(good: 1, bad: 0, reasons: []))
    }

    @Test func badLinesAreNamedByNumberWithTheReason() throws {
        let found = try check(
            "{\"id\":\"a\",\"title\":\"t\"}\n\n{\"id\":\"b\"}\nnonsense\n{\"id\":\"c\",\"title\":\"t\"} x\n"
                + "{\"id\":\"d\",\"title\":\"t\"}")
        #expect(found.result.good == 2)
        #expect(found.result.bad == 3)
        #expect(found.keys == ["a", "d"])
        #expect(found.result.reasons[0].hasPrefix("line 3: schema: "))
        #expect(found.result.reasons[0].contains("title"))
        #expect(found.result.reasons[1].hasPrefix("line 4: invalid-json: "))
        #expect(found.result.reasons[2].hasPrefix("line 5: invalid-json: "))
    }

    @Test func longRecords() throws {
        let line = #"{"id":"a","title":"\#(String(repeating: "t", count: 100))"}"#
        #expect(try check(line, limit: line.utf8.count + 1).result.good == 1)
        // The key counts too.
        #expect(try check(line, limit: line.utf8.count).result.reasons.first?.contains("key") == true)
        #expect(
            try check(line, limit: line.utf8.count - 1).result.reasons.first?.hasPrefix("line 1: longer than") == true)
    }

    @Test func theListOfReasonsIsBounded() throws {
        let found = try check(String(repeating: "x\n", count: 1_000))
        #expect(found.result.bad == 1_000)
        #expect(found.result.reasons.count == LineCheck.longestList)
    }
}
