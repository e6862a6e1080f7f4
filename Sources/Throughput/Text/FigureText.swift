import Bytes
import Foundation

/// Formats numbers for readers, independent of the locale: a report is the same on every machine.
package enum FigureText {
    /// `12,345`
    package static func whole(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var index = digits.count - 3
        while index > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
            index -= 3
        }
        return number < 0 ? "-" + digits : digits
    }

    /// `12,345`
    package static func whole(_ number: Int64) -> String { whole(Int(number)) }

    /// `12,345`, rounded; from 1e15 on `1.20e+30`.
    package static func whole(_ number: Double) -> String {
        abs(number) < 1e15 ? whole(Int(number.rounded())) : amount(number)
    }

    /// At most one decimal: `4.9`, `4`.
    package static func tenths(_ number: Double) -> String {
        guard abs(number) < 1e14 else { return amount(number) }
        let tenths = Int((number * 10).rounded())
        let rest = abs(tenths % 10)
        return "\(tenths < 0 ? "-" : "")\(abs(tenths / 10))\(rest == 0 ? "" : ".\(rest)")"
    }

    /// Three significant digits, or all digits of a larger whole number: `0.045`, `4.56`, `45.6`, `456`, `4,567`.
    package static func amount(_ number: Double) -> String {
        guard number.isFinite else { return "–" }
        let size = abs(number)
        if size >= 99.95 { return size < 1e15 ? whole(Int(number.rounded())) : String(format: "%.2e", number) }
        if size >= 9.995 { return String(format: "%.1f", number) }
        if size >= 0.9995 { return String(format: "%.2f", number) }
        if size == 0 { return "0" }
        return size < 0.0005 ? "<0.001" : String(format: "%.3f", number)
    }

    /// In at most five characters: `999`, `12.3k`, `456k`, `1.23M`.
    package static func short(_ number: Double) -> String {
        scaled(number, [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")])
    }

    /// `512 B`, `3.21 MB`: decimal units.
    package static func bytes(_ number: Double) -> String {
        for (unit, name) in [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")] where abs(number) >= unit * 0.9995 {
            return "\(digits(number / unit)) \(name)"
        }
        return "\(Int(number.rounded())) B"
    }

    private static func scaled(_ number: Double, _ units: [(Double, String)]) -> String {
        guard number.isFinite else { return "–" }
        for (unit, name) in units where abs(number) >= unit * 0.9995 { return digits(number / unit) + name }
        if number == number.rounded() || abs(number) >= 99.5 { return String(Int(number.rounded())) }
        return digits(number)
    }

    private static func digits(_ number: Double) -> String {
        let size = abs(number)
        if size >= 99.95 { return String(format: "%.0f", number) }
        return size >= 9.995 ? String(format: "%.1f", number) : String(format: "%.2f", number)
    }

    /// Milliseconds as `0.45 ms`, `12.3 ms`, `4.56 s`, `3 min 20 s`.
    package static func milliseconds(_ number: Double) -> String {
        if number < 1000 { return "\(amount(number)) ms" }
        return number < 60_000 ? "\(amount(number / 1000)) s" : duration(number / 1000)
    }

    /// `45 s`, `12 min`, `3 h 20 min`, `2 d 4 h`
    package static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e12 else { return "–" }
        if seconds < 9.95 { return "\(mark(amount(seconds))) s" }
        let whole = Int(seconds.rounded())
        let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60)
        func pair(_ first: Int, _ unit: String, _ second: Int, _ small: String) -> String {
            second == 0 ? "\(first) \(unit)" : "\(first) \(unit) \(second) \(small)"
        }
        if days > 0 { return pair(days, "d", hours, "h") }
        if hours > 0 { return pair(hours, "h", minutes, "min") }
        return minutes > 0 ? pair(minutes, "min", rest, "s") : "\(rest) s"
    }

    /// `61%`, `0.4%`
    package static func percent(_ share: Double) -> String {
        let percent = share * 100
        if percent > 0, percent < 0.05 { return "<0.1%" }
        return percent < 9.95 && percent > 0 ? String(format: "%.1f%%", percent) : String(format: "%.0f%%", percent)
    }

    /// `1.25×`; `=` where both are 0; `–` where one is missing or only the base is 0.
    package static func ratio(_ value: Double?, to base: Double?) -> String {
        guard let value, let base else { return "–" }
        if base == 0 { return value == 0 ? "=" : "–" }
        let ratio = value / base
        if ratio >= 99.95 { return String(format: "%.0f×", ratio) }
        return String(format: ratio >= 9.995 ? "%.1f×" : "%.2f×", ratio)
    }

    /// `2026-11-22 16:20:31` in UTC.
    package static func time(_ seconds: Double) -> String {
        let range = CalendarTime.writable
        let time = CalendarTime(
            seconds: Int64(min(max(seconds.rounded(.down), Double(range.lowerBound)), Double(range.upperBound))))
        return "\(time.date) \(time.clock)"
    }

    /// `16:20:31` in UTC.
    package static func clock(_ seconds: Double) -> String { String(time(seconds).suffix(8)) }

    /// Drops trailing zeros for an axis label: `5.00k` becomes `5k`, `1.50 s` becomes `1.5 s`.
    package static func mark(_ text: String) -> String {
        guard let point = text.firstIndex(of: ".") else { return text }
        let digits = text[text.index(after: point)...].prefix { $0.isNumber }
        let kept = String(digits.reversed().drop { $0 == "0" }.reversed())
        return text[..<point] + (kept.isEmpty ? "" : "." + kept) + text[digits.endIndex...]
    }

    /// `1 line`, `2 lines`
    package static func counted(_ count: Int, _ noun: String) -> String {
        "\(whole(count)) \(noun)\(count == 1 ? "" : "s")"
    }
}
