import Worker

/// A stretch of time that a line is made of: how things stood when it began, and the latencies since.
struct MonitorWindow: Sendable {
    let began: MonitorMoment
    var latencies = Latencies()
    private let totals: [LaneTotals]
    private let times: [LaneTimes]

    /// The worker's first.
    init(began: MonitorMoment, lanes: Int) {
        self.began = began
        totals = Array(repeating: LaneTotals(), count: lanes)
        times = Array(repeating: LaneTimes(), count: lanes)
    }

    /// - Parameter lanes: as they are at that moment, each at the same place as in the window before.
    init(began: MonitorMoment, lanes: [LaneReading]) {
        self.began = began
        totals = lanes.map(\.content.totals)
        times = lanes.map(\.times)
    }

    func seconds(until end: MonitorMoment) -> Double { (end.instant - began.instant) / .seconds(1) }

    /// What each lane has done.
    func grown(_ lanes: [LaneReading]) -> [LaneTotals] {
        zip(lanes, totals).map { $0.content.totals - $1 }
    }

    /// What each lane spent its time on, in nanoseconds. Where more was counted as a wait than it turned out to be, the rest
    /// is left out.
    func spent(_ lanes: [LaneReading]) -> [LaneTimes] {
        zip(lanes, times).map { lane, before in
            var spent = LaneTimes()
            for activity in LaneActivity.allCases {
                spent[activity] = max(0, lane.times[activity] - before[activity])
            }
            return spent
        }
    }
}
