import Bytes
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
        CalendarTime.rfc3339(seconds: Int64(seconds), fraction: Int64(milliseconds), digits: 3)
    }
}
