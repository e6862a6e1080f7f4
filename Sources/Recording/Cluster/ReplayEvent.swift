import Bytes

/// A report of a replay to or from a cluster while it runs.
package enum ReplayEvent: Sendable, Equatable {
    /// A sentence for people about the next step.
    case note(String)
    /// A sentence for people about a likely problem.
    case warning(String)
    /// Progress; frequent.
    case advanced(ReplayAdvance)
}

/// The progress of a replay.
package struct ReplayAdvance: Sendable, Equatable {
    /// Records read so far.
    package var records: Int
    /// All records; an estimate where offsets have gaps.
    package var total: Int
    /// Bytes of keys and values read so far.
    package var bytes: Int
    /// Since the reading began.
    package var elapsed: Duration
    /// The current delay against its pace; zero without a pace.
    package var behind: Duration

    /// - Parameter behind: the delay against the pace; zero without one.
    package init(records: Int, total: Int, bytes: Int, elapsed: Duration, behind: Duration = .zero) {
        self.records = records
        self.total = total
        self.bytes = bytes
        self.elapsed = elapsed
        self.behind = behind
    }

    /// 0 to 100.
    package var percent: Int { total > 0 ? min(100, records * 100 / total) : 100 }

    /// The mean since the beginning.
    package var recordsPerSecond: Double {
        let seconds = elapsed / .seconds(1)
        return seconds > 0 ? Double(records) / seconds : 0
    }
}

extension Duration {
    /// `350 ms`, `12.3 s`, `10 min 3 s`, `2 h 5 min`, `7 days`.
    package var forPeople: String {
        let seconds = self / .seconds(1)
        switch seconds {
        case ..<1: return "\(Int((seconds * 1000).rounded())) ms"
        case ..<60: return "\((seconds * 10).rounded() / 10) s"
        case ..<3600: return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
        case ..<172_800: return "\(Int(seconds) / 3600) h \(Int(seconds) / 60 % 60) min"
        case ..<1e15: return "\(Int(seconds) / 86_400) days"
        default: return "for ever"
        }
    }
}

/// Numbers and times in the form that sentences need.
enum Wording {
    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    static func time(_ duration: Duration) -> String { duration.forPeople }

    /// RFC 3339 in UTC with milliseconds; the number itself outside the calendar.
    static func instant(_ milliseconds: Int64) -> String { CalendarTime.rfc3339(milliseconds: milliseconds) }
}
