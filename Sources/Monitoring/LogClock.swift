import Foundation

/// Timestamps of log lines and of pages read beside them: UTC, RFC 3339, milliseconds.
package enum LogClock {
    /// A reading of the wall clock.
    package static func now() -> (seconds: Int, milliseconds: Int) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return (time.tv_sec, time.tv_nsec / 1_000_000)
    }

    /// The wall clock, in milliseconds' precision.
    package static var secondsSince1970: Double {
        let now = now()
        return Double(now.seconds) + Double(now.milliseconds) / 1000
    }

    /// "2026-03-01T09:05:00.007Z"
    package static func text(seconds: Int, milliseconds: Int) -> String {
        moment(seconds) + "." + digits(milliseconds, 3) + "Z"
    }

    /// "2026-03-01T09:05:00Z"
    package static func text(seconds: Int) -> String { moment(seconds) + "Z" }

    /// A record's timestamp: "2026-03-01T09:05:00.007Z"; outside years of four digits "-62167219200001 ms".
    package static func text(timestamp milliseconds: Int64) -> String {
        guard (-62_167_219_200_000..<253_402_300_800_000).contains(milliseconds) else { return "\(milliseconds) ms" }
        let rest = Int((milliseconds % 1000 + 1000) % 1000)
        return text(seconds: (Int(milliseconds) - rest) / 1000, milliseconds: rest)
    }

    private static func moment(_ seconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = digits(Int(parts.tm_year) + 1900, 4)
        text += "-" + digits(Int(parts.tm_mon) + 1, 2) + "-" + digits(Int(parts.tm_mday), 2)
        text += "T" + digits(Int(parts.tm_hour), 2) + ":" + digits(Int(parts.tm_min), 2)
        text += ":" + digits(Int(parts.tm_sec), 2)
        return text
    }

    private static func digits(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
