/// The figures of a run, or of several as one.
package struct RunFigures: Sendable, Equatable {
    /// Latencies of a run, in milliseconds.
    package struct Latency: Sendable, Equatable {
        package var count = 0
        package var p50 = 0.0
        package var p90 = 0.0
        package var p99 = 0.0
        package var max = 0.0
        /// The largest p99 of an interval.
        package var worstP99 = 0.0
        /// False: percentiles of all records, from a line of totals. True: of the intervals' percentiles the one in the middle, each
        /// interval counting as much as it has records, since percentiles of parts do not add up to one of the whole.
        package var isMiddle = true
    }

    /// Seconds that the counts are of: of several runs the time from the first's beginning to the last's end.
    package var seconds = 0.0
    package var recordsIn = 0
    package var bytesIn = 0
    package var recordsOut = 0
    package var bytesOut = 0
    package var answers = 0
    package var votes = 0
    package var answersAttached = 0
    package var questionsWithoutAnswers = 0
    package var answersOmitted = 0
    package var deadLetters: [String: Int] = [:]
    package var deadLettersTotal = 0
    package var commits = 0
    package var aborts = 0
    package var rebalances = 0
    /// Records a second of the best interval.
    package var peakIn = 0.0
    package var peakTables = 0.0
    /// nil where at no time it is known of every worker how much waits.
    package var lagLargest: Int64?
    package var lagLargestTime: Double?
    package var lagLargestPlace: ThroughputLine.Lag.Partition?
    /// As last known; nil where it is not known of every worker.
    package var lagEnd: Int64?
    package var latency: Latency?
    package var eventLatency: Latency?
    package var commitLatency: Latency?
    /// Mean over time; nil where no interval has any.
    package var shares: ThroughputLine.TimeShares?
    package var stalledSeconds = 0.0
    package var restoringSeconds = 0.0
    package var idleSeconds = 0.0
    /// Of the intervals between a run's first and last line, or of whole runs.
    package var cpuSeconds = 0.0
    package var cpuRecords = 0
    package var residentLargest: Int64 = 0
    package var storeBytes = 0
    package var storeAnswers = 0
    package var storeVotes = 0
    package var runs = 0
    package var restarts = 0

    package var inPerSecond: Double { per(recordsIn) }
    package var outPerSecond: Double { per(recordsOut) }
    package var bytesInPerSecond: Double { per(bytesIn) }
    package var bytesOutPerSecond: Double { per(bytesOut) }
    package var tablesPerSecond: Double { per(answers) + per(votes) }
    package var busyShare: Double? { shares.map { max(0, 1 - $0.idle) } }
    package var cpuCores: Double { seconds > 0 ? cpuSeconds / seconds : 0 }
    /// Microseconds of CPU for each record read, table records included.
    package var cpuMicroseconds: Double? { cpuRecords > 0 ? cpuSeconds * 1e6 / Double(cpuRecords) : nil }

    private func per(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }

    package init() {}

    package init(_ run: WorkerRun) {
        runs = 1
        restarts = run.isRestart ? 1 : 0
        let lines = run.samples.map(\.line)
        // The line of totals has what was done after the last interval, too.
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

    /// Several runs as one: of all workers of a group, and of all their restarts.
    package init(_ all: [WorkerRun]) {
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
        let first = all.map(\.firstTime).min() ?? 0
        seconds = (all.map(\.lastTime).max() ?? 0) - first
        combine(all)
    }

    private mutating func count(_ lines: [ThroughputLine]) {
        for line in lines {
            recordsIn += line.recordsIn
            bytesIn += line.bytesIn
            recordsOut += line.recordsOut
            bytesOut += line.bytesOut
            answers += line.answers
            votes += line.votes
            answersAttached += line.answersAttached
            questionsWithoutAnswers += line.questionsWithoutAnswers
            answersOmitted += line.answersOmitted
            deadLetters.merge(line.deadLetters, uniquingKeysWith: +)
            deadLettersTotal += line.deadLettersTotal
            commits += line.commits
            aborts += line.aborts
            rebalances += line.rebalances
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
            switch line.state {
            case .stalled: stalledSeconds += line.seconds
            case .restoring: restoringSeconds += line.seconds
            case .idle: idleSeconds += line.seconds
            case .working: break
            }
        }
        guard let last = (run.samples.last ?? run.totals)?.line else { return }
        lagEnd = run.lagEnd
        (storeBytes, storeAnswers, storeVotes) = (last.store.bytes, last.store.answers, last.store.votes)
    }

    /// CPU seconds count from the process's start, so the first line of a log that begins later is only where to count from.
    private mutating func measureCPU(_ run: WorkerRun) {
        guard let last = (run.totals ?? run.samples.last)?.line else { return }
        if run.totals != nil || run.isWhole {
            cpuSeconds = last.process.cpuSeconds
            cpuRecords = recordsIn + answers + votes
        } else if let first = run.samples.first?.line {
            cpuSeconds = max(0, last.process.cpuSeconds - first.process.cpuSeconds)
            cpuRecords = recordsIn + answers + votes - first.recordsIn - first.answers - first.votes
        }
    }

    private mutating func add(_ other: RunFigures) {
        recordsIn += other.recordsIn
        bytesIn += other.bytesIn
        recordsOut += other.recordsOut
        bytesOut += other.bytesOut
        answers += other.answers
        votes += other.votes
        answersAttached += other.answersAttached
        questionsWithoutAnswers += other.questionsWithoutAnswers
        answersOmitted += other.answersOmitted
        deadLetters.merge(other.deadLetters, uniquingKeysWith: +)
        deadLettersTotal += other.deadLettersTotal
        commits += other.commits
        aborts += other.aborts
        rebalances += other.rebalances
        stalledSeconds += other.stalledSeconds
        restoringSeconds += other.restoringSeconds
        idleSeconds += other.idleSeconds
        cpuSeconds += other.cpuSeconds
        cpuRecords += other.cpuRecords
        runs += other.runs
        restarts += other.restarts
        residentLargest = max(residentLargest, other.residentLargest)
    }

    /// What workers have at the same time adds up; what one has after another does not.
    private mutating func combine(_ all: [WorkerRun]) {
        let byWorker = Dictionary(grouping: all, by: \.key)
        let end = all.map(\.lastTime).max() ?? 0
        lagEnd = 0
        for run in byWorker.compactMap({ $0.value.last }) {
            // One that ended long before has left its partitions to others.
            guard end - run.lastTime <= max(60, 3 * run.typicalSeconds) else { continue }
            guard let last = (run.samples.last ?? run.totals)?.line else { continue }
            lagEnd = lagEnd.flatMap { sum in run.lagEnd.map { sum + $0 } }
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
        // Columns of an interval's length: workers do not write their lines at the same moment.
        let bins = TimeBins.fitting(all, most: 20_000)
        peakIn = bins.sum(all) { $0.rate($0.recordsIn) }.compactMap { $0?.mean }.max() ?? 0
        peakTables = bins.sum(all) { $0.rate($0.answers + $0.votes) }.compactMap { $0?.mean }.max() ?? 0
        for (index, bin) in bins.sum(all, { $0.lag.total.map(Double.init) }).enumerated() {
            guard let bin, Int64(bin.largest) > lagLargest ?? -1 else { continue }
            (lagLargest, lagLargestTime) = (Int64(bin.largest), bins.middle(index))
        }
        lagLargestPlace = all.flatMap(\.samples).compactMap(\.line.lag.largest).max { $0.records < $1.records }
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

    /// The worst of any run; nil where some run has only the middle of its intervals.
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

    /// The least value that, with those below it, has at least half of the weight.
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

extension WorkerRun {
    /// The last that is known: a worker that is stopped in a rebalance knows it no more.
    fileprivate var lagEnd: Int64? {
        samples.last { $0.line.lag.total != nil }?.line.lag.total ?? totals?.line.lag.total
    }
}

extension ThroughputLine {
    /// `count` a second, over the interval.
    func rate(_ count: Int) -> Double { seconds > 0 ? Double(count) / seconds : 0 }
}

extension ThroughputLine.TimeShares {
    /// In the order in which a step goes through them.
    package static let parts: [(name: String, share: @Sendable (ThroughputLine.TimeShares) -> Double)] = [
        ("applying tables", { $0.applyingTables }), ("reading", { $0.reading }), ("lookup", { $0.lookup }),
        ("rendering", { $0.rendering }), ("producing", { $0.producing }), ("committing", { $0.committing }),
        ("waiting for input", { $0.waitingForInput }), ("other", { $0.other }), ("idle", { $0.idle }),
    ]

    var total: Double { Self.parts.reduce(0) { $0 + $1.share(self) } }

    /// Weighted by the lines' lengths.
    static func mean(_ lines: [ThroughputLine]) -> ThroughputLine.TimeShares? {
        var sum = ThroughputLine.TimeShares(
            idle: 0, waitingForInput: 0, reading: 0, lookup: 0, rendering: 0, producing: 0, committing: 0,
            applyingTables: 0, other: 0)
        var seconds = 0.0
        for line in lines where line.timeShares.total > 0 && line.seconds > 0 {
            seconds += line.seconds
            let shares = line.timeShares
            sum.idle += shares.idle * line.seconds
            sum.waitingForInput += shares.waitingForInput * line.seconds
            sum.reading += shares.reading * line.seconds
            sum.lookup += shares.lookup * line.seconds
            sum.rendering += shares.rendering * line.seconds
            sum.producing += shares.producing * line.seconds
            sum.committing += shares.committing * line.seconds
            sum.applyingTables += shares.applyingTables * line.seconds
            sum.other += shares.other * line.seconds
        }
        guard seconds > 0 else { return nil }
        sum.idle /= seconds
        sum.waitingForInput /= seconds
        sum.reading /= seconds
        sum.lookup /= seconds
        sum.rendering /= seconds
        sum.producing /= seconds
        sum.committing /= seconds
        sum.applyingTables /= seconds
        sum.other /= seconds
        return sum
    }
}
