import Worker

/// What is known of a lane at one moment.
struct LaneReading: Sendable {
    let lane: Int
    let content: LaneReport.Content
    /// Where its time went up to this moment: what the lane published, and behind that, while it is inside a call that does not
    /// return, what it said it would wait for.
    let times: LaneTimes
    /// Input waits, and nothing has come of it for too long.
    var isStalled = false

    /// A lane that works publishes many times in this time.
    private static let patience = Duration.milliseconds(500)

    init(lane: Int, content: LaneReport.Content, at now: ContinuousClock.Instant) {
        self.lane = lane
        self.content = content
        var times = content.times
        let silent = now - (content.timed ?? content.turned)
        if silent > Self.patience {
            times[content.wait?.reason.activity ?? .other] += Int64(silent / .nanoseconds(1))
        }
        self.times = times
    }

    /// Records, over all its partitions.
    var lag: Int64 { content.lags.reduce(0) { $0 + $1.records } }

    /// Input waits at the broker or in the lane's hands.
    var hasWork: Bool { lag > 0 || content.wait?.reason.holdsWork == true }
}

extension LaneWait.Reason {
    /// What the time of such a wait counts as.
    fileprivate var activity: LaneActivity {
        switch self {
        case .coordinator, .groupCoordinator, .acknowledgements: .committing
        case .producerQueue: .producing
        case .input: .waitingForInput
        case .restore, .store: .applyingTables
        case .assignment: .idle
        case .committedOffsets, .takeOver, .retry: .other
        }
    }

    /// Whether only a lane that has work waits for this.
    fileprivate var holdsWork: Bool {
        switch self {
        case .coordinator, .groupCoordinator, .acknowledgements, .producerQueue, .committedOffsets, .takeOver, .restore,
            .store, .retry:
            true
        case .input, .assignment: false
        }
    }
}
