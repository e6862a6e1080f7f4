import Pages
import Testing

@testable import Throughput

@Suite("Text in HTML")
struct MarkupTests {
    @Test("markup is text, in content and in attributes")
    func markup() {
        let escaped = "&lt;a href=&quot;x&quot;&gt;&#39;&amp;"
        #expect(Markup.escaped("<a href=\"x\">'&") == escaped)
        #expect(Markup.line("<a href=\"x\">'&") == escaped)
    }

    @Test(
        "what HTML has no place for is shown as what it is",
        arguments: [0x0, 0x1B, 0x7F, 0x80, 0x9F, 0xFDD0, 0xFFFE, 0xFFFF, 0x10FFFF] as [UInt32])
    func unfit(value: UInt32) throws {
        let text = "a" + String(Character(try #require(Unicode.Scalar(value)))) + "b"
        let shown = "a\\u{\(String(value, radix: 16, uppercase: true))}b"
        #expect(Markup.escaped(text) == shown)
        #expect(Markup.line(text) == shown)
    }

    @Test("an element's text keeps its lines and its marks of direction, a line among other text does not")
    func lines() {
        let text = "a\r\nb\tc\u{202E}d\u{200F}"
        #expect(Markup.escaped(text).unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(Markup.line(text) == "a  b c\\u{202E}d\\u{200F}")
    }

    @Test("scripts, joined characters and what is not assigned stay as they are")
    func untouched() {
        let text = "Ärzte עברית \u{1F469}\u{200D}\u{2695}\u{FE0F} e\u{301} \u{FEFF}\u{E000}"
        #expect(Markup.escaped(text).unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(Markup.line(text).unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test("a line is cut before it is escaped")
    func limit() {
        #expect(Markup.line(String(repeating: "<", count: 1000), limit: 2) == "&lt;&lt;…")
        #expect(Markup.line("ab", limit: 2) == "ab")
        #expect(Markup.name(String(repeating: "x", count: 500)).utf8.count < 140)
    }

    @Test("coordinates have tenths")
    func numbers() {
        #expect([0.04, -0.36, 12, 1099.96].map(Markup.number) == ["0", "-0.4", "12", "1100"])
    }
}
