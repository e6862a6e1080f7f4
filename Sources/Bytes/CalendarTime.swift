/// A moment's date and time of day in UTC, to the second, by the proleptic Gregorian calendar.
package struct CalendarTime: Equatable, Sendable {
    /// Seconds since 1970 of the years 0000 to 9999, the only ones that RFC 3339 can write.
    package static let writable: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// Astronomical: year 0 is 1 BC, and earlier ones are negative.
    package let year: Int64
    /// 1 to 12.
    package let month: Int64
    /// 1 to 31.
    package let day: Int64
    /// 0 to 86,399.
    package let secondOfDay: Int64

    /// - Parameter seconds: since 1970-01-01T00:00:00Z, leap seconds left out.
    package init(seconds: Int64) {
        let (days, secondOfDay) = Self.floorDivide(seconds, by: 86_400)
        self.secondOfDay = secondOfDay
        // Howard Hinnant's civil_from_days: eras of 400 years begin in March, so that the leap day is a year's last.
        let (era, dayOfEra) = Self.floorDivide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    }

    /// Days from 1970-01-01 to a date, whose year is 0 or later.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        // Adds a whole cycle of 400 years, subtracted below: January of year 0 belongs to the March year -1.
        let marchYear = (month > 2 ? year : year - 1) + 400
        let marchMonth = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        let daysBeforeYear = marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400
        // 719,468 days lie between 0000-03-01 and 1970-01-01, and a cycle has 146,097.
        return daysBeforeYear + dayOfYear - 719_468 - 146_097
    }

    /// Divides, and rounds down also below 0, so that the remainder is never negative.
    package static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

// MARK: - Text

extension CalendarTime {
    /// `2026-03-01`
    package var date: String { String(text().prefix(10)) }

    /// `09:05:00`
    package var clock: String { String(text().dropFirst(11).prefix(8)) }

    /// RFC 3339: `2026-03-01T09:05:00Z`, or with three digits of a fraction `2026-03-01T09:05:00.007Z`.
    package static func rfc3339(seconds: Int64, fraction: Int64 = 0, digits: Int = 0) -> String {
        CalendarTime(seconds: seconds).text(fraction: fraction, digits: digits)
    }

    private func text(fraction: Int64 = 0, digits: Int = 0) -> String {
        String(unsafeUninitializedCapacity: 24 + digits) { text in
            var count = 0
            func put(_ byte: UInt8) {
                text[count] = byte
                count += 1
            }
            func put(_ number: Int64, _ width: Int) {
                var rest = number
                for place in stride(from: count + width - 1, through: count, by: -1) {
                    text[place] = ASCII.zero + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                count += width
            }
            put(year, 4)
            put(ASCII.minus)
            put(month, 2)
            put(ASCII.minus)
            put(day, 2)
            put(ASCII.letter("T"))
            put(secondOfDay / 3600, 2)
            put(ASCII.colon)
            put(secondOfDay / 60 % 60, 2)
            put(ASCII.colon)
            put(secondOfDay % 60, 2)
            if digits > 0 {
                put(ASCII.point)
                put(fraction, digits)
            }
            put(ASCII.letter("Z"))
            return count
        }
    }

    /// The same with milliseconds; outside the years 0000 to 9999 the number itself, `-62167219200001 ms`.
    package static func rfc3339(milliseconds: Int64) -> String {
        let (seconds, rest) = floorDivide(milliseconds, by: 1000)
        return writable.contains(seconds)
            ? rfc3339(seconds: seconds, fraction: rest, digits: 3) : "\(milliseconds) ms"
    }
}
