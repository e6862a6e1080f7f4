import Bytes
import Testing

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "ab", 2), ("lanes", "lanes", 0), ("lanse", "lanes", 1), ("lane", "lanes", 1),
        ("lames", "lanes", 1), ("kitten", "sitting", 3),
    ])
    func distance(a: String, b: String, expected: Int) {
        #expect(NearestName.distance(a, b) == expected)
    }

    @Test func lastPartCounts() {
        #expect(NearestName.of("port", in: ["admin.host", "admin.port", "lanes"]) == "admin.port")
        #expect(NearestName.of("x", in: []) == "")
    }
}
