import Throughput
import Worker

/// The figures of a run, or of several runs as one.
@dynamicMemberLookup
struct RunFigures: Sendable, Equatable {
    /// Latencies of a run, in milliseconds.
    struct Latency: Sendable, Equatable {
        /// Records measured.
        var count = 0
        /// The median.
        var p50 = 0.0
        var p90 = 0.0
        /// The value that 99 % of the records do not exceed.
        var p99 = 0.0
        var max = 0.0
        /// The largest p99 of an interval.
        var worstP99 = 0.0
        /// False: percentiles of all records, from a line of totals. True: the median of the intervals' percentiles,
        /// weighted by records, as percentiles of parts do not add up to one of the whole.
        var isMiddle = true
    }

    /// Seconds that the counts cover; of several runs, the time in which at least one of them ran.
    var seconds = 0.0
    /// Sums of the lines' counters, which are also members by dynamic lookup.
    var counts = LaneTotals()
    /// Dead letters by error code.
    var deadLetters: [String: Int] = [:]
    /// Dead letters of all codes.
    var deadLettersTotal = 0
    /// Positions that did not match their logs.
    var offsetResets = 0
    /// Records a second in the best interval.
    var peakIn = 0.0
    /// Table records a second in the best interval.
    var peakTables = 0.0
    /// nil where the lag of all workers was never known at the same time.
    var lagLargest: Int64?
    /// The end of the interval, or the middle of the column of several workers, with the largest lag; seconds since
    /// 1970.
    var lagLargestTime: Double?
    /// The partition with the largest share of it, at the same time.
    var lagLargestPlace: ThroughputLine.Lag.Partition?
    /// The last known lag; nil where a worker's is unknown.
    var lagEnd: Int64?
    /// From poll to the broker's acknowledgement.
    var latency: Latency?
    /// From the event's own timestamp to the broker's acknowledgement.
    var eventLatency: Latency?
    /// Of commits: of transactions, or of a flush and its offsets.
    var commitLatency: Latency?
    /// Mean over time; nil where no interval has shares.
    var shares: ThroughputLine.TimeShares?
    /// Seconds by the lines' verdicts.
    var secondsByKind: [Verdict.Kind: Double] = [:]
    /// The largest value of each gauge that some line has.
    var largestGauges: [LaneGauge: Double] = [:]
    /// Whether a worker that ran to the end was behind in its last line with a known lag.
    var isBehindAtEnd = false
    /// CPU time of whole runs; of a run that began before its log, between its first and last line.
    var cpuSeconds = 0.0
    /// Records worked on in the time of ``cpuSeconds``, table records included.
    var cpuRecords = 0
    /// Bytes of the largest resident set of any one process.
    var residentLargest: Int64 = 0
    /// The stores at the end, summed over the workers that ran to the end.
    var storeBytes = 0
    var storeAnswers = 0
    var storeVotes = 0
    /// The number of runs in these figures.
    var runs = 0
    /// Runs with an earlier run of the same worker in these logs.
    var restarts = 0

    /// Time in which a lane stood still, also inside one call.
    var stalledSeconds: Double { seconds(.stalled) + seconds(.stuck) }
    /// Time in which records waited for longer than the freshness objective.
    var behindSeconds: Double { seconds(.behind) }
    /// Time in which some partition's tables, or the index of the sources, were not caught up.
    var restoringSeconds: Double { seconds(.restoring) }
    /// Time without input and without work.
    var idleSeconds: Double { seconds(.idle) }
    /// Time in which the lines had this verdict; of several workers, the sum.
    func seconds(_ kind: Verdict.Kind) -> Double { secondsByKind[kind] ?? 0 }

    /// Question events a second, over the whole run.
    var inPerSecond: Double { per(counts.recordsIn) }
    /// Enriched records a second, over the whole run.
    var outPerSecond: Double { per(counts.recordsOut) }
    /// Bytes of question events' values a second.
    var bytesInPerSecond: Double { per(counts.bytesIn) }
    /// Bytes of enriched values, keys and headers not included.
    var bytesOutPerSecond: Double { per(counts.bytesOut) }
    /// Answers and votes applied a second.
    var tablesPerSecond: Double { per(answers) + per(votes) }
    /// Share of the lanes' time, from 0 to 1.
    var busyShare: Double? { shares.map { max(0, 1 - $0[.idle]) } }
    /// Mean number of cores in use.
    var cpuCores: Double { seconds > 0 ? cpuSeconds / seconds : 0 }
    /// Microseconds of CPU for each record, table records included.
    var cpuMicroseconds: Double? { cpuRecords > 0 ? cpuSeconds * 1e6 / Double(cpuRecords) : nil }

    private func per(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

    /// The figures of no run.
    init() {}

    /// Makes each counter a member: `figures.recordsIn`.
    subscript(dynamicMember total: KeyPath<LaneTotals, Int>) -> Int { counts[keyPath: total] }

    /// Answers applied to the stores.
    var answers: Int { counts.tableAnswers }
    /// Votes applied to the stores.
    var votes: Int { counts.tableVotes }

    /// Of one run. Its line of totals, if it has one, gives counts and percentiles; its intervals give the peaks.
    init(_ run: WorkerRun) {
        runs = 1
        restarts = run.isRestart ? 1 : 0
        let lines = run.samples.map(\.line)
        // The line of totals includes the work after the last interval.
        if let totals = run.totals?.line {
            seconds = totals.seconds
            count([totals])
        } else {
            seconds = lines.reduce(0) { $0 + $1.seconds }
            count(lines)
        }
        measure(run)
        latency = Self.latency(lines, of: run.totals?.line, \.latencyMs)
        eventLatency = Self.latency(lines, of: run.totals?.line, \.eventLatencyMs)
        commitLatency = Self.latency(lines, of: run.totals?.line, \.commitLatencyMs)
        shares = ThroughputLine.TimeShares.mean(lines) ?? run.totals.flatMap { .mean([$0.line]) }
        measureCPU(run)
    }

    /// Several runs as one: all workers of a group, with all their restarts.
    init(_ all: [WorkerRun]) {
        if all.count == 1 {
            self.init(all[0])
            return
        }
        self.init()
        let figures = all.map { RunFigures($0) }
        for figure in figures { add(figure) }
        let lines = all.flatMap { $0.samples.map(\.line) }
        latency = Self.worst(figures.map(\.latency)) ?? Self.latency(lines, of: nil, \.latencyMs)
        eventLatency = Self.worst(figures.map(\.eventLatency)) ?? Self.latency(lines, of: nil, \.eventLatencyMs)
        commitLatency = Self.worst(figures.map(\.commitLatency)) ?? Self.latency(lines, of: nil, \.commitLatencyMs)
        shares = .mean(lines)
        seconds = Self.covered(all)
        combine(all)
    }

    private mutating func count(_ lines: [ThroughputLine]) {
        for line in lines {
            counts = counts + line.counts
            deadLetters.merge(line.deadLetters, uniquingKeysWith: +)
            deadLettersTotal += line.deadLettersTotal
            offsetResets += line.offsetResets
        }
    }

    private mutating func measure(_ run: WorkerRun) {
        for sample in run.samples {
            let line = sample.line
            peakIn = max(peakIn, line.rate(line.recordsIn))
            peakTables = max(peakTables, line.rate(line.answers + line.votes))
            if let lag = line.lag.total, lag > lagLargest ?? -1 {
                (lagLargest, lagLargestTime, lagLargestPlace) = (lag, sample.time, line.lag.largest)
            }
            residentLargest = max(residentLargest, line.process.residentBytes)
            secondsByKind[line.kind, default: 0] += line.seconds
            for gauge in LaneGauge.allCases {
                guard let value = line[gauge] else { continue }
                largestGauges[gauge] = max(value, largestGauges[gauge] ?? value)
            }
        }
        guard let last = (run.samples.last ?? run.totals)?.line else { return }
        lagEnd = run.lagEnd
        isBehindAtEnd = run.isBehindAtEnd
        (storeBytes, storeAnswers, storeVotes) = (last.store.bytes, last.store.answers, last.store.votes)
    }

    /// CPU seconds count from the process's start. In a log that begins later, the first line is the baseline.
    private mutating func measureCPU(_ run: WorkerRun) {
        guard let last = (run.totals ?? run.samples.last)?.line else { return }
        if run.totals != nil || run.isWhole {
            cpuSeconds = last.process.cpuSeconds
            cpuRecords = counts.recordsWorkedOn
        } else if let first = run.samples.first?.line {
            cpuSeconds = max(0, last.process.cpuSeconds - first.process.cpuSeconds)
            cpuRecords = counts.recordsWorkedOn - first.counts.recordsWorkedOn
        }
    }

    private mutating func add(_ other: RunFigures) {
        counts = counts + other.counts
        deadLetters.merge(other.deadLetters, uniquingKeysWith: +)
        deadLettersTotal += other.deadLettersTotal
        offsetResets += other.offsetResets
        secondsByKind.merge(other.secondsByKind, uniquingKeysWith: +)
        largestGauges.merge(other.largestGauges, uniquingKeysWith: max)
        cpuSeconds += other.cpuSeconds
        cpuRecords += other.cpuRecords
        runs += other.runs
        restarts += other.restarts
        residentLargest = max(residentLargest, other.residentLargest)
    }

    /// Adds up figures that workers have at the same time. Those of a worker's successive runs do not add up.
    private mutating func combine(_ all: [WorkerRun]) {
        let byWorker = Dictionary(grouping: all, by: \.key)
        let end = all.map(\.lastTime).max() ?? 0
        lagEnd = 0
        for run in byWorker.compactMap({ $0.value.last }) {
            // A worker that ended long before has left its partitions to others.
            guard end - run.lastTime <= max(60, 3 * run.typicalSeconds) else { continue }
            guard let last = (run.samples.last ?? run.totals)?.line else { continue }
            lagEnd = lagEnd.flatMap { sum in run.lagEnd.map { sum + $0 } }
            isBehindAtEnd = isBehindAtEnd || run.isBehindAtEnd
            storeBytes += last.store.bytes
            storeAnswers += last.store.answers
            storeVotes += last.store.votes
        }
        if byWorker.count == 1 {
            let figures = all.map { RunFigures($0) }
            peakIn = figures.map(\.peakIn).max() ?? 0
            peakTables = figures.map(\.peakTables).max() ?? 0
            if let worst = figures.max(by: { $0.lagLargest ?? -1 < $1.lagLargest ?? -1 }) {
                (lagLargest, lagLargestTime) = (worst.lagLargest, worst.lagLargestTime)
                lagLargestPlace = worst.lagLargestPlace
            }
            return
        }
        // Columns of one interval's length, since workers write their lines at different moments.
        let bins = TimeBins.fitting(all, most: 20_000)
        peakIn = bins.sum(all) { $0.rate($0.recordsIn) }.compactMap { $0?.mean }.max() ?? 0
        peakTables = bins.sum(all) { $0.rate($0.answers + $0.votes) }.compactMap { $0?.mean }.max() ?? 0
        // A worker without such a gauge has nothing of its kind.
        for gauge in LaneGauge.allCases where gauge.overLanes == .sum && largestGauges[gauge] != nil {
            largestGauges[gauge] = bins.sum(all) { $0[gauge] ?? 0 }.compactMap { $0?.largest }.max()
        }
        for (index, bin) in bins.sum(all, { $0.lag.total.map(Double.init) }).enumerated() {
            guard let bin, Int64(bin.largest) > lagLargest ?? -1 else { continue }
            (lagLargest, lagLargestTime) = (Int64(bin.largest), bins.middle(index))
        }
        // From the same moment as the sum: a partition's own largest lag may be of another time.
        if let time = lagLargestTime {
            lagLargestPlace = Self.largestPlace(all, from: time - bins.width / 2, to: time + bins.width / 2)
        }
    }

    private static func largestPlace(
        _ runs: [WorkerRun], from: Double, to: Double
    ) -> ThroughputLine.Lag.Partition? {
        var largest: ThroughputLine.Lag.Partition?
        for run in runs {
            for sample in run.samples where sample.began < to && sample.time > from {
                if let place = sample.line.lag.largest, place.records > largest?.records ?? 0 { largest = place }
            }
        }
        return largest
    }

    /// Seconds that at least one run covers; gaps between runs do not count.
    private static func covered(_ runs: [WorkerRun]) -> Double {
        var (seconds, end) = (0.0, -Double.infinity)
        for run in runs.sorted(by: { $0.firstTime < $1.firstTime }) {
            seconds += max(0, run.lastTime - max(end, run.firstTime))
            end = max(end, run.lastTime)
        }
        return seconds
    }

    static func latency(
        _ lines: [ThroughputLine], of totals: ThroughputLine?,
        _ percentiles: (ThroughputLine) -> ThroughputLine.Percentiles?
    ) -> Latency? {
        let parts = lines.compactMap(percentiles).filter { $0.count > 0 }
        let whole = totals.flatMap(percentiles).flatMap { $0.count > 0 ? $0 : nil }
        guard whole != nil || !parts.isEmpty else { return nil }
        var latency = Latency()
        latency.worstP99 = parts.map(\.p99).max() ?? whole?.p99 ?? 0
        if let whole {
            (latency.count, latency.isMiddle) = (whole.count, false)
            (latency.p50, latency.p90, latency.p99, latency.max) = (whole.p50, whole.p90, whole.p99, whole.max)
        } else {
            latency.count = parts.reduce(0) { $0 + $1.count }
            latency.p50 = middle(parts.map { ($0.p50, $0.count) })
            latency.p90 = middle(parts.map { ($0.p90, $0.count) })
            latency.p99 = middle(parts.map { ($0.p99, $0.count) })
            latency.max = parts.map(\.max).max() ?? 0
        }
        return latency
    }

    /// The worst latencies of all runs; nil where a run has only the median of its intervals.
    static func worst(_ runs: [Latency?]) -> Latency? {
        let known = runs.compactMap { $0 }
        guard !known.isEmpty, known.allSatisfy({ !$0.isMiddle }) else { return nil }
        var worst = Latency()
        worst.isMiddle = false
        for one in known {
            worst.count += one.count
            worst.p50 = max(worst.p50, one.p50)
            worst.p90 = max(worst.p90, one.p90)
            worst.p99 = max(worst.p99, one.p99)
            worst.max = max(worst.max, one.max)
            worst.worstP99 = max(worst.worstP99, one.worstP99)
        }
        return worst
    }

    /// The weighted median: the least value that, with those below it, has at least half of the weight.
    static func middle(_ values: [(value: Double, weight: Int)]) -> Double {
        let sorted = values.sorted { $0.value < $1.value }
        let half = Double(sorted.reduce(0) { $0 + $1.weight }) / 2
        var weight = 0.0
        for entry in sorted {
            weight += Double(entry.weight)
            if weight >= half { return entry.value }
        }
        return 0
    }
}

extension LaneTotals {
    /// Question events, and table records that were applied.
    fileprivate var recordsWorkedOn: Int { recordsIn + tableAnswers + tableVotes }
}

extension WorkerRun {
    /// The last known lag: a worker that is stopped in a rebalance no longer knows its lag.
    fileprivate var lagEnd: Int64? {
        samples.last { $0.line.lag.total != nil }?.line.lag.total ?? totals?.line.lag.total
    }

    /// Judged by the last line with a known lag.
    fileprivate var isBehindAtEnd: Bool { samples.last { $0.line.lag.total != nil }?.line.isBehind ?? false }
}
