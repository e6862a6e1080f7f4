import Worker

/// What is known of a lane at one moment.
struct LaneReading: Sendable {
    let lane: Int
    var content: LaneReport.Content
    /// For how long it has had something to do and committed nothing.
    var standing = Duration.zero
    /// It has been standing for too long.
    var isStalled = false

    init(lane: Int, content: LaneReport.Content) {
        self.lane = lane
        self.content = content
    }

    /// Records, over all its partitions whose lag is known.
    var lag: Int64 { content.lags.reduce(0) { $0 + $1.records } }

    /// Whether it has been told its partitions, and how far it is in each: it looks once a second.
    var isLagKnown: Bool {
        guard content.hasBeenAssigned else { return false }
        let known = Set(content.lags.lazy.map(\.place.partition))
        return content.partitions.allSatisfy(known.contains) && content.restoring.allSatisfy(known.contains)
    }

    /// Something waits to be worked on or to be committed.
    var hasWork: Bool { lag > 0 || content.uncommittedSince != nil || content.wait?.reason.holdsWork == true }

    /// The group has not said yet, or not again, which partitions are its own: nobody knows whether it has work.
    var isJoining: Bool { !content.hasBeenAssigned || content.wait?.reason == .assignment }
}

extension LaneWait.Reason {
    /// Whether only a lane that has work waits for this.
    fileprivate var holdsWork: Bool {
        switch self {
        case .coordinator, .groupCoordinator, .acknowledgements, .producerQueue, .committedOffsets, .takeOver, .restore,
            .sourceIndex, .store, .retry:
            true
        case .input, .assignment: false
        }
    }
}
