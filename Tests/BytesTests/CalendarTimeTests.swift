import Bytes
import Testing

struct CalendarTimeTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1_757_921_400_000, "2025-09-15T07:30:00.000Z"),
        (951_782_400_123, "2000-02-29T00:00:00.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"), (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_167_219_200_001, "-62167219200001 ms"), (253_402_300_800_000, "253402300800000 ms"),
        (.min, "-9223372036854775808 ms"), (.max, "9223372036854775807 ms"),
    ])
    func millisecondsAreRFC3339(milliseconds: Int64, text: String) {
        #expect(CalendarTime.rfc3339(milliseconds: milliseconds) == text)
    }

    @Test func textsAreReadBackAsTheyWereWritten() {
        // Steps of some 41 days and 7 hours, from the year 0 to 9999.
        for seconds in stride(
            from: CalendarTime.writable.lowerBound, to: CalendarTime.writable.upperBound, by: 3_567_891)
        {
            let text = CalendarTime.rfc3339(seconds: seconds, fraction: 70, digits: 4)
            let instant = Array(text.utf8).withUnsafeBytes { Instant(rfc3339: $0) }
            #expect(instant == Instant(seconds: seconds, attoseconds: 7_000_000_000_000_000), "\(text)")
        }
    }

    @Test(
        arguments: [(7, 3, 2, 1), (-7, 3, -3, 2), (-6, 3, -2, 0), (0, 3, 0, 0), (-1, 1000, -1, 999)]
            as [(Int64, Int64, Int64, Int64)])
    func divisionRoundsDown(value: Int64, divisor: Int64, quotient: Int64, remainder: Int64) {
        #expect(CalendarTime.floorDivide(value, by: divisor) == (quotient, remainder))
    }
}
