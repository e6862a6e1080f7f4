import CoreMetrics
import Foundation
import Throughput
import Worker

/// Gauges, read at scrape time.
struct WorkerGauges {
    private let assigned: Meter
    private let restoring: Meter
    private let memory: Meter
    private let brokerSilence: Meter?
    private let topics: [String]
    private var topicMissing: GaugeFamily
    private var lag: GaugeFamily
    private var lagSeconds: GaugeFamily
    private var lagAge: GaugeFamily
    private var heldBack: GaugeFamily
    private var verdict: GaugeFamily
    private var lastCommit: GaugeFamily
    private var laneTurn: GaugeFamily
    private var laneWaiting: GaugeFamily
    private var storeBytes: GaugeFamily
    private var storeRows: GaugeFamily
    private var restoreRecords: GaugeFamily
    private var restoreDone: GaugeFamily
    private var restoreBegan: GaugeFamily
    private var ofLanes: [GaugeFamily]

    /// - Parameters:
    ///   - topics: the worker's topics.
    ///   - isAsking: whether a ``LagProbe`` asks the brokers for the partitions' ends.
    init(topics: [String], isAsking: Bool, factory: any MetricsFactory) {
        func meter(_ definition: MetricDefinition) -> Meter { Meter(label: definition.name, factory: factory) }
        func family(_ definition: MetricDefinition, _ labels: String...) -> GaugeFamily {
            GaugeFamily(definition, labels: labels, factory: factory)
        }
        assigned = meter(WorkerMetric.assigned)
        restoring = meter(WorkerMetric.restoring)
        memory = meter(WorkerMetric.processMemory)
        brokerSilence = isAsking ? meter(WorkerMetric.brokerSilence) : nil
        self.topics = topics
        topicMissing = family(WorkerMetric.topicMissing, "topic")
        lag = family(WorkerMetric.lag, "topic", "partition")
        lagSeconds = family(WorkerMetric.lagSeconds, "topic", "partition")
        lagAge = family(WorkerMetric.lagAge, "topic", "partition")
        heldBack = family(WorkerMetric.heldBack, "topic", "partition")
        verdict = family(WorkerMetric.verdict, "kind")
        lastCommit = family(WorkerMetric.lastCommit, "lane")
        laneTurn = family(WorkerMetric.laneTurn, "lane")
        laneWaiting = family(WorkerMetric.laneWaiting, "lane", "reason")
        storeBytes = family(WorkerMetric.storeBytes, "partition")
        storeRows = family(WorkerMetric.storeRows, "partition", "kind")
        restoreRecords = family(WorkerMetric.restoreRecords, "partition")
        restoreDone = family(WorkerMetric.restoreDone, "partition")
        restoreBegan = family(WorkerMetric.restoreBegan, "partition")
        ofLanes = WorkerMetric.laneGauges.map { family($0, "lane") }
    }

    mutating func set(
        _ lanes: [LaneReading], process: ProcessFigures, silence: LagBoard.Silence?, verdict kind: Verdict.Kind?,
        at now: ContinuousClock.Instant
    ) {
        let contents = lanes.map(\.content)
        let wall = Date.now.timeIntervalSince1970
        func secondsSince1970(_ instant: ContinuousClock.Instant) -> Double {
            // The difference of two running clocks varies with each reading; milliseconds are enough.
            ((wall - (now - instant) / .seconds(1)) * 1000).rounded() / 1000
        }
        memory.set(Double(process.residentBytes))
        let restoringNumbers = Set(contents.flatMap(\.restoring))
        restoring.set(Double(restoringNumbers.count))
        assigned.set(Double(restoringNumbers.union(contents.flatMap(\.partitions)).count))
        let missing = Set(contents.flatMap(\.missingTopics))
        topicMissing.replace(topics.map { ([$0], missing.contains($0) ? 1 : 0) })
        let lags = contents.flatMap(\.lags)
        func byPartition(_ value: (PartitionLag) -> Double?) -> [(labels: [String], value: Double)] {
            lags.compactMap { lag in value(lag).map { ([lag.place.topic, String(lag.place.partition)], $0) } }
        }
        lag.replace(byPartition { Double($0.records) })
        lagSeconds.replace(byPartition(\.seconds))
        lagAge.replace(byPartition(\.age))
        heldBack.replace(byPartition { $0.heldBack.map { Double($0.records) } })
        brokerSilence?.set(silence?.seconds ?? 0)
        // No verdict in the first second.
        verdict.replace(kind.map { kind in Verdict.Kind.allCases.map { ([$0.rawValue], $0 == kind ? 1 : 0) } } ?? [])
        lastCommit.replace(
            lanes.compactMap { lane in
                lane.content.committed.map { ([String(lane.lane)], secondsSince1970($0)) }
            })
        laneTurn.replace(lanes.map { ([String($0.lane)], secondsSince1970($0.content.turned)) })
        laneWaiting.replace(
            lanes.flatMap { lane in
                LaneWait.Reason.allCases.map { reason in
                    let wait = lane.content.wait.flatMap { $0.reason == reason ? $0 : nil }
                    let seconds = wait.map { max(0, (now - $0.since) / .seconds(1)) } ?? 0
                    return ([String(lane.lane), reason.label], seconds)
                }
            })
        let stores = contents.flatMap(\.stores)
        storeBytes.replace(stores.map { ([String($0.partition)], Double($0.bytes)) })
        storeRows.replace(
            stores.flatMap { store in
                let partition = String(store.partition)
                return [([partition, "answers"], Double(store.answers)), ([partition, "votes"], Double(store.votes))]
            })
        let restores = contents.flatMap(\.restores)
        restoreRecords.replace(
            restores.compactMap { restore in restore.of.map { ([String(restore.partition)], Double($0)) } })
        restoreDone.replace(restores.map { ([String($0.partition)], Double($0.done)) })
        for (index, gauge) in LaneGauge.allCases.enumerated() {
            ofLanes[index].replace(
                lanes.compactMap { lane in
                    gauge.value(lane.content, now).map { ([String(lane.lane)], max(0, $0)) }
                })
        }
        restoreBegan.replace(restores.map { ([String($0.partition)], secondsSince1970($0.since)) })
    }
}

extension LaneWait.Reason {
    /// The reason's label in metrics.
    var label: String {
        switch self {
        case .coordinator: "coordinator"
        case .groupCoordinator: "group_coordinator"
        case .acknowledgements: "acknowledgements"
        case .producerQueue: "producer_queue"
        case .input: "input"
        case .committedOffsets: "committed_offsets"
        case .takeOver: "take_over"
        case .restore: "restore"
        case .sourceIndex: "source_index"
        case .schemaRegistry: "schema_registry"
        case .store: "store"
        case .retry: "retry"
        case .assignment: "assignment"
        }
    }
}
