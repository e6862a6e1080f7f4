import CoreMetrics
import Foundation
import Histogram
import Synchronization
import Throughput
import Worker

/// The lanes' reports as metrics, for `/metrics`.
///
/// A scrape brings counters and gauges up to the lanes' current reports. Histograms are taken from the lanes once a
/// second by the monitor, and arrive with its tick. Any thread may call it.
package final class WorkerMetrics: Sendable {
    private let registry: MetricsRegistry
    private let reports: [LaneReport]
    private let board: LagBoard?
    private let objectiveMilliseconds: Int
    private let steps: HistogramSeries
    private let commits: HistogramSeries
    private let recordLatency: HistogramSeries
    private let eventLatency: HistogramSeries
    /// Locked for a whole scrape, so that each scrape shows one moment and no counter goes back.
    private let state: Mutex<State>

    private struct State {
        var counts: [CountedTotal]
        var laneTimes: [LaneTimeCounters]
        var cpu: FloatingPointCounter
        var cpuSeconds = 0.0
        var gauges: WorkerGauges
        var timed: Counter
        var fresh: Counter
        var verdict: Verdict.Kind?
    }

    /// - Parameters:
    ///   - librdkafka: the library's version.
    ///   - reports: one for each lane.
    ///   - board: the partitions' ends from the brokers; nil: the brokers are not asked.
    ///   - objectiveMilliseconds: the freshness objective.
    package init(
        names: WorkerNames, librdkafka: String, reports: [LaneReport], board: LagBoard? = nil,
        objectiveMilliseconds: Int = Backlog.standardObjective
    ) {
        self.board = board
        self.objectiveMilliseconds = objectiveMilliseconds
        let registry = MetricsRegistry(definitions: WorkerMetric.all)
        self.registry = registry
        self.reports = reports
        func series(_ definition: MetricDefinition) -> HistogramSeries { registry.histogram(definition.name) }
        steps = series(WorkerMetric.step)
        commits = series(WorkerMetric.commit)
        recordLatency = series(WorkerMetric.recordLatency)
        eventLatency = series(WorkerMetric.eventLatency)
        Meter(
            label: WorkerMetric.build.name,
            dimensions: [("version", names.version), ("librdkafka", librdkafka)], factory: registry
        ).set(1)
        Meter(
            label: WorkerMetric.worker.name,
            dimensions: [("group", names.group), ("worker", names.worker), ("delivery", names.delivery)],
            factory: registry
        ).set(1)
        Meter(label: WorkerMetric.objective.name, factory: registry).set(Double(objectiveMilliseconds) / 1000)
        Meter(label: WorkerMetric.processStart.name, factory: registry).set(ProcessStart.secondsSince1970)
        state = Mutex(
            State(
                counts: CountedTotal.all(topics: names.topics, lanes: reports.count, factory: registry),
                laneTimes: reports.map { LaneTimeCounters(lane: $0.lane, factory: registry) },
                cpu: FloatingPointCounter(label: WorkerMetric.processCPU.name, factory: registry),
                gauges: WorkerGauges(
                    topics: names.topics.inputs + names.topics.outputs, isAsking: board != nil, factory: registry),
                timed: Counter(label: WorkerMetric.timed.name, factory: registry),
                fresh: Counter(label: WorkerMetric.fresh.name, factory: registry)))
    }

    /// Adds libraries' metrics from swift-metrics. Call it once a process, before any library reports.
    package func showLibraries() { MetricsSystem.bootstrap(registry) }

    /// All metrics in Prometheus' text format.
    func scrape() -> String {
        state.withLock { state in
            bringUp(&state)
            return registry.exposition
        }
    }

    private func bringUp(_ state: inout State) {
        // Inside the lock: a report read before another scrape's would lower the counters.
        let now = ContinuousClock.now
        let lanes = reports.map { report in
            var content = report.current
            board?.bringUp(&content, at: now)
            return LaneReading(lane: report.lane, content: content)
        }
        for (index, lane) in lanes.enumerated() {
            for count in state.counts.indices { state.counts[count].bringUp(lane: index, to: lane.content.totals) }
            state.laneTimes[index].bringUp(to: lane.content.times)
        }
        let process = ProcessFigures.now
        state.cpu.increment(by: max(0, process.cpuSeconds - state.cpuSeconds))
        state.cpuSeconds = max(state.cpuSeconds, process.cpuSeconds)
        state.gauges.set(
            lanes, process: process, silence: board?.silence(at: now), verdict: state.verdict, at: now)
    }

    /// Adds the latencies that the monitor took from the lanes.
    func add(_ contents: [LaneReport.Content]) {
        for content in contents {
            steps.add(content.steps, unit: 1e-6)
            commits.add(content.commitLatency, unit: 1e-6)
            recordLatency.add(content.latency, unit: 1e-6)
            eventLatency.add(content.eventLatency, unit: 1e-6)
        }
        let fresh = contents.reduce(0) { $0 + Latencies.count($1.eventLatency, upTo: objectiveMilliseconds) }
        let timed = contents.reduce(0) { $0 + Int(clamping: $1.eventLatency.totalCount) }
        state.withLock { state in
            state.fresh.increment(by: fresh)
            state.timed.increment(by: timed)
        }
    }
}

extension WorkerMetrics: MonitorSink {
    /// Takes a tick's latencies and verdict; the other metrics are read from the lanes at each scrape.
    package func note(_ tick: MonitorTick) {
        add(tick.contents)
        state.withLock { $0.verdict = tick.line.verdict?.kind }
    }
}

/// The process's start, precise enough for `process_start_time_seconds`.
private enum ProcessStart {
    static let secondsSince1970 = (Date.now.timeIntervalSince1970 * 1000).rounded() / 1000
}
