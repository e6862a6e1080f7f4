import Worker

/// The period of a line: the totals at its beginning, and the latencies since.
struct MonitorWindow: Sendable {
    let began: MonitorMoment
    var latencies: Latencies
    private let totals: [LaneTotals]
    private let times: [LaneTimes]

    /// The worker's first window.
    init(began: MonitorMoment, lanes: Int, objectiveMilliseconds: Int) {
        self.began = began
        latencies = Latencies(objectiveMilliseconds: objectiveMilliseconds)
        totals = Array(repeating: LaneTotals(), count: lanes)
        times = Array(repeating: LaneTimes(), count: lanes)
    }

    /// - Parameter lanes: at the window's beginning, each at the same place as in the window before.
    init(began: MonitorMoment, lanes: [LaneReading], objectiveMilliseconds: Int) {
        self.began = began
        latencies = Latencies(objectiveMilliseconds: objectiveMilliseconds)
        totals = lanes.map(\.content.totals)
        times = lanes.map(\.content.times)
    }

    func seconds(until end: MonitorMoment) -> Double { (end.instant - began.instant) / .seconds(1) }

    /// Each lane's increase since the beginning.
    func grown(_ lanes: [LaneReading]) -> [LaneTotals] {
        zip(lanes, totals).map { $0.content.totals - $1 }
    }

    /// Each lane's time by activity, in nanoseconds. A call in progress counts for the activity that it is expected to
    /// be, and may end as another; a decrease counts as 0.
    func spent(_ lanes: [LaneReading]) -> [LaneTimes] {
        zip(lanes, times).map { lane, before in
            var spent = LaneTimes()
            for activity in LaneActivity.allCases {
                spent[activity] = max(0, lane.content.times[activity] - before[activity])
            }
            return spent
        }
    }
}
