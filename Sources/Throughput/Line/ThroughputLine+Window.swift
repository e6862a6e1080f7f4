import KafkaClient
import Records
import Worker

extension ThroughputLine {
    /// - Parameters:
    ///   - lanes: at the window's end, each at the same place as at its beginning.
    ///   - start: the worker's start.
    init(
        _ message: Kind, of window: MonitorWindow, until end: MonitorMoment, lanes: [LaneReading], names: WorkerNames,
        start: ContinuousClock.Instant
    ) {
        // Two readings of a clock may be equal.
        let length = max(window.seconds(until: end), 0.001)
        func rate(_ count: Int) -> Double { Self.rounded(Double(count) / length) }
        let grown = window.grown(lanes)
        let spent = window.spent(lanes)
        let totals = grown.reduce(LaneTotals(), +)
        let lag = Lag(lanes.flatMap(\.content.lags), isWhole: lanes.allSatisfy(\.isLagKnown))
        time = end.time
        self.message = message
        seconds = Self.rounded(length)
        uptimeSeconds = Self.rounded((end.instant - start) / .seconds(1))
        version = names.version
        group = names.group
        worker = names.worker
        state = State(lanes, isIdle: totals.isIdle)
        counts = totals.logged { _ in true }
        recordsInPerSecond = rate(totals.recordsIn)
        bytesInPerSecond = rate(totals.bytesIn)
        recordsOutPerSecond = rate(totals.recordsOut)
        bytesOutPerSecond = rate(totals.bytesOut)
        deadLetters = Dictionary(
            uniqueKeysWithValues: RecordErrorCode.allCases.map { ($0.rawValue, totals.deadLetters[$0]) })
        deadLettersTotal = totals.deadLetters.total
        self.lag = lag
        timeShares = TimeShares(spent)
        latencyMs = Percentiles(window.latencies.records)
        eventLatencyMs = Percentiles(window.latencies.events)
        commitLatencyMs = Percentiles(window.latencies.commits)
        freshness = Freshness(window.latencies)
        gauges = LaneGauge.allCases.reduce(into: [:]) { gauges, gauge in
            let values = lanes.compactMap { gauge.value($0.content, end.instant) }
            guard let first = values.first else { return }
            let value =
                switch gauge.overLanes {
                case .sum: values.reduce(0, +)
                case .largest: values.reduce(first, Swift.max)
                }
            gauges[gauge.field] = Self.rounded(Swift.max(0, value))
        }
        offsetResets = totals.offsetResets.total
        store = Store(lanes.map(\.content), at: end.instant)
        let cpuSeconds = end.process.cpuSeconds - window.began.process.cpuSeconds
        process = Process(
            residentBytes: end.process.residentBytes, cpuSeconds: Self.rounded(end.process.cpuSeconds),
            cpuCores: Self.rounded(max(0, cpuSeconds) / length))
        self.lanes = lanes.indices.map { Lane(lanes[$0], grown: grown[$0], spent: spent[$0], at: end.instant) }
    }

    /// Whether the line has counts that the sum of all lines must include.
    var hasCounts: Bool {
        deadLettersTotal + offsetResets > 0 || LaneCounter.logged.contains { counts[keyPath: $0.total] > 0 }
    }

    /// To a thousandth; a clock's further digits are noise.
    fileprivate static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}

extension ThroughputLine.State {
    fileprivate init(_ lanes: [LaneReading], isIdle: Bool) {
        if lanes.contains(where: \.isStalled) {
            self = .stalled
        } else if lanes.contains(where: \.content.isRestoring) {
            self = .restoring
        } else if isIdle, !lanes.contains(where: \.hasWork) {
            self = .idle
        } else {
            self = .working
        }
    }
}

extension ThroughputLine.Lag {
    fileprivate init(_ lags: [PartitionLag], isWhole: Bool) {
        partitions = lags.map { lag in
            Partition(topic: lag.place.topic, partition: lag.place.partition, records: lag.records)
        }.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
        topics = partitions.reduce(into: [:]) { $0[$1.topic, default: 0] += $1.records }
        total = isWhole ? partitions.reduce(0) { $0 + $1.records } : nil
        // The first of several equal ones.
        largest = partitions.reduce(nil) { largest, partition in
            partition.records > largest?.records ?? 0 ? partition : largest
        }
        let waiting = lags.filter { $0.records > 0 }
        if isWhole, lags.allSatisfy({ $0.age != nil }) {
            let known = waiting.compactMap(\.seconds)
            // A record of unknown age may be the oldest.
            if known.count == waiting.count { seconds = ThroughputLine.rounded(known.max() ?? 0) }
        }
        ageSeconds = lags.compactMap(\.age).max().map { ThroughputLine.rounded($0) }
        heldBack = lags.compactMap { lag in
            lag.heldBack.map {
                HeldBack(topic: lag.place.topic, partition: lag.place.partition, records: $0.records, from: $0.from)
            }
        }.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }
}

extension ThroughputLine.Freshness {
    fileprivate init?(_ latencies: Latencies) {
        let all = Int(clamping: latencies.events.totalCount)
        guard all > 0 else { return nil }
        self.init(objectiveMs: latencies.objectiveMilliseconds, within: latencies.fresh, of: all)
    }
}

extension ThroughputLine.TimeShares {
    /// Shares of all time that the lanes reported; before the first report all is `other`.
    fileprivate init(_ lanes: [LaneTimes]) {
        let all = lanes.reduce(0) { $0 + $1.total }
        self.init { activity in
            guard all > 0 else { return activity == .other ? 1 : 0 }
            let nanoseconds = lanes.reduce(0) { $0 + $1[activity] }
            return (Double(nanoseconds) / Double(all) * 10_000).rounded() / 10_000
        }
    }
}

extension LaneTotals {
    /// Nothing came in.
    fileprivate var isIdle: Bool {
        recordsIn == 0 && tableAnswers == 0 && tableVotes == 0 && sourceRecords == 0 && deadLetters.total == 0
    }

    /// The counters that belong to a throughput line.
    fileprivate func logged(where isWanted: (LaneCounter.Field) -> Bool) -> LaneTotals {
        LaneCounter.logged.reduce(into: LaneTotals()) { counts, counter in
            if isWanted(counter.field) { counts[keyPath: counter.total] = self[keyPath: counter.total] }
        }
    }
}

extension ThroughputLine.Store {
    fileprivate init(_ contents: [LaneReport.Content], at now: ContinuousClock.Instant) {
        let stores = contents.flatMap(\.stores)
        bytes = stores.reduce(0) { $0 + $1.bytes }
        answers = stores.reduce(0) { $0 + $1.answers }
        votes = stores.reduce(0) { $0 + $1.votes }
        partitions = contents.reduce(0) { $0 + Set($1.partitions + $1.restoring).count }
        restoring = contents.flatMap(\.restores).map { restore in
            Restore(
                partition: restore.partition, done: restore.done, of: restore.of,
                seconds: ThroughputLine.rounded(max(0, (now - restore.since) / .seconds(1))))
        }.sorted { $0.partition < $1.partition }
    }
}

extension ThroughputLine.Lane {
    fileprivate init(_ lane: LaneReading, grown: LaneTotals, spent: LaneTimes, at now: ContinuousClock.Instant) {
        self.lane = lane.lane
        partitions = lane.content.partitions.sorted()
        counts = grown.logged(where: \.isOfLanes)
        deadLetters = grown.deadLetters.total
        lag = lane.isLagKnown ? lane.lag : nil
        timeShares = ThroughputLine.TimeShares([spent])
        waitingFor = lane.content.wait?.reason.rawValue
        waitingSeconds = lane.content.wait.map {
            ThroughputLine.rounded(max(0, (now - $0.since) / .seconds(1)))
        }
        waitingCause = lane.content.wait?.cause
        sources = lane.content.sources.map { Source.grouped($0.partitions) }
        sourceIndex = lane.content.sources?.index.map { index in
            IndexRestore(
                done: index.done, of: index.of,
                seconds: ThroughputLine.rounded(max(0, (now - index.since) / .seconds(1))))
        }
    }
}

extension ThroughputLine.Lane.Source {
    /// - Parameter partitions: in order of topic and number.
    fileprivate static func grouped(_ partitions: [TopicPartition]) -> [Self] {
        partitions.reduce(into: []) { sources, place in
            if sources.last?.topic == place.topic {
                sources[sources.count - 1].partitions.append(place.partition)
            } else {
                sources.append(Self(topic: place.topic, partitions: [place.partition]))
            }
        }
    }
}
