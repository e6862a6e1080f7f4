import Testing

@testable import Recording

@Suite("Bounds of a window")
struct WindowBoundTests {
    @Test(
        "where it begins",
        arguments: [
            ("beginning", .beginning), ("end", .end), ("0", .offset(0)), ("99999999999", .offset(99_999_999_999)),
            ("100000000000", .time(100_000_000_000)), ("1700000000123", .time(1_700_000_000_123)),
            ("offset:100000000000", .offset(100_000_000_000)), ("1970-01-01T00:00:00Z", .time(0)),
            ("2023-11-14T23:13:20.123+01:00", .time(1_700_000_000_123)),
            ("2023-11-14T22:13:20.1230000001Z", .time(1_700_000_000_124)), ("-90s", .ago(90_000)),
            ("-30m", .ago(1_800_000)), ("-1h", .ago(3_600_000)), ("-2d", .ago(172_800_000)), ("-1w", .ago(604_800_000)),
            ("-1h30m", .ago(5_400_000)),
        ] as [(String, WindowBound)])
    func from(text: String, bound: WindowBound) throws {
        #expect(try WindowBound(from: text) == bound)
    }

    @Test(
        "where it ends",
        arguments: [("end", .end), ("7", .offset(7)), ("+1", .count(1)), ("-1h", .ago(3_600_000))]
            as [(String, WindowBound)])
    func to(text: String, bound: WindowBound) throws {
        #expect(try WindowBound(to: text) == bound)
    }

    @Test(
        "what is neither",
        arguments: [
            "", "now", "-", "-h", "-1", "-1y", "-1h30", "--1h", "+5", "1.5", "0x10", "٣", "-٣h",
            "9223372036854775808",
            "-9223372036854775807w", "2023-11-14", "2023-11-14T22:13:20", "1969-12-31T23:59:59Z", "offset:",
            "offset:-1",
        ])
    func badFrom(text: String) {
        let error = #expect(throws: CaptureError.self) { try WindowBound(from: text) }
        #expect(error?.matter == .usage)
        #expect(error?.description.contains("'\(text)'") == true)
    }

    @Test("no end", arguments: ["beginning", "+0", "+", "+-1", "+1h", "+9223372036854775808", "5-"])
    func badTo(text: String) {
        #expect(throws: CaptureError.self) { try WindowBound(to: text) }
    }

    @Test("a window that ends before it begins")
    func backwards() throws {
        let pairs: [(WindowBound, WindowBound)] = [
            (.offset(5), .offset(5)), (.time(2), .time(1)), (.ago(60_000), .ago(120_000)),
        ]
        for (from, to) in pairs { #expect(throws: CaptureError.self) { try Window(from: from, to: to) } }
        _ = try Window(from: .ago(120_000), to: .ago(60_000))
        _ = try Window(from: .time(1), to: .offset(1))
    }
}
