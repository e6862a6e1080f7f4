import Bytes
import Testing

/// Every reader of JSON goes through the same scanner, so these verdicts hold in records, logs, recordings' comparisons
/// and redaction, rows of sources and the schema registry's answers.
@Suite struct JSONValueTests {
    @Test(arguments: [
        (#"{"a":[1,-2.5,1e3,true,null,"x\n\u00e9\ud83d\ude00"]}"#, true), (" [] ", true), ("0", true),
        ("-0.5e-3", true), (#""\ud800""#, true), (#"{"\ud800":"\udc00"}"#, true),
        ("", false), ("{", false), (#"{"a":1"#, false), (#"{"a":1,}"#, false), ("01", false), ("1.", false),
        ("[1] x", false), (#""\x""#, false), ("\"a\u{01}\"", false), ("tru", false), ("-", false), ("1e", false),
        (#"{"a" 1}"#, false), (#""\u+041""#, false), (#""\u 041""#, false), (#""\u12""#, false), ("abc", false),
        ("+1", false), ("\u{FEFF}1", false),
    ])
    func onlyWholeValuesAreRead(text: String, isWhole: Bool) {
        #expect((JSONValue(text) != nil) == isWhole)
    }

    @Test(arguments: [
        [0x22, 0xC0, 0x80, 0x22], [0x22, 0xE0, 0x80, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
        [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22],
    ])
    func stringsAreUTF8(bytes: [UInt8]) {
        #expect(bytes.withUnsafeBytes { JSONValue($0) } == nil)
    }

    @Test func numbersAndTextsAreTakenExactly() throws {
        let value = try #require(
            JSONValue(
                #"{"i":-12,"big":9007199254740993,"huge":123456789012345678901,"d":0.1,"e":2.5E2,"f":false,"o":1e400}"#
            ))
        #expect(value["i"]?.integer == -12)
        #expect(value["big"]?.integer == 9_007_199_254_740_993)
        #expect(value["huge"]?.integer == nil)
        #expect(value["huge"]?.double == 123_456_789_012_345_683_968)
        #expect(value["d"]?.double == 0.1)
        #expect(value["e"]?.double == 250)
        #expect(value["e"]?.integer == nil)
        #expect(value["f"]?.boolean == false)
        #expect(value["o"]?.double == nil)
        #expect(value["absent"] == nil)
        #expect(value.member("absent").kind == .null)
        #expect(value.member("absent").member("further").source == "null")
        #expect(value.members.map(\.name) == ["i", "big", "huge", "d", "e", "f", "o"])
    }

    @Test(arguments: [
        (#"\ud83d\ude00\ud800"#, "😀\u{FFFD}"), (#"\ud800"#, "\u{FFFD}"), (#"\udc00\ud800x"#, "\u{FFFD}\u{FFFD}x"),
        (#"\ud800\ud83d\ude00"#, "\u{FFFD}😀"), (#"\ud800\u0041"#, "\u{FFFD}A"),
    ])
    func aLoneSurrogateIsJSONButNoText(escaped: String, shown: String) throws {
        let value = try #require(JSONValue("\"\(escaped)\""))
        #expect(value.source == "\"\(escaped)\"")
        #expect(value.text(loneSurrogates: .refused) == nil)
        #expect(value.text(loneSurrogates: .replaced) == shown)
        let named = try #require(JSONValue("{\"\(escaped)\":1}"))
        #expect(named.members.map(\.name) == [shown])
    }

    @Test func escapesOfEveryLengthAreUnescaped() throws {
        let value = try #require(JSONValue(#""\u0041\u00e9\u20ac\ud83d\ude00\"\\\/\b\f\n\r\t\u0000""#))
        #expect(value.text(loneSurrogates: .refused) == "Aé€😀\"\\/\u{8}\u{C}\n\r\t\0")
    }

    @Test func depthHasALimit() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(JSONValue(nested(64), deepest: 64) != nil)
        #expect(JSONValue(nested(65), deepest: 64) == nil)
        #expect(JSONValue("[" + nested(63) + "," + nested(63) + "]", deepest: 64) != nil)
        #expect(JSONValue("[" + nested(63) + "," + nested(64) + "]", deepest: 64) == nil)
        #expect(JSONValue(nested(100_000)) != nil)
        #expect(JSONValue(String(repeating: "{\"a\":", count: 100_000)) == nil)
    }
}
