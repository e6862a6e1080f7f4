import CoreMetrics
import Records
import Worker

/// A counter and the total of the lanes that it follows.
struct CountedTotal {
    private let counter: Counter
    private let total: @Sendable (LaneTotals) -> Int
    /// What has been counted of each lane.
    private var counted: [Int]

    private init(
        _ definition: MetricDefinition, _ dimensions: [(String, String)] = [], lanes: Int, factory: any MetricsFactory,
        total: @escaping @Sendable (LaneTotals) -> Int
    ) {
        counter = Counter(label: definition.name, dimensions: dimensions, factory: factory)
        self.total = total
        counted = Array(repeating: 0, count: lanes)
    }

    mutating func bringUp(lane: Int, to totals: LaneTotals) {
        let now = total(totals)
        guard now > counted[lane] else { return }
        counter.increment(by: now - counted[lane])
        counted[lane] = now
    }

    static func all(topics: TopicNames, lanes: Int, factory: any MetricsFactory) -> [CountedTotal] {
        func count(
            _ definition: MetricDefinition, _ dimensions: [(String, String)] = [],
            _ total: @escaping @Sendable (LaneTotals) -> Int
        ) -> CountedTotal {
            CountedTotal(definition, dimensions, lanes: lanes, factory: factory, total: total)
        }
        return [
            count(WorkerMetric.consumed, [("topic", topics.questions)]) { $0.recordsIn },
            count(WorkerMetric.consumed, [("topic", topics.answers)]) { $0.answersRead },
            count(WorkerMetric.consumed, [("topic", topics.votes)]) { $0.votesRead },
            count(WorkerMetric.consumedBytes, [("topic", topics.questions)]) { $0.bytesIn },
            count(WorkerMetric.consumedBytes, [("topic", topics.answers)]) { $0.answerBytesRead },
            count(WorkerMetric.consumedBytes, [("topic", topics.votes)]) { $0.voteBytesRead },
            count(WorkerMetric.published, [("topic", topics.enriched)]) { $0.recordsOut },
            count(WorkerMetric.published, [("topic", topics.deadLetter)]) { $0.deadLetters.total },
            count(WorkerMetric.publishedBytes, [("topic", topics.enriched)]) { $0.bytesOut },
            count(WorkerMetric.applied, [("table", "answers")]) { $0.tableAnswers },
            count(WorkerMetric.applied, [("table", "votes")]) { $0.tableVotes },
            count(WorkerMetric.attached) { $0.answersAttached },
            count(WorkerMetric.omitted) { $0.answersOmitted },
            count(WorkerMetric.unanswered) { $0.questionsWithoutAnswers },
            count(WorkerMetric.commits) { $0.commits },
            count(WorkerMetric.aborts) { $0.aborts },
            count(WorkerMetric.rebalances) { $0.rebalances },
        ]
            + RecordErrorCode.allCases.map { code in
                count(WorkerMetric.deadLetters, [("code", code.rawValue)]) { $0.deadLetters[code] }
            }
    }
}

/// Where one lane's time went.
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
