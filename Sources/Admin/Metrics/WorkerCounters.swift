import CoreMetrics
import Records
import Worker

/// A counter that follows a total of the lanes.
struct CountedTotal {
    private let counter: FloatingPointCounter
    private let scale: Double
    private let total: @Sendable (LaneTotals) -> Int
    /// The amount counted so far, by lane.
    private var counted: [Int]

    private init(
        _ name: String, _ dimensions: [(String, String)], scale: Double = 1, lanes: Int, factory: any MetricsFactory,
        total: @escaping @Sendable (LaneTotals) -> Int
    ) {
        self.scale = scale
        counter = FloatingPointCounter(label: name, dimensions: dimensions, factory: factory)
        self.total = total
        counted = Array(repeating: 0, count: lanes)
    }

    mutating func bringUp(lane: Int, to totals: LaneTotals) {
        let now = total(totals)
        guard now > counted[lane] else { return }
        counter.increment(by: Double(now - counted[lane]) * scale)
        counted[lane] = now
    }

    static func all(topics: TopicNames, lanes: Int, factory: any MetricsFactory) -> [CountedTotal] {
        func count(
            _ name: String, _ dimensions: [(String, String)], scale: Double = 1,
            _ total: @escaping @Sendable (LaneTotals) -> Int
        ) -> CountedTotal {
            CountedTotal(name, dimensions, scale: scale, lanes: lanes, factory: factory, total: total)
        }
        let counters = LaneCounter.all.compactMap { counter in
            counter.metric.map { metric in
                count(metric.name, metric.labels(topics), scale: metric.scale) { $0[keyPath: counter.total] }
            }
        }
        return counters
            + [
                count(WorkerMetric.published, [("topic", topics.deadLetter)]) { $0.deadLetters.total }
            ]
            + RecordErrorCode.allCases.map { code in
                count(WorkerMetric.deadLetters.name, [("code", code.rawValue)]) { $0.deadLetters[code] }
            }
            + (topics.inputs + [WorkerMetric.sourcesTopic]).enumerated().flatMap { index, topic in
                OffsetResetReason.allCases.map { reason in
                    count(WorkerMetric.offsetResets.name, [("topic", topic), ("reason", reason.rawValue)]) {
                        $0.offsetResets[index, reason]
                    }
                }
            }
    }
}

/// Time spent by one lane, by activity.
struct LaneTimeCounters {
    private let counters: [FloatingPointCounter]
    private var counted = LaneTimes()

    init(lane: Int, factory: any MetricsFactory) {
        counters = LaneActivity.allCases.map { activity in
            FloatingPointCounter(
                label: WorkerMetric.laneTime.name,
                dimensions: [("lane", String(lane)), ("activity", activity.label)], factory: factory)
        }
    }

    mutating func bringUp(to times: LaneTimes) {
        for (activity, counter) in zip(LaneActivity.allCases, counters) where times[activity] > counted[activity] {
            counter.increment(by: Double(times[activity] - counted[activity]) / 1e9)
            counted[activity] = times[activity]
        }
    }
}
