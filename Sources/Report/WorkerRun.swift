import Throughput

/// A run of a worker, from its start or the logs' beginning, to its end or the logs' end.
package struct WorkerRun: Sendable {
    /// A worker of a group: its runs follow each other, those of other workers overlap.
    struct Key: Hashable, Sendable {
        /// The consumer group.
        var group: String
        /// The identity from the state directory.
        var worker: String
    }

    /// A line of the run, with its place in the logs.
    struct Sample: Sendable {
        /// Without its partitions' lags, and with the waiting lanes alone.
        var line: ThroughputLine
        /// Seconds since 1970, at the interval's end.
        var time: Double
        var source = 0
        var order = 0

        /// The interval's beginning, in seconds since 1970.
        var began: Double { time - line.seconds }
    }

    /// The run's worker.
    let key: Key
    /// From 1, by start, over all workers of a survey.
    package internal(set) var number = 0
    /// Interval lines by time.
    let samples: [Sample]
    /// The line of totals.
    let totals: Sample?
    /// Whether these logs have an earlier run of this worker.
    let isRestart: Bool

    /// Start of the process, in seconds since 1970.
    let started: Double
    /// The first interval's beginning, in seconds since 1970.
    let firstTime: Double
    /// The last line's time, in seconds since 1970.
    let lastTime: Double

    /// Seconds that the logs cover.
    var seconds: Double { max(lastTime - firstTime, 0) }
    /// Whether the logs cover the run from its start.
    var isWhole: Bool { firstTime - started < 1.5 * max(typicalSeconds, 1) }
    /// The median length of the intervals; 10 where there are none.
    let typicalSeconds: Double
    /// Rejoinder's version in the run's last line.
    var version: String { (totals ?? samples.last)?.line.version ?? "" }

    private init?(key: Key, samples: [Sample], totals: Sample?, isRestart: Bool) {
        guard let last = totals ?? samples.last else { return nil }
        self.key = key
        self.samples = samples
        self.totals = totals
        self.isRestart = isRestart
        started = last.time - last.line.uptimeSeconds
        firstTime = samples.first?.began ?? last.began
        lastTime = max(last.time, samples.last?.time ?? last.time)
        let lengths = samples.map(\.line.seconds).sorted()
        typicalSeconds = lengths.isEmpty ? 10 : max(lengths[lengths.count / 2], 0.1)
    }

    /// Splits a worker's lines into runs: where the uptime falls, where the process's start moves by more than 30 s,
    /// and after totals.
    static func runs(of key: Key, _ samples: [Sample]) -> [WorkerRun] {
        var runs: [WorkerRun] = []
        var intervals: [Sample] = []
        var totals: Sample?
        var last: Sample?
        func close() {
            if let run = WorkerRun(key: key, samples: intervals, totals: totals, isRestart: !runs.isEmpty) {
                runs.append(run)
            }
            (intervals, totals, last) = ([], nil, nil)
        }
        for sample in samples {
            if let before = last {
                let fell = sample.line.uptimeSeconds < before.line.uptimeSeconds
                let moved = abs((sample.time - sample.line.uptimeSeconds) - (before.time - before.line.uptimeSeconds))
                if fell || moved > 30 || totals != nil { close() }
            }
            last = sample
            switch sample.line.message {
            case .interval: intervals.append(sample)
            case .totals: totals = sample
            }
        }
        close()
        return runs
    }

    /// Ends of the intervals that count rebalances.
    var rebalances: [Double] { samples.filter { $0.line.rebalances > 0 }.map(\.time) }

    /// A time in which each line has the same verdict.
    typealias Stretch = (state: Verdict.Kind, from: Double, to: Double)

    /// Successive intervals of one verdict, joined.
    var states: [Stretch] {
        var states: [Stretch] = []
        for sample in samples {
            if let last = states.last, last.state == sample.line.kind, sample.began - last.to < 1.5 * typicalSeconds {
                states[states.count - 1].to = sample.time
            } else {
                states.append((sample.line.kind, sample.began, sample.time))
            }
        }
        return states
    }
}
