import Testing

@testable import Admin
@testable import Throughput

@Suite("Text out of request targets")
struct QueryTextTests {
    @Test(
        "percent escapes stand for bytes, and what is no escape for itself",
        arguments: [
            ("q-1", "q-1"), ("a%2Fb", "a/b"), ("a%2fb", "a/b"), ("%3Cscript%3E", "<script>"), ("50%", "50%"),
            ("%zz%4", "%zz%4"),
            ("%2525", "%25"), ("a+b", "a+b"), ("%C3%A6", "æ"), ("", ""), ("%", "%"), ("%00", "\u{0}"),
        ])
    func decoded(text: String, expected: String) {
        #expect(QueryText.decoded(text.utf8) == Array(expected.utf8))
    }

    @Test("bytes that are no UTF-8 come out as they are")
    func rawBytes() {
        #expect(QueryText.decoded("%FF%fe".utf8) == [0xff, 0xfe])
    }

    @Test("every byte survives being escaped")
    func roundTrip() {
        let all = (0...255).map { UInt8($0) }
        let text = QueryText.encoded(all)
        #expect(QueryText.decoded(text.utf8) == all)
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        #expect(!text.contains(where: { "/?#&=+<>\"'".contains($0) }))
    }

    @Test("fields of a query, as forms send them")
    func fields() {
        #expect(QueryText.value(of: "id", in: "x=1&id=a+b%2B%26&id=2") == Array("a b+&".utf8))
        #expect(QueryText.value(of: "id", in: "id") == [])
        #expect(QueryText.value(of: "id", in: "id=") == [])
        #expect(QueryText.value(of: "id", in: "i%64=7") == Array("7".utf8))
        #expect(QueryText.value(of: "id", in: "ids=1&&=") == nil)
        #expect(QueryText.value(of: "id", in: nil) == nil)
        #expect(QueryText.value(of: "id", in: "id=a=b") == Array("a=b".utf8))
    }
}
