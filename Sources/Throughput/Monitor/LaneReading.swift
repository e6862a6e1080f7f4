import Worker

/// A lane's state at one moment.
package struct LaneReading: Sendable {
    /// From 0; the lanes of the sources follow those of questions.
    package let lane: Int
    /// The lane's own report, with its lags raised by the ``LagBoard``.
    package var content: LaneReport.Content
    /// How long the lane has had work and committed nothing.
    package var standing = Duration.zero
    /// The lane's work has stood still for too long.
    package var isStalled = false

    /// A lane that has not been found to stand still.
    package init(lane: Int, content: LaneReport.Content) {
        self.lane = lane
        self.content = content
    }

    /// In records, over all partitions with a known lag.
    package var lag: Int64 { content.lags.reduce(0) { $0 + $1.records } }

    /// Whether the lane has its assignment and the lag of each partition, which it looks up once a second.
    var isLagKnown: Bool {
        guard content.hasBeenAssigned else { return false }
        if let sources = content.sources { return Set(content.lags.map(\.place)).isSuperset(of: sources.partitions) }
        let known = Set(content.lags.lazy.map(\.place.partition))
        return content.partitions.allSatisfy(known.contains) && content.restoring.allSatisfy(known.contains)
    }

    /// Whether work waits to be done or to be committed.
    var hasWork: Bool { lag > 0 || content.uncommittedSince != nil || content.wait?.reason.holdsWork == true }

    /// The group has not assigned the lane's partitions yet, or not again: whether it has work is unknown.
    var isJoining: Bool { !content.hasBeenAssigned || content.wait?.reason == .assignment }

    /// Whether the lane has not turned for longer than ``WorkerCondition/turnLimit``. An ended lane has no turns.
    package func isStuck(at now: ContinuousClock.Instant) -> Bool {
        !content.hasEnded && now - content.turned > WorkerCondition.turnLimit
    }
}

extension LaneWait.Reason {
    /// Whether only a lane with work waits for this reason.
    fileprivate var holdsWork: Bool {
        switch self {
        case .coordinator, .groupCoordinator, .acknowledgements, .producerQueue, .committedOffsets, .takeOver, .restore,
            .sourceIndex, .schemaRegistry, .store, .retry:
            true
        case .input, .assignment: false
        }
    }
}
