import Foundation
import Records
import Testing

@testable import Recording

@Suite("Redaction")
struct RedactionTests {
    private func redact(_ value: [UInt8], _ fields: String...) throws -> [UInt8] {
        let redaction = Redaction(try fields.map { try RedactedField($0) })
        return value.withUnsafeBytes { Array(redaction.redact($0)) }
    }

    private func redact(_ value: String, _ fields: String...) throws -> String {
        let redaction = Redaction(try fields.map { try RedactedField($0) })
        let bytes = Array(value.utf8).withUnsafeBytes { Array(redaction.redact($0)) }
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    @Test("letters and digits of the field change, all else stays")
    func field() throws {
        let value = #"{"id": "q1", "body":"Anna, 39 °C: +49 (0) 170-12", "title":"Anna", "n":1}"#
        let other = try redact(value, "body")
        #expect(other.utf8.count == value.utf8.count)
        #expect(other.hasPrefix(#"{"id": "q1", "body":""#))
        #expect(other.hasSuffix(#"", "title":"Anna", "n":1}"#))
        let pairs = Array(zip(value, other)).dropFirst(21).dropLast(26)
        for (before, after) in pairs {
            #expect(before.isLetter == after.isLetter)
            #expect(before.isNumber == after.isNumber)
            #expect(before.isUppercase == after.isUppercase)
            #expect((before == after) == !(before.isLetter || before.isNumber), "\(before) \(after)")
        }
    }

    @Test("the same text becomes the same text, however it is written, in every field and run")
    func deterministic() throws {
        let value = #"{"a":"Zoë 1","b":["Zo\u00EB 1",{"x":"\u005Ao\u00eb \u0031"}],"c":"Zoe 1"}"#
        let other = try redact(value, "a", "b", "c")
        let object = try #require(JSONSerialization.jsonObject(with: Data(other.utf8)) as? [String: Any])
        let first = try #require(object["a"] as? String)
        let list = try #require(object["b"] as? [Any])
        #expect(list[0] as? String == first)
        #expect((list[1] as? [String: String])?["x"] == first)
        #expect(object["c"] as? String != first)
        #expect(first != "Zoë 1")
        #expect(other.utf8.count == value.utf8.count)
        // Recordings in repositories are compared with later ones: the replacement must not change between versions.
        #expect(try redact(#"{"a":"Anna 39"}"#, "a") == #"{"a":"Mzbb 76"}"#)
    }

    @Test(
        "scripts keep their letters' length in UTF-8",
        arguments: ["Привет", "Ελλάδα", "שלום", "مرحبا", "日本語テキスト", "한국어", "Žluťoučký", "𐐷𠀋", "ﬁ", "²½", "İßſ"])
    func scripts(word: String) throws {
        let other = try redact("{\"a\":\"\(word)\"}", "a")
        let changed = other.dropFirst(6).dropLast(2)
        #expect(changed.unicodeScalars.count == word.unicodeScalars.count)
        for (before, after) in zip(word.unicodeScalars, changed.unicodeScalars) {
            #expect(before != after)
            #expect(String(before).utf8.count == String(after).utf8.count)
        }
        let escaped = word.utf16.map { "\\u" + String(UInt32($0) + 0x10000, radix: 16).dropFirst() }.joined()
        let fromEscapes = try redact("{\"a\":\"\(escaped)\"}", "a")
        #expect(fromEscapes.utf8.count == escaped.utf8.count + 8)
        let object = try JSONSerialization.jsonObject(with: Data(fromEscapes.utf8)) as? [String: String]
        #expect(object?["a"].map { Array($0.utf8) } == Array(changed.utf8))
    }

    @Test("names anywhere, paths by their last parts, all text inside")
    func paths() throws {
        let value =
            #"{"name":"aa","author":{"name":"bb","id":"cc","more":{"name":"dd"}},"list":[{"author":[{"name":"ee","#
            + #""x":["ff",{"y":"gg"}]}]}]}"#
        func kept(_ fields: String...) throws -> [String] {
            let redaction = Redaction(try fields.map { try RedactedField($0) })
            let other = Array(value.utf8).withUnsafeBytes { Array(redaction.redact($0)) }
            let text = String(decoding: other, as: UTF8.self)
            return ["aa", "bb", "cc", "dd", "ee", "ff", "gg"].filter { text.contains("\"\($0)\"") }
        }
        #expect(try kept("name") == ["cc", "ff", "gg"])
        #expect(try kept("author.name") == ["aa", "cc", "dd", "ff", "gg"])
        #expect(try kept("author.id") == ["aa", "bb", "dd", "ee", "ff", "gg"])
        #expect(try kept("more.name", "x") == ["aa", "bb", "cc", "ee"])
        #expect(try kept("author") == ["aa"])
        #expect(try kept("list.author.x.y") == ["aa", "bb", "cc", "dd", "ee", "ff"])
        #expect(try kept("nothing") == ["aa", "bb", "cc", "dd", "ee", "ff", "gg"])
    }

    @Test("a name that hides behind escapes is found")
    func escapedName() throws {
        #expect(try !redact(#"{"b\u006fdy":"secret"}"#, "body").contains("secret"))
    }

    @Test("it says what it did")
    func counts() throws {
        let redaction = Redaction([try RedactedField("a"), try RedactedField("b")])
        for value in [#"{"a":["x","y",1,null],"c":2}"#, "{", #"{"a":"z"}"#] {
            Array(value.utf8).withUnsafeBytes { _ = redaction.redact($0) }
        }
        #expect(redaction.replaced == [3, 0])
        #expect(redaction.numbersKept == 1)
        #expect(redaction.unreadable == 1)
    }

    @Test(
        "of what is no JSON nothing is left, and it stays no JSON",
        arguments: [
            #"{"a":"secret"#, #"{"b":"secret"}}"#, "secret", #"{"b":"secret","a":01}"#, #"{"b":"secret","a":1,}"#,
            #"{"b":"secret\u12g4"}"#, #"{"b":"secret","a":1x5}"#, "{\"b\":\"secret\u{1}\"}", #"{"b":"secret","a":.5}"#,
            #"{"b":"secret"} x"#,
        ])
    func notJSON(value: String) throws {
        let other = try redact(value, "a")
        #expect(!other.contains("secret"))
        #expect(other.utf8.count == value.utf8.count)
        for text in [value, other] {
            let error = #expect(throws: RecordError.self) {
                try Array(text.utf8).withUnsafeBytes { _ = try RecordReader().questionID(ofQuestion: $0) }
            }
            #expect(error?.code == .invalidJSON)
        }
    }

    @Test("half of a surrogate pair stays where it is, and is no part of a name")
    func loneSurrogates() throws {
        let other = try redact(#"{"a":"secret\ud83d","a\ude00":"kept","b":"\ud83d\u0041"}"#, "a")
        #expect(!other.contains("secret"))
        #expect(other.hasSuffix(#"\ud83d","a\ude00":"kept","b":"\ud83d\u0041"}"#))
    }

    @Test("of bytes that are no text nothing is left")
    func binary() throws {
        let other = try redact(Array("{\"b\":\"".utf8) + [0xE4, 0x41, 0xFC] + Array("\"}".utf8), "a")
        #expect(other[6] == 0xFF)
        #expect(other[7] != 0x41)
        #expect(other[8] == 0xFF)
        #expect(other.count == 11)
    }

    @Test("as deep as one likes")
    func deep() throws {
        let value =
            String(repeating: #"{"x":["#, count: 20_000) + #"{"a":"secret"}"# + String(repeating: "]}", count: 20_000)
        let other = try redact(value, "a")
        #expect(!other.contains("secret"))
        #expect(other.utf8.count == value.utf8.count)
    }

    @Test(
        "fields that join and date the records are refused",
        arguments: ["id", "questionId", "answerId", "question.id", "answers.answer.id", "askedAt", "castAt"])
    func refused(name: String) {
        let error = #expect(throws: CaptureError.self) { try RedactedField(name) }
        #expect(error?.matter == .usage)
    }

    @Test("names that are none", arguments: ["", ".", "a.", ".a", "a..b"])
    func badName(name: String) {
        #expect(throws: CaptureError.self) { try RedactedField(name) }
    }

    @Test("valid JSON stays valid JSON", arguments: 0..<10)
    func random(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let pieces = [
            "a", "Z", "9", " ", "é", "\\n", "\\\"", "\\u0041", "\\ud83d\\ude00", "\\u00e9", "日", "\\/", "{", "]", "😀",
        ]
        for _ in 0..<200 {
            func text() -> String {
                (0..<Int(random.next() % 12)).map { _ in pieces[Int(random.next() % 15)] }.joined()
            }
            let value = "{\"a\":\"\(text())\",\"b\\n\":[\"\(text())\",-1.5e3],\"c\":{\"a\":[\"\(text())\"]}}"
            let other = try redact(value, "a")
            #expect(other.utf8.count == value.utf8.count)
            _ = try JSONSerialization.jsonObject(with: Data(other.utf8))
        }
    }
}
