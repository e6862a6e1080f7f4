/// Pieces of records, made safe to print in a terminal, a log or a report.
enum Excerpt {
    /// Escapes control characters; cuts after `limit` characters.
    static func text(_ text: String, limit: Int = 80) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit { return result + "..." }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: result += scalar.escaped(asASCII: true)
            case .format where scalar.value == 0xFEFF || scalar.properties.isBidiControl:
                result += scalar.escaped(asASCII: true)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A key, header or value: as text when it is UTF-8, else as hexadecimal bytes.
    static func bytes(_ bytes: [UInt8]?, limit: Int = 80) -> String {
        guard let bytes else { return "null" }
        if let text = String(validating: bytes, as: UTF8.self) { return Self.text(text, limit: limit) }
        let digits = bytes.prefix(limit / 2).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "0x" + digits.joined() + (bytes.count > limit / 2 ? "..." : "")
    }

    /// A time in RFC 3339's format.
    static func time(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "no time" }
        // The inverse of "days from civil" (an era of 400 years has 146,097 days).
        let day = Int64(86_400_000)
        let days = (milliseconds - (milliseconds % day + day) % day) / day
        let rest = milliseconds - days * day
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
        }
        let date = "\(padded(year, 4))-\(padded(calendarMonth, 2))-\(padded(dayOfMonth, 2))"
        let time =
            "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1000 % 60, 2))"
        return "\(date)T\(time)" + (rest % 1000 == 0 ? "Z" : ".\(padded(rest % 1000, 3))Z")
    }
}
