import Bytes

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
        let text = CalendarTime.rfc3339(milliseconds: milliseconds)
        return milliseconds % 1000 == 0 ? text.replacing(".000Z", with: "Z") : text
    }
}
