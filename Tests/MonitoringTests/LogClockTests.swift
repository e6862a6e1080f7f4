import Testing

@testable import Monitoring

@Suite("Times as text")
struct LogClockTests {
    @Test(
        "a record's timestamp: a time of UTC, or the number where no calendar has it",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_772_355_900_007, "2026-03-01T09:05:00.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (-1_000, "1969-12-31T23:59:59.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (253_402_300_800_000, "253402300800000 ms"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (-62_167_219_200_001, "-62167219200001 ms"),
            (.max, "9223372036854775807 ms"), (.min, "-9223372036854775808 ms"),
        ] as [(Int64, String)])
    func timestamps(milliseconds: Int64, text: String) {
        #expect(LogClock.text(timestamp: milliseconds) == text)
    }

    @Test("to the second")
    func seconds() {
        #expect(LogClock.text(seconds: 1_772_355_900) == "2026-03-01T09:05:00Z")
    }
}
