import Worker

/// What stands in a worker's way, the gravest first. It is decided here alone: the verdict, `/readyz` and the log go by it.
enum WorkerCondition: Sendable {
    /// No broker answers, and nothing is committed.
    case unreachable(LagBoard.Silence)
    /// The group has not told these lanes which partitions are theirs.
    case joining([LaneReading])
    /// These lanes have work and commit nothing.
    case stalled([LaneReading])
    /// The answers and votes of partitions are not caught up.
    case restoring
    case working

    /// How long the brokers may be silent. They are asked once a second, and a request may take two.
    static let silenceLimit = Duration.seconds(5)
    /// How long a lane that has work may commit nothing. Commits come many times a second; one whose broker changes takes
    /// some seconds.
    package static let commitLimit = Duration.seconds(10)

    /// - Parameters:
    ///   - lanes: with ``LaneReading/isStalled`` set.
    ///   - silence: nil: the brokers are not asked.
    init(_ lanes: [LaneReading], silence: LagBoard.Silence?, at now: ContinuousClock.Instant) {
        let present = lanes.filter { !$0.content.hasEnded }
        let joining = present.filter(\.isJoining)
        let stalled = present.filter(\.isStalled)
        let limit = Self.silenceLimit
        if let silence, silence.seconds > limit / .seconds(1),
            !present.contains(where: { $0.content.committed.map { now - $0 < limit } ?? false })
        {
            self = .unreachable(silence)
        } else if !joining.isEmpty {
            self = .joining(joining)
        } else if !stalled.isEmpty {
            self = .stalled(stalled)
        } else if lanes.contains(where: { !$0.content.restoring.isEmpty }) {
            self = .restoring
        } else {
            self = .working
        }
    }
}

/// The one definition of "behind", for the page, `top`, reports and alerts.
package enum Backlog {
    /// Records under way between two looks and two commits are no backlog, however strict the objective is.
    package static let leastSeconds = 2.0

    /// - Parameters:
    ///   - seconds: for how long the oldest record has waited; nil where that is not known, as in logs of older versions.
    ///   - perSecond: records that come through.
    ///   - objective: how fresh the output is to be, in seconds.
    package static func isBehind(lag: Int64, seconds: Double?, perSecond: Double, objective: Double) -> Bool {
        guard lag > 0 else { return false }
        if let seconds { return seconds > max(objective, leastSeconds) }
        return Double(lag) > max(50, leastSeconds * perSecond)
    }
}
