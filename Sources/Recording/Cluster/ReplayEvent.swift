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
    package var elapsed: Duration
    /// The current delay against its pace; zero without a pace.
    package var behind: Duration

    package init(records: Int, total: Int, bytes: Int, elapsed: Duration, behind: Duration = .zero) {
        self.records = records
        self.total = total
        self.bytes = bytes
        self.elapsed = elapsed
        self.behind = behind
    }

    /// 0 to 100.
    package var percent: Int { total > 0 ? min(100, records * 100 / total) : 100 }

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
    static func instant(_ milliseconds: Int64) -> String {
        // The years 1 to 9999: RFC 3339 can write no others.
        guard (-62_135_596_800_000...253_402_300_799_999).contains(milliseconds) else { return "\(milliseconds) ms" }
        let (days, time) = (floorDivide(milliseconds, 86_400_000), floorRemainder(milliseconds, 86_400_000))
        let (year, month, day) = civil(days)
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(time / 3_600_000, 2)):"
            + "\(padded(time / 60_000 % 60, 2)):\(padded(time / 1000 % 60, 2)).\(padded(time % 1000, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
        value >= 0 ? value / by : -((-value + by - 1) / by)
    }

    private static func floorRemainder(_ value: Int64, _ by: Int64) -> Int64 { value - floorDivide(value, by) * by }

    /// The proleptic Gregorian date of a day counted from 1970-01-01, computed in eras of 400 years that begin in
    /// March.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
