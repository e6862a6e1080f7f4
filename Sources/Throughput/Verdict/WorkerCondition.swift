import Worker

/// A worker's condition, the most severe first. Decided here alone: the verdict, `/readyz` and the log follow it.
package enum WorkerCondition: Sendable {
    /// No broker answers, and nothing is committed.
    case unreachable(LagBoard.Silence)
    /// These of the worker's topics were deleted while it runs.
    case topicMissing([String])
    /// These lanes have not turned for longer than ``turnLimit``.
    case stuck([LaneReading])
    /// The group has not assigned partitions to these lanes.
    case joining([LaneReading])
    /// These lanes have work and commit nothing.
    case stalled([LaneReading])
    /// Answers and votes of some partitions, or the index of the sources, are not caught up.
    case restoring
    case working

    /// Longest silence of the brokers. They are queried once a second, and a request may take two.
    static let silenceLimit = Duration.seconds(5)
    /// Longest time without a commit for a lane that has work. Commits come many times a second; one takes some seconds
    /// when its broker changes.
    static let commitLimit = Duration.seconds(10)
    /// The longest turn of a healthy lane. A turn takes some hundred milliseconds; calls that block on a slow broker
    /// take 5 to 30 s each, and a lane with uncommitted work repeats them until the broker answers.
    package static let turnLimit = Duration.seconds(60)

    /// - Parameters:
    ///   - lanes: with ``LaneReading/isStalled`` set.
    ///   - silence: nil: the brokers are not asked.
    init(_ lanes: [LaneReading], silence: LagBoard.Silence?, at now: ContinuousClock.Instant) {
        let present = lanes.filter { !$0.content.hasEnded }
        let missing = Set(present.flatMap(\.content.missingTopics)).sorted()
        let stuck = present.filter { $0.isStuck(at: now) }
        let joining = present.filter(\.isJoining)
        let stalled = present.filter(\.isStalled)
        let limit = Self.silenceLimit
        if let silence, silence.seconds > limit / .seconds(1),
            !present.contains(where: { $0.content.committed.map { now - $0 < limit } ?? false })
        {
            self = .unreachable(silence)
        } else if !missing.isEmpty {
            self = .topicMissing(missing)
        } else if !stuck.isEmpty {
            self = .stuck(stuck)
        } else if !joining.isEmpty {
            self = .joining(joining)
        } else if !stalled.isEmpty {
            self = .stalled(stalled)
        } else if lanes.contains(where: \.content.isRestoring) {
            self = .restoring
        } else {
            self = .working
        }
    }
}
