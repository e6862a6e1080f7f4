extension Instant {
    /// Reads an RFC 3339 `date-time`, such as `2024-05-01T09:30:00.25+02:00`.
    ///
    /// Years are 0000 to 9999, days follow the Gregorian calendar, `t` and `z` may be lowercase, and the offset is `Z`
    /// or up to 23:59 either way. Second 60 is accepted only where a leap second can occur, at 23:59 UTC, and counts as
    /// the following second. A fraction may have any number of digits; those past the eighteenth are checked and
    /// ignored.
    ///
    /// - Returns: nil unless the whole text is such a time.
    package init?(rfc3339 text: Bytes) {
        guard text.count >= 20,
            let year = Self.number(text, at: 0, digits: 4), text[4] == ASCII.minus,
            let month = Self.number(text, at: 5, digits: 2), text[7] == ASCII.minus,
            let day = Self.number(text, at: 8, digits: 2), text[10] | ASCII.lowercaseBit == ASCII.letter("t"),
            let hour = Self.number(text, at: 11, digits: 2), text[13] == ASCII.colon,
            let minute = Self.number(text, at: 14, digits: 2), text[16] == ASCII.colon,
            let second = Self.number(text, at: 17, digits: 2),
            1...12 ~= month, day >= 1, day <= Self.days(inMonth: month, of: year),
            hour <= 23, minute <= 59, second <= 60
        else { return nil }

        var index = 19
        var attoseconds: UInt64 = 0
        if text[index] == ASCII.point {
            index += 1
            let firstDigit = index
            var unit: UInt64 = 100_000_000_000_000_000
            while index < text.count, ASCII.isDigit(text[index]) {
                attoseconds &+= UInt64(text[index] &- ASCII.zero) &* unit
                unit /= 10
                index += 1
            }
            guard index > firstDigit else { return nil }
        }
        guard let offset = Self.offset(text, at: index) else { return nil }

        let minuteOfDay = hour * 60 + minute - offset
        if second == 60, (minuteOfDay + 1440) % 1440 != 1439 { return nil }
        self.init(
            seconds: CalendarTime.days(year: year, month: month, day: day) * 86_400 + minuteOfDay * 60 + second,
            attoseconds: attoseconds)
    }

    /// The offset from UTC in minutes, read from the end of the text; nil if it is malformed or followed by more text.
    private static func offset(_ text: Bytes, at index: Int) -> Int64? {
        guard index < text.count else { return nil }
        switch text[index] {
        case ASCII.letter("Z"), ASCII.letter("z"):
            return text.count == index + 1 ? 0 : nil
        case ASCII.plus, ASCII.minus:
            guard text.count == index + 6, text[index + 3] == ASCII.colon,
                let hours = number(text, at: index + 1, digits: 2), hours <= 23,
                let minutes = number(text, at: index + 4, digits: 2), minutes <= 59
            else { return nil }
            let offset = hours * 60 + minutes
            return text[index] == ASCII.minus ? -offset : offset
        default:
            return nil
        }
    }

    /// A number of exactly `digits` digits. The caller guarantees that the text is long enough.
    @inline(__always)
    private static func number(_ text: Bytes, at index: Int, digits: Int) -> Int64? {
        var number: Int64 = 0
        for offset in index..<index + digits {
            let byte = text[offset]
            guard ASCII.isDigit(byte) else { return nil }
            number = number &* 10 &+ Int64(byte &- ASCII.zero)
        }
        return number
    }

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
