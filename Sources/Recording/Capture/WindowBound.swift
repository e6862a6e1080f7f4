import Bytes
import Foundation

/// The beginning or the end of a topic's window, in its forms for people.
package enum WindowBound: Sendable, Equatable {
    /// Before the first record that the broker still has.
    case beginning
    /// After the last record at the time when reading starts.
    case end
    /// This offset in each partition.
    case offset(Int64)
    /// The first record of each partition that is not older: milliseconds since 1970.
    case time(Int64)
    /// The same, as milliseconds before reading starts.
    case ago(Int64)
    /// This many records in all after the window's beginning.
    case count(Int64)

    /// A plain number from this on is a time in milliseconds (1973), below it an offset.
    static let leastTime: Int64 = 100_000_000_000

    /// The forms of a beginning, for people.
    package static let fromForms =
        "beginning, end (records from now on), an offset (120), a time (2024-05-01T09:30:00Z, or milliseconds since "
        + "1970), or a time ago (-30m, -1h, -2d)"
    /// The forms of an end, for people.
    static let toForms =
        "end, an offset (120), a time (2024-05-01T09:30:00Z, or milliseconds since 1970), a time ago (-30m, -1h, -2d), "
        + "or a number of records (+1000)"

    /// Parses a window's beginning.
    package init(from text: String) throws(CaptureError) {
        let word: WindowBound? =
            switch text {
            case "beginning": .beginning
            case "end": .end
            default: Self.either(text)
            }
        guard let bound = word else {
            throw CaptureError(.usage, "cannot begin at '\(text)'; say \(Self.fromForms).")
        }
        self = bound
    }

    /// Parses a window's end. The record at the bound is not in the window.
    package init(to text: String) throws(CaptureError) {
        var bound = text == "end" ? Self.end : Self.either(text)
        if text.hasPrefix("+") { bound = Self.number(text.dropFirst()).flatMap { $0 > 0 ? .count($0) : nil } }
        guard let bound else { throw CaptureError(.usage, "cannot end at '\(text)'; say \(Self.toForms).") }
        self = bound
    }

    private static func either(_ text: String) -> WindowBound? {
        if text.hasPrefix("-") { return duration(text.dropFirst()).map { .ago($0) } }
        // For an offset as large as a time.
        if text.hasPrefix("offset:") { return number(text.dropFirst("offset:".count)).map { .offset($0) } }
        if let number = number(text[...]) { return number < leastTime ? .offset(number) : .time(number) }
        var text = text
        return text.withUTF8 { Instant(rfc3339: Bytes($0)) }.flatMap { instant in
            // Rounds up to the next millisecond: records before it are older.
            let part = Int64((instant.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
            let milliseconds = instant.seconds * 1_000 + part
            return milliseconds >= 0 ? .time(milliseconds) : nil
        }
    }

    private static func number(_ text: Substring) -> Int64? {
        !text.isEmpty && text.utf8.allSatisfy { 0x30...0x39 ~= $0 } ? Int64(text) : nil
    }

    /// "1h30m" in milliseconds; nil for a malformed duration.
    package static func duration(_ text: Substring) -> Int64? {
        var rest = text
        var total: Int64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let amount = number(digits), let letter = rest.popFirst() else { return nil }
            let unit: Int64
            switch letter {
            case "s": unit = 1_000
            case "m": unit = 60_000
            case "h": unit = 3_600_000
            case "d": unit = 86_400_000
            case "w": unit = 604_800_000
            default: return nil
            }
            let (product, overflows) = amount.multipliedReportingOverflow(by: unit)
            let (sum, sumOverflows) = total.addingReportingOverflow(product)
            guard !overflows, !sumOverflows else { return nil }
            total = sum
        } while !rest.isEmpty
        return total
    }
}
