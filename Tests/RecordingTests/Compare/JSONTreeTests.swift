import Testing

@testable import Recording

@Suite("Reading JSON for showing differences")
struct JSONTreeTests {
    @Test("order, repeated names, texts of numbers and escapes are kept")
    func reads() {
        let node = JSONNode(Array(#" {"b":[1.50,-0,true],"a":"x\u00e9\ud83d\ude00\n","b":{}} "#.utf8))
        #expect(
            node
                == .object([
                    .init(name: "b", value: .array([.literal("1.50"), .literal("-0"), .literal("true")])),
                    .init(name: "a", value: .string("xé😀\n")), .init(name: "b", value: .object([])),
                ]))
    }

    @Test(
        "what is none gives nothing, and no crash",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "\"", "\"\\", "\"\\u12", "\"\\u12\"", "\"\\u+041\"",
            "1 2", "]", "{1:2}", ",", "abc",
        ])
    func refuses(_ text: String) {
        #expect(JSONNode(Array(text.utf8)) == nil)
    }

    @Test("a lone surrogate is carried, and compared as written")
    func carriesLoneSurrogates() {
        #expect(
            JSONNode(Array(#"{"a":"\ud800","b":"x"}"#.utf8))
                == .object([
                    .init(name: "a", value: .literal(#""\ud800""#)), .init(name: "b", value: .string("x")),
                ]))
    }

    @Test("as deep as a record may be, not deeper than the stack")
    func depth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(JSONNode(nested(515)) != nil)
        #expect(JSONNode(nested(100_000)) == nil)
    }

    @Test(
        "times as RFC 3339 has them",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_757_921_400_000, "2025-09-15T07:30:00Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ])
    func times(_ milliseconds: Int64, text: String) {
        #expect(Excerpt.time(milliseconds) == text)
    }
}
