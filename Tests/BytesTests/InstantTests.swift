import Bytes
import Foundation
import Testing

struct InstantTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01T00:00:00.000000000000000001Z", 0, 1),
        ("1970-01-01T00:00:00.999999999999999999Z", 0, 999_999_999_999_999_999),
        ("1969-12-31T23:59:59.5Z", -1, 500_000_000_000_000_000),
        ("1970-01-01T01:00:00+01:00", 0, 0),
        ("1969-12-31T23:30:00-00:30", 0, 0),
        ("2000-03-01t00:00:00z", 951_868_800, 0),
        ("2024-02-29T12:00:00.25Z", 1_709_208_000, 250_000_000_000_000_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
        ("0000-01-01T00:00:00+23:59", -62_167_305_540, 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
        ("2016-12-31T23:59:60.75Z", 1_483_228_800, 750_000_000_000_000_000),
        ("2017-01-01T05:29:60+05:30", 1_483_228_800, 0),
    ])
    func reads(text: String, seconds: Int64, attoseconds: UInt64) {
        #expect(instant(text) == Instant(seconds: seconds, attoseconds: attoseconds))
    }

    @Test func ordersAsMomentsNotAsTexts() throws {
        let texts = [
            "0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "2024-05-01T12:00:00+14:00",
            "2024-05-01T00:30:00+02:00", "2024-04-30T22:30:00.1Z", "2024-04-30T22:30:00.11Z",
            "2024-04-30T12:31:00-10:00",
            "2024-05-01T12:00:00-12:00", "9999-12-31T23:59:59Z",
        ]
        let instants = texts.compactMap(instant)
        #expect(instants.count == texts.count)
        #expect(instants == instants.sorted())
        #expect(Set(instants).count == texts.count)
    }

    @Test(arguments: [
        ["2024-05-01T12:00:00Z", "2024-05-01T14:00:00+02:00", "2024-05-01t12:00:00.000z", "2024-05-01T12:00:00-00:00"],
        ["2024-05-01T12:00:00.123456789012345678Z", "2024-05-01T12:00:00.1234567890123456789Z"],
        ["2015-06-30T23:59:60Z", "2015-07-01T00:00:00Z", "2015-06-30T19:59:60-04:00"],
    ])
    func sameMoments(texts: [String]) throws {
        let instants = Set(texts.compactMap(instant))
        #expect(instants.count == 1)
        #expect(instants.first?.hashValue == instant(texts[0])?.hashValue)
    }

    /// Days of all centuries from when Foundation's calendar has Gregorian ones.
    @Test func daysAgreeWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: -141_000, to: 2_932_896, by: 101) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let text = String(format: "%04d-%02d-%02dT00:00:00Z", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            #expect(instant(text)?.seconds == Int64(day) * 86_400, "\(text)")
        }
    }

    @Test func everyPrefixIsNone() {
        let text = Array("2024-05-01T12:00:00.25+01:30".utf8)
        for length in 0..<text.count { #expect(text[..<length].withUnsafeBytes { Instant(rfc3339: $0) } == nil) }
        #expect(text.withUnsafeBytes { Instant(rfc3339: $0) } != nil)
    }

    private func instant(_ text: String) -> Instant? {
        Array(text.utf8).withUnsafeBytes { Instant(rfc3339: $0) }
    }
}
