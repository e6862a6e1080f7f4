/// The one definition of "behind", for the page, `top`, reports and alerts.
package enum Backlog {
    /// Least wait that counts as behind, however strict the objective: records are in flight between two readings of
    /// the lag and between two commits.
    static let leastSeconds = 2.0
    /// Freshness objective where none is set, in milliseconds.
    package static let standardObjective = 5000

    /// - Parameters:
    ///   - seconds: wait of the oldest record; nil where unknown, as in logs of older versions.
    ///   - perSecond: throughput in records a second.
    ///   - objective: freshness objective in seconds.
    package static func isBehind(lag: Int64, seconds: Double?, perSecond: Double, objective: Double) -> Bool {
        guard lag > 0 else { return false }
        if let seconds { return seconds > max(objective, leastSeconds) }
        return Double(lag) > max(50, leastSeconds * perSecond)
    }
}

extension ThroughputLine {
    /// Converts an interval's count to one a second.
    package func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

    /// The verdict's kind; of lines without a verdict that can be read, the nearest to their state.
    package var kind: Verdict.Kind {
        if let verdict { return verdict.kind }
        return switch state {
        case .stalled: .stalled
        case .restoring: .restoring
        case .idle: isBehind ? .behind : .idle
        case .working: isBehind ? .behind : .keepingUp
        }
    }

    /// The worker's own verdict; in lines of versions without one, the same rule.
    package var isBehind: Bool {
        if let verdict { return verdict.kind == .behind }
        guard let total = lag.total, state == .working || state == .idle else { return false }
        return Backlog.isBehind(
            lag: total, seconds: lag.seconds, perSecond: rate(counts.recordsIn) + rate(answers + votes),
            objective: Double(Backlog.standardObjective) / 1000)
    }
}
