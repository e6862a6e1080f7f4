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
            (seconds, fraction) = CalendarTime.floorDivide(count, by: per)
        }
        guard CalendarTime.writable.contains(seconds) else { return nil }
        return write(seconds, fraction, digits: digits)
    }

    /// A count in text, which may have a fraction: 1700000000.25 seconds. Cut to nanoseconds.
    /// - Returns: nil beyond the years 0000 to 9999, and for text that is no number.
    static func rfc3339(count text: String, _ unit: TimeUnit) -> String? {
        if let count = DecimalText.integer(text) { return Int64(count).flatMap { rfc3339($0, unit) } }
        let power: Int? =
            switch unit {
            case .rfc3339, .seconds: 9
            case .millis: 6
            case .micros: 3
            case .nanos: 0
            // A part of a day is no time that a database keeps.
            case .days: nil
            }
        guard let power, let nanos = DecimalText.floor(text, timesTenTo: power) else { return nil }
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: 1_000_000_000)
        let seconds = remainder < 0 ? quotient - 1 : quotient
        guard let seconds = Int64(exactly: seconds), CalendarTime.writable.contains(seconds) else { return nil }
        return write(seconds, Int64(remainder < 0 ? remainder + 1_000_000_000 : remainder), digits: 9)
    }

    /// Whether a site's row may be of that time: the years 1990 to 2099.
    static func isLikely(_ time: String) -> Bool { time >= "1990" && time < "2100" }

    private static func write(_ seconds: Int64, _ fraction: Int64, digits: Int) -> String {
        var (fraction, digits) = (fraction, digits)
        while digits > 0, fraction % 10 == 0 { (fraction, digits) = (fraction / 10, digits - 1) }
        return CalendarTime.rfc3339(seconds: seconds, fraction: fraction, digits: digits)
    }

    /// A time of day in ISO 8601, `12:34:56.789`; nil: it is not within a day.
    static func timeOfDay(_ count: Int64, _ unit: TimeUnit) -> String? {
        guard count >= 0, let time = rfc3339(count, unit), time.hasPrefix("1970-01-01T") else { return nil }
        return String(time.dropFirst(11).dropLast())
    }

    /// A time in text as RFC 3339. Databases write it with a space for the T, without an offset (taken as UTC), with an
    /// offset of hours alone, or as a date alone.
    static func rfc3339(_ text: String) -> String? {
        if isTime(text) { return text }
        var bytes = Array(text.utf8)
        // Debezium's IsoDate: 2024-02-29Z.
        if bytes.count == 11, bytes[10] == UInt8(ascii: "Z") { bytes.removeLast() }
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
