import Worker

/// Finds lanes for which input waits and nothing is committed, and those that no group takes in. It sees them from outside, so that a lane that hangs inside a
/// call is found like any other.
struct StallWatch: Sendable {
    enum Finding: Sendable {
        /// Told when it begins, and again now and then as long as it lasts.
        case stalled(LaneReading, for: Duration)
        case recovered(lane: Int, after: Duration)
    }

    /// The process itself may have stood still, and then nobody knows what would have happened meanwhile: a second that was
    /// longer than this counts as much.
    private static let longestTick = Duration.seconds(2)

    private struct Lane {
        var commits = 0
        var restored: Int64 = 0
        /// How long it has got nowhere.
        var standing = Duration.zero
        /// How long it had stood when it was last told of; nil: it is not stalled.
        var told: Duration?
    }

    private let limit: Duration
    private let pause: Duration
    private var lanes: [Lane]

    /// - Parameter limit: how long a lane may have work and commit nothing. It is told of again every six times as long.
    init(lanes: Int, limit: Duration) {
        self.limit = limit
        pause = limit * 6
        self.lanes = Array(repeating: Lane(), count: lanes)
    }

    /// Looks at every lane, and marks those that are stalled.
    /// - Parameter tick: how long ago it last looked.
    mutating func look(at readings: inout [LaneReading], after tick: Duration) -> [Finding] {
        var findings: [Finding] = []
        for index in readings.indices {
            if let finding = look(at: readings[index], index, after: min(tick, Self.longestTick)) {
                findings.append(finding)
            }
            readings[index].standing = lanes[index].standing
            readings[index].isStalled = lanes[index].told != nil
        }
        return findings
    }

    private mutating func look(at reading: LaneReading, _ index: Int, after tick: Duration) -> Finding? {
        var lane = lanes[index]
        defer { lanes[index] = lane }
        let hasMoved = lane.commits != reading.content.totals.commits || lane.restored != reading.restored
        lane.commits = reading.content.totals.commits
        lane.restored = reading.restored
        // What it had to do it leaves to others; it has not got on with it.
        if reading.content.hasEnded, !hasMoved { return nil }
        guard reading.hasWork || reading.isJoining, !hasMoved else {
            let (stood, wasStalled) = (lane.standing, lane.told != nil)
            lane.standing = .zero
            lane.told = nil
            return wasStalled ? .recovered(lane: reading.lane, after: stood) : nil
        }
        lane.standing += tick
        guard lane.standing >= limit, lane.told.map({ lane.standing - $0 >= pause }) ?? true else { return nil }
        lane.told = lane.standing
        return .stalled(reading, for: lane.standing)
    }
}

extension LaneReading {
    /// Grows while the tables of some partition are brought up, which is got on with though nothing may be committed.
    fileprivate var restored: Int64 {
        guard !content.restoring.isEmpty else { return 0 }
        return Int64(content.totals.tableAnswers + content.totals.tableVotes)
            + content.restores.reduce(0) { $0 + $1.done }
    }
}
