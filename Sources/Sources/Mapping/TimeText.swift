import Bytes

/// Times as the contract writes them: RFC 3339 in UTC, fractions without trailing zeros.
enum TimeText {
    /// - Returns: nil beyond the years 0000 to 9999.
    static func rfc3339(_ count: Int64, _ unit: TimeUnit) -> String? {
        switch unit {
        case .days: format(count, per: 0, digits: 0)
        case .rfc3339, .seconds: format(count, per: 1, digits: 0)
        case .millis: format(count, per: 1_000, digits: 3)
        case .micros: format(count, per: 1_000_000, digits: 6)
        case .nanos: format(count, per: 1_000_000_000, digits: 9)
        }
    }

    /// - Parameter per: counts per second; 0: the count is of days.
    private static func format(_ count: Int64, per: Int64, digits: Int) -> String? {
        var (seconds, fraction): (Int64, Int64) = (0, 0)
        if per == 0 {
            let (product, overflow) = count.multipliedReportingOverflow(by: 86_400)
            guard !overflow else { return nil }
            seconds = product
        } else {
            // Rounded down, also before 1970.
            let remainder = count % per
            fraction = remainder < 0 ? remainder + per : remainder
            seconds = count / per - (remainder < 0 ? 1 : 0)
        }
        // 0000-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
        guard -62_167_219_200...253_402_300_799 ~= seconds else { return nil }
        let secondOfDay = ((seconds % 86_400) + 86_400) % 86_400
        let day = (seconds - secondOfDay) / 86_400
        let (year, month, dayOfMonth) = civil(day)
        return String(unsafeUninitializedCapacity: 32) { text in
            var count = 0
            func put(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            func put(_ number: Int64, _ width: Int) {
                var rest = number
                for place in stride(from: count + width - 1, through: count, by: -1) {
                    text[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                count += width
            }
            put(year, 4)
            put(UInt8(ascii: "-"))
            put(month, 2)
            put(UInt8(ascii: "-"))
            put(dayOfMonth, 2)
            put(UInt8(ascii: "T"))
            put(secondOfDay / 3600, 2)
            put(UInt8(ascii: ":"))
            put(secondOfDay / 60 % 60, 2)
            put(UInt8(ascii: ":"))
            put(secondOfDay % 60, 2)
            if fraction > 0 {
                put(UInt8(ascii: "."))
                put(fraction, digits)
                while text[count - 1] == UInt8(ascii: "0") { count -= 1 }
            }
            put(UInt8(ascii: "Z"))
            return count
        }
    }

    /// A time of day in ISO 8601, `12:34:56.789`; nil: it is not within a day.
    static func timeOfDay(_ count: Int64, _ unit: TimeUnit) -> String? {
        guard count >= 0, let time = rfc3339(count, unit), time.hasPrefix("1970-01-01T") else { return nil }
        return String(time.dropFirst(11).dropLast())
    }

    /// The Gregorian date of a day counted from 1970-01-01. The year begins in March, so that the leap day is its last.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1
        )
    }

    /// A time in text as RFC 3339. Databases write it with a space for the T, without an offset (taken as UTC), with an
    /// offset of hours alone, or as a date alone.
    static func rfc3339(_ text: String) -> String? {
        if isTime(text) { return text }
        var bytes = Array(text.utf8)
        if bytes.count == 10 { bytes += Array("T00:00:00Z".utf8) }
        guard bytes.count >= 19 else { return nil }
        if bytes[10] == UInt8(ascii: " ") { bytes[10] = UInt8(ascii: "T") }
        let behindSeconds = bytes[19...].drop { $0 == UInt8(ascii: ".") || 0x30...0x39 ~= $0 }
        switch (behindSeconds.count, behindSeconds.first) {
        case (0, _): bytes.append(UInt8(ascii: "Z"))
        case (3, UInt8(ascii: "+")), (3, UInt8(ascii: "-")): bytes += Array(":00".utf8)
        case (5, UInt8(ascii: "+")), (5, UInt8(ascii: "-")): bytes.insert(UInt8(ascii: ":"), at: bytes.count - 2)
        default: break
        }
        let completed = String(decoding: bytes, as: UTF8.self)
        return isTime(completed) ? completed : nil
    }

    private static func isTime(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { Instant(rfc3339: Bytes($0)) != nil }
    }
}
