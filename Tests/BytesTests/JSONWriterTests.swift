import Testing

@testable import Bytes

@Suite struct JSONWriterTests {
    private func string(_ bytes: [UInt8], _ escapes: JSONEscapes) -> String? {
        var writer = JSONWriter(escapes, capacity: 1)
        writer.raw("[")
        let isWritten = bytes.withUnsafeBytes { writer.string($0) }
        // A refused string leaves nothing.
        if !isWritten { #expect(writer.text == "[") }
        return isWritten ? String(writer.text.dropFirst()) : nil
    }

    private static let controls = "\"\\/\u{0}\u{8}\t\n\u{C}\r\u{1F}\u{7F}ü€😀"

    @Test(
        arguments: [
            ([], #""\"\\/\u0000\u0008\u0009\u000a\u000c\u000d\u001f"# + "\u{7F}ü€😀\""),
            (.lines, #""\"\\/\u0000\u0008\t\n\u000c\r\u001f\u007fü€😀""#),
            ([.letters, .rareLetters, .uppercase], #""\"\\/\u0000\b\t\n\f\r\u001F"# + "\u{7F}ü€😀\""),
            ([.letters, .anyBytes], #""\"\\/\u0000\u0008\t\n\u000c\r\u001f"# + "\u{7F}ü€😀\""),
        ] as [(JSONEscapes, String)])
    func escapes(_ escapes: JSONEscapes, _ expected: String) {
        #expect(string(Array(Self.controls.utf8), escapes) == expected)
    }

    /// Wherever a character stands in a text, and however long the text is, it is written alone.
    @Test func everyPlace() throws {
        for character in ["\"", "\n", "\u{1F}", "\u{7F}", "ü", "€", "😀", "\u{80}", " "] {
            let alone = try #require(string(Array(character.utf8), .lines)).dropFirst().dropLast()
            for length in 0..<40 {
                for place in 0...length {
                    let before = String(repeating: "a", count: place)
                    let after = String(repeating: "~", count: length - place)
                    let written = string(Array((before + character + after).utf8), .lines)
                    #expect(written == "\"\(before)\(alone)\(after)\"")
                }
            }
        }
        let many = String(repeating: "\u{1}", count: 10_000)
        #expect(string(Array(many.utf8), []) == "\"" + String(repeating: "\\u0001", count: 10_000) + "\"")
    }

    @Test(arguments: [
        [0x80], [0xC3], [0x61, 0xED, 0xA0, 0x80], [0xC0, 0x80], [UInt8](repeating: 0x61, count: 30) + [0xFF],
    ])
    func bytesThatAreNoText(bytes: [UInt8]) {
        #expect(string(bytes, []) == nil)
        var writer = JSONWriter(.anyBytes)
        bytes.withUnsafeBytes { _ = writer.string($0) }
        #expect(writer.array == [0x22] + bytes + [0x22])
    }

    @Test(arguments: [0, 7, -7, 10, 1_234_567_890, .max, .min] as [Int64])
    func numbers(number: Int64) {
        var writer = JSONWriter(capacity: 1)
        writer.number(number)
        #expect(writer.text == number.description)
    }

    @Test func members() {
        let text = JSONWriter.object { object in
            object.add("a", "x\n")
            object.add("b") { $0.add("c", 1) }
            object.add("d") { _ in }
            object.add("e", each: [1, 2]) { number, object in object.add("n", number) }
            object.add("f", ["z": 1, "y": 2])
            object.add("g", [3, 4])
            object.add("h", 0.5)
            object.add("i", Double.nan)
            object.addJSON("j", "null")
        }
        let nested = #"{"a":"x\n","b":{"c":1},"d":{},"e":[{"n":1},{"n":2}],"f":{"y":2,"z":1},"g":[3,4],"#
        #expect(text == nested + #""h":0.5,"i":0,"j":null}"#)
        #expect(JSONWriter.array(of: [Int]()) { _, _ in } == "[]")
        #expect(JSONWriter.member("a\"") == Array(#""a\"":"#.utf8))
    }

    @Test func whatIsCutIsGone() {
        var writer = JSONWriter()
        writer.begin()
        writer.name("a")
        writer.number(1)
        let count = writer.count
        writer.raw(",")
        writer.cut(to: count)
        writer.end()
        #expect(writer.text == #"{"a":1}"#)
        writer.removeAll(keepingRoomFor: 1)
        #expect(writer.count == 0)
    }
}
