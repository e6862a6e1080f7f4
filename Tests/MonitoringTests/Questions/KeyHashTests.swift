import Testing

@testable import Admin
@testable import Throughput

@Suite("Where Java's clients place a key")
struct KeyHashTests {
    /// From Kafka's own UtilsTest.
    @Test(
        "murmur2 as Kafka reckons it",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] as [(String, Int32)])
    func hashes(text: String, expected: Int32) {
        #expect(Int32(bitPattern: KeyHash.murmur2(Array(text.utf8))) == expected)
    }

    @Test("a negative hash loses its sign, and the partition is one of those there are")
    func partition() {
        #expect(KeyHash.partition(of: Array("21".utf8), of: 7) == ((-973_932_308 as Int32) & 0x7fff_ffff) % 7)
        for length in 0..<40 {
            let partition = KeyHash.partition(of: Array(repeating: 0xf7, count: length), of: 3)
            #expect((0..<3).contains(partition))
        }
        #expect(KeyHash.partition(of: [1, 2], of: 1) == 0)
    }
}
