import Foundation
import Testing

@testable import Recording

/// Two ids never become one: or votes of two people would be one's.
@Suite("Redaction of ids")
struct IDRedactionTests {
    private func redact(_ value: String, _ fields: String...) throws -> String {
        let redaction = Redaction(try fields.map { try RedactedField($0) })
        let bytes = Array(value.utf8).withUnsafeBytes { Array(redaction.redact($0)) }
        return try #require(String(validating: bytes, as: UTF8.self))
    }

    private func replaced(_ ids: [String]) -> [String] {
        ids.map { id in
            var text = String.UnicodeScalarView()
            for scalar in IDSubstitution.replacement(of: id.unicodeScalars.map(\.value)) {
                text.append(Unicode.Scalar(scalar) ?? "?")
            }
            return String(text)
        }
    }

    @Test("ten voters stay ten, by any name of an id")
    func voters() throws {
        let voters = (0..<10).map { "u\($0)" }
        let fields = ["voterId", "author.id", "user_id", "ownerID", "id"]
        for field in fields where field != "id" {
            let name = field.split(separator: ".").last.map(String.init) ?? field
            let found = try voters.map { voter in
                try redact("{\"author\":{\"\(name)\":\"\(voter)\"},\"\(name)\":\"\(voter)\"}", field)
            }
            #expect(Set(found).count == 10, "\(field)")
            #expect(zip(found, voters).allSatisfy { !$0.contains("{\"\(name)\":\"\($1)\"}") })
        }
    }

    @Test("all ids of a form are permuted among themselves, and none stays")
    func bijection() {
        let digits = (0..<1_000).map(String.init)
        let padded = (0..<1_000).map { String(repeating: "0", count: 3 - String($0).count) + String($0) }
        let small = Array("abcdefghijklmnopqrstuvwxyz").map(String.init)
        let letters = small.flatMap { first in small.map { first + $0.uppercased() } }
        let mixed = small.flatMap { letter in (0..<10).map { "user-\(letter)\($0)é" } }
        let negative = (0..<100).map { "-\($0)" }
        for ids in [digits, letters, mixed, negative] {
            let found = replaced(ids)
            #expect(Set(found).count == ids.count)
            #expect(zip(ids, found).allSatisfy { $0 != $1 && $0.utf8.count == $1.utf8.count })
        }
        // A leading zero stays where it is, so that an integer stays one; "0xx" and "xxx" do not meet.
        let all = Set(replaced(digits) + replaced(padded))
        #expect(all.count == Set(digits + padded).count)
        #expect(replaced(digits).allSatisfy { $0.count == 1 || !$0.hasPrefix("0") })
    }

    @Test("the long ones too: no two of many random ids meet")
    func random() {
        var random = SplitMix(state: 3)
        let pieces = Array("abcxyzABC0189-_éжя日本한").map(String.init)
        var ids: Set<String> = []
        while ids.count < 20_000 {
            let length = Int(random.next() % 6 + 1)
            ids.insert((0..<length).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }.joined())
        }
        #expect(Set(replaced(Array(ids))).count == ids.count)
    }

    @Test("an integer and its text are one id, and become one; escapes too")
    func integers() throws {
        let text = try redact(#"{"voterId":"90210"}"#, "voterId")
        let number = try redact(#"{"voterId":90210}"#, "voterId")
        let escaped = try redact(#"{"voterId":"\u0039021\u0030"}"#, "voterId")
        func id(_ json: String) throws -> String {
            let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
            return "\(try #require(object?["voterId"]))"
        }
        #expect(try id(text) == id(number))
        #expect(try id(escaped) == id(text))
        #expect(try id(text) != "90210")
        // A value that is no id of the contract stays, and is counted.
        let redaction = Redaction([try RedactedField("voterId")])
        let bytes = Array(#"{"voterId":1.5}"#.utf8).withUnsafeBytes { Array(redaction.redact($0)) }
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"voterId":1.5}"#)
        #expect(redaction.numbersKept == 1)
    }

    @Test("text of other fields is replaced as ever")
    func others() throws {
        #expect(try redact(#"{"a":"Anna 39"}"#, "a") == #"{"a":"Mzbb 76"}"#)
        #expect(try redact(#"{"valid":"Anna 39","PAID":"Anna 39"}"#, "valid", "PAID").contains("Mzbb 76"))
        // Under a field that is no id, ids keep apart all the same.
        let found = try (0..<10).map { try redact("{\"author\":{\"id\":\"u\($0)\"}}", "author") }
        #expect(Set(found).count == 10)
    }
}
