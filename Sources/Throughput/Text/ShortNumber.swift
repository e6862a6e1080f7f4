/// Numbers for people, in at most five characters.
enum ShortNumber {
    private static let units = ["", "k", "M", "G", "T", "P", "E"]

    /// "0", "0.25", "7", "12.3", "999", "6.00k", "12.3k", "4.56M"; "-" for negative and for non-finite values.
    static func count(_ value: Double) -> String {
        guard value >= 0, value.isFinite else { return "-" }
        var (value, unit) = (value, 0)
        // 999.5 and above would round to four digits.
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? digits(value) : threeDigits(value) + units[unit]
    }

    static func count(_ value: some BinaryInteger) -> String { count(Double(value)) }

    /// "0.25", "12.3", "999", "1.20s", "45.0s", "12m", "3h", "45d": milliseconds, or with a unit.
    static func milliseconds(_ value: Double) -> String {
        guard value >= 0, value.isFinite else { return "-" }
        let seconds = value / 1000
        return switch seconds {
        case ..<0.9995: digits(value)
        case ..<99.95: threeDigits(seconds) + "s"
        case ..<5_970: "\(Int((seconds / 60).rounded()))m"
        case ..<171_000: "\(Int((seconds / 3_600).rounded()))h"
        default: "\(Int(min(seconds / 86_400, 9_999).rounded()))d"
        }
    }

    /// Three significant digits; a whole number keeps its digits.
    private static func digits(_ value: Double) -> String {
        value == value.rounded() && value < 999.5 ? String(Int(value)) : threeDigits(value)
    }

    private static func threeDigits(_ value: Double) -> String {
        switch value {
        case ..<9.995: point(value, 2)
        case ..<99.95: point(value, 1)
        default: String(Int(min(value, 99_999).rounded()))
        }
    }

    private static func point(_ value: Double, _ places: Int) -> String {
        let scale = places == 2 ? 100 : 10
        let number = Int((value * Double(scale)).rounded())
        let rest = String(number % scale)
        return "\(number / scale)." + String(repeating: "0", count: places - rest.count) + rest
    }
}
