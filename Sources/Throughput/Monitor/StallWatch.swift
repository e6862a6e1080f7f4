import Worker

/// Finds lanes that have work and commit nothing, and lanes that no group assigns. It watches from outside, so it also
/// finds a lane that hangs inside a call.
struct StallWatch: Sendable {
    enum Finding: Sendable {
        /// Reported at the beginning, and again at long intervals while it lasts.
        case stalled(LaneReading, for: Duration)
        case recovered(lane: Int, after: Duration)
    }

    /// The most time that one look adds: over a longer gap the process itself stood still, and the lanes with it.
    private static let longestTick = Duration.seconds(2)

    private struct Lane {
        var commits = 0
        var restored: Int64 = 0
        /// How long the lane has made no progress.
        var standing = Duration.zero
        /// The value of `standing` at the last report; nil: not stalled.
        var told: Duration?
    }

    private let limit: Duration
    private let pause: Duration
    private var lanes: [Lane]

    /// - Parameter limit: how long a lane with work may commit nothing. Reports repeat at six times this limit.
    init(lanes: Int, limit: Duration) {
        self.limit = limit
        pause = limit * 6
        self.lanes = Array(repeating: Lane(), count: lanes)
    }

    /// Looks at every lane, and marks the stalled ones.
    /// - Parameter tick: time since the last look.
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
        // An ended lane leaves its work to other members; it has not recovered.
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
    /// Grows while a partition's tables are restored: that is progress without commits.
    fileprivate var restored: Int64 {
        if let index = content.sources?.index { return index.done }
        guard !content.restoring.isEmpty else { return 0 }
        return Int64(content.totals.tableAnswers + content.totals.tableVotes)
            + content.restores.reduce(0) { $0 + $1.done }
    }
}
