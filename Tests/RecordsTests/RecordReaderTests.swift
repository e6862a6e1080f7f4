import Bytes
import Foundation
import Testing

@testable import Records

struct RecordReaderTests {
    let reader = RecordReader()

    @Test func questions() throws {
        #expect(try reader.read(.question, Sample.question) == .question(id: "q1"))
        #expect(try reader.read(.question, key: Array("q1".utf8), value: nil) == .deleted(id: Array("q1".utf8)))
        #expect(try reader.read(.question, key: [0xFF, 0], value: nil) == .deleted(id: [0xFF, 0]))
    }

    @Test func answers() throws {
        let answeredAt = Instant(seconds: 1_709_281_800, attoseconds: 125_000_000_000_000_000)
        #expect(
            try reader.read(.answer, Sample.answer)
                == .answer(questionID: "q1", answerID: "a1", answeredAt: answeredAt))
        #expect(
            try reader.read(.answer, Sample.answer.replacing("\"withdrawn\":false", with: "\"withdrawn\":true"))
                == .withdrawn(questionID: "q1", answerID: "a1"))
        #expect(try reader.read(.answer, key: [7], value: nil) == .answersForgotten(questionID: [7]))
    }

    @Test func votes() throws {
        #expect(
            try reader.read(.vote, Sample.cast) == .cast(questionID: "q1", answerID: "a1", voterID: "u9", value: -1))
        #expect(
            try reader.read(.vote, Sample.counted) == .counted(questionID: "q1", answerID: "a1", voteCount: -41))
        #expect(try reader.read(.vote, key: [7], value: nil) == .votesForgotten(questionID: [7]))
    }

    @Test func talliesOnAnswers() throws {
        let counted = #"{"voteCount":41,"id":"a1","questionId":"q1"}"#
        #expect(
            try reader.read(.answer, counted)
                == .answer(questionID: "q1", answerID: "a1", answeredAt: nil, voteCount: 41))
        #expect(
            try reader.read(.answer, counted.replacing("}", with: #","withdrawn":true}"#))
                == .withdrawn(questionID: "q1", answerID: "a1", voteCount: 41))
        _ = try reader.read(.vote, Sample.counted)
        #expect(
            try reader.read(.answer, #"{"id":"a1","questionId":"q1"}"#)
                == .answer(questionID: "q1", answerID: "a1", answeredAt: nil))
    }

    @Test func idsWrittenAsIntegers() throws {
        #expect(try reader.read(.question, key: "42", #"{"id":42,"title":"?"}"#) == .question(id: "42"))
        #expect(
            try reader.read(.answer, key: "-7", #"{"id":1234567890123456789,"questionId":-7}"#)
                == .answer(questionID: "-7", answerID: "1234567890123456789", answeredAt: nil))
        #expect(
            try reader.read(.vote, key: "42", #"{"questionId":"42","answerId":0,"voterId":9,"value":1}"#)
                == .cast(questionID: "42", answerID: "0", voterID: "9", value: 1))
    }

    @Test func halvesOfSurrogatePairsAreCarriedButNoIds() throws {
        let title = #"{"id":"q1","title":"\ud83d","body":"\ude00\ud83d","i\ud83dd":1}"#
        #expect(try reader.read(.question, title) == .question(id: "q1"))
        let error = recordError { try reader.read(.question, #"{"id":"q1\ud83d","title":"?"}"#) }
        #expect(
            error?.message
                == #"question field 'id' holds half of a surrogate pair, which is no text: 'q1\ud83d'"#)
    }

    @Test func nothingIsRememberedOfTheRecordBefore() throws {
        let least = #"{"id":"a2","questionId":"q1"}"#
        _ = try reader.read(.answer, Sample.answer)
        #expect(try reader.read(.answer, least) == .answer(questionID: "q1", answerID: "a2", answeredAt: nil))
        _ = try reader.read(.answer, #"{"id":"a1","questionId":"q1","withdrawn":true}"#)
        #expect(try reader.read(.answer, least) == .answer(questionID: "q1", answerID: "a2", answeredAt: nil))
        _ = recordError { try reader.read(.question, "[" + String(repeating: "[", count: 5000)) }
        _ = recordError { try reader.read(.question, deep(5000)) }
        #expect(try reader.read(.question, Sample.question) == .question(id: "q1"))
    }

    @Test func idsAreUnescaped() throws {
        let question = #"{"id":"\u0071\"\\\/\b\f\n\r\t\u00e9\u554F\ud83d\uDE00","title":"?"}"#
        let id = "q\"\\/\u{8}\u{c}\n\r\té問😀"
        #expect(try reader.read(.question, key: id, question) == .question(id: id))
        let vote = """
            {"questionId":"\\u0061","answerId":"\\u0062","voterId":"\\u0063","value":1,"castAt":"2024-03-02T10:00:00Z"}
            """
        #expect(
            try reader.read(.vote, key: "a", vote) == .cast(questionID: "a", answerID: "b", voterID: "c", value: 1),
            "each id has room of its own")
        let answer =
            #"{"author":{"id":"\u0064"},"id":"\u0065","questionId":"\u0066","answeredAt":"1970-01-01T00:00:0\u0031Z"}"#
        #expect(
            try reader.read(.answer, key: "f", answer)
                == .answer(questionID: "f", answerID: "e", answeredAt: Instant(seconds: 1, attoseconds: 0)))
    }

    /// The returned bytes point into the value, so nothing of it is copied.
    @Test func plainIDsPointIntoTheValue() throws {
        try Sample.question.utf8.withContiguousStorageIfAvailable { value in
            let value = Bytes(value)
            let id = try reader.questionID(ofQuestion: value)
            let start = try #require(id.baseAddress)
            #expect(try #require(value.baseAddress)..<(try #require(value.baseAddress) + value.count) ~= start)
        }
    }

    @Test(arguments: [
        (Kind.question, #"{"id":"q1"}"#, "question lacks the field 'title'"),
        (.question, #"{"id":"q1","title":""}"#, "question field 'title' is empty: expected some text"),
        (
            .question, #"{"id":"q1","title":"?","id":"q1"}"#,
            "question field 'id' stands more than once in one object, so it is not clear which counts"
        ),
        (.question, #"["#, "the question is not valid JSON: at byte 1 expected a JSON value, the value ends there"),
        (
            .question, #"{"id":01}"#,
            "the question is not valid JSON: at byte 7 expected ',' or '}' after a field, found '1'"
        ),
        (
            .question, "\u{FEFF}{}",
            "the question is not valid JSON: at byte 0 expected a JSON value, found a byte order mark"
        ),
        (
            .question, "{\"id\":\"\u{7}\"}",
            "the question is not valid JSON: at byte 7 expected control characters in a string to be escaped, found "
                + "byte 0x07"
        ),
        (.question, "[]", "the question must be a JSON object, not an array"),
        (
            .question, #"{"id":"q2","title":"?"}"#,
            "question field 'id' is 'q2', but the record's key is 'q1': they must be the same"
        ),
        (
            .answer, #"{"id":"a1","questionId":"q1","answeredAt":"2024-13-01T00:00:00Z"}"#,
            "answer field 'answeredAt' is not an RFC 3339 time such as 2024-05-01T09:30:00Z: '2024-13-01T00:00:00Z'"
        ),
        (
            .answer, #"{"id":"a1","questionId":"q1","author":{"reviewCount":1.5}}"#,
            "answer field 'author.reviewCount' must be an integer, not '1.5'"
        ),
        (
            .answer, #"{"id":7.5,"questionId":"q1"}"#,
            "answer field 'id' must be a string or an integer written with digits alone, not '7.5'"
        ),
        (
            .answer, #"{"id":true,"questionId":"q1"}"#,
            "answer field 'id' must be a string of 1 to 200 bytes or an integer, not a boolean"
        ),
        (
            .vote, #"{"questionId":"q1","answerId":"a1","value":1,"voteCount":2}"#,
            "vote has both 'value' and 'voteCount': it must be either cast or counted"
        ),
        (
            .vote, #"{"questionId":"q1","answerId":"a1","voterId":"u1","value":2,"castAt":"2024-03-02T10:00:00Z"}"#,
            "vote field 'value' must be -1, 0 or 1, not '2'"
        ),
    ])
    func messages(kind: Kind, value: String, message: String) {
        #expect(recordError { try reader.read(kind, value) }?.message == message)
    }

    @Test func messagesQuoteOnlyAShortPrintablePiece() throws {
        let long = String(repeating: "x", count: 100_000)
        let error = try #require(
            recordError { try reader.read(.question, key: "k\u{1B}[2J\u{202E}", #"{"id":"q","title":"?"}"#) })
        #expect(error.message.contains(#"'k\u{1B}[2J\u{202E}'"#))
        let cut = try #require(
            recordError { try reader.read(.answer, #"{"id":"a1","questionId":"q1","answeredAt":"\#(long)"}"#) })
        #expect(cut.message.hasSuffix("xxx...'"))
        let binary = try #require(
            recordError {
                try reader.read(
                    .question, key: [UInt8](repeating: 0xFF, count: 999), value: Array(Sample.question.utf8))
            })
        #expect(binary.message.utf8.count <= 300)
    }

    @Test func depthIsCountedToTheLastLevel() throws {
        #expect(try reader.read(.question, deep(511)) == .question(id: "q1"))
        #expect(recordError { try reader.read(.question, deep(512)) }?.code == .tooDeep)
        #expect(recordError { try reader.read(.question, deep(3_000_000)) }?.code == .tooDeep)
        #expect(recordError { try reader.read(.question, deep(3_000_000).dropLast() + "]}") }?.code == .invalidJSON)
        #expect(
            recordError { try reader.read(.question, String(repeating: "[{\"a\":", count: 1_000_000)) }?.code
                == .invalidJSON)
    }

    private func deep(_ count: Int) -> String {
        #"{"id":"q1","title":"?","x":"#
            + String(repeating: "[", count: count) + String(repeating: "]", count: count) + "}"
    }
}
