import Worker

/// A stretch of time that a line is made of: how things stood when it began, and the latencies since.
struct MonitorWindow: Sendable {
    let began: MonitorMoment
    var latencies: Latencies
    private let totals: [LaneTotals]
    private let times: [LaneTimes]

    /// The worker's first.
    init(began: MonitorMoment, lanes: Int, objectiveMilliseconds: Int) {
        self.began = began
        latencies = Latencies(objectiveMilliseconds: objectiveMilliseconds)
        totals = Array(repeating: LaneTotals(), count: lanes)
        times = Array(repeating: LaneTimes(), count: lanes)
    }

    /// - Parameter lanes: as they are at that moment, each at the same place as in the window before.
    init(began: MonitorMoment, lanes: [LaneReading], objectiveMilliseconds: Int) {
        self.began = began
        latencies = Latencies(objectiveMilliseconds: objectiveMilliseconds)
        totals = lanes.map(\.content.totals)
        times = lanes.map(\.content.times)
    }

    func seconds(until end: MonitorMoment) -> Double { (end.instant - began.instant) / .seconds(1) }

    /// What each lane has done.
    func grown(_ lanes: [LaneReading]) -> [LaneTotals] {
        zip(lanes, totals).map { $0.content.totals - $1 }
    }

    /// What each lane spent its time on, in nanoseconds. A call that it is inside is counted before it is known how it ends, so
    /// that an activity may be found to have had less.
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
