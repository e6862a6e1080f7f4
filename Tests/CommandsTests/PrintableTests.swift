import Testing

@testable import Commands

@Suite struct PrintableTests {
    @Test(arguments: [
        ("plain", "plain"), ("a\nb\t\u{1B}[1m", "a\\nb\\t\\u{1B}[1m"), ("\u{202E}x\u{2066}", "\\u{202E}x\\u{2066}"),
        ("\u{2028}\u{85}\u{7F}", "\\u{2028}\\u{0085}\\u{7F}"), ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ("👩\u{200D}⚕️", "👩\u{200D}⚕️"), ("back\\slash", "back\\slash"),
    ])
    func whatMovesTheCursorIsEscaped(text: String, expected: String) {
        #expect(Printable.text(text).unicodeScalars.elementsEqual(expected.unicodeScalars))
    }

    @Test func longTextIsCut() {
        #expect(Printable.text("abcdef", limit: 3) == "abc...")
        #expect(Printable.text("abc", limit: 3) == "abc")
        #expect(Printable.quoted("a") == "'a'")
    }
}
