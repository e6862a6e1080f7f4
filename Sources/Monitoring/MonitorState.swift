import Worker

/// What a ``Monitor`` keeps from one second to the next: bounded, however long it watches.
struct MonitorState: Sendable {
    /// What a second brought.
    struct Outcome: Sendable {
        var tick: MonitorTick
        /// For the throughput log.
        var lines: [ThroughputLine]
        var findings: [StallWatch.Finding]
    }

    private(set) var lanes: [LaneReading]
    private(set) var latest: ThroughputLine?
    /// At most ``Monitor/historyLines``, oldest first.
    private(set) var history: [ThroughputLine] = []
    private let names: WorkerNames
    private let start: ContinuousClock.Instant
    private var second: MonitorWindow
    private var tenSeconds: MonitorWindow
    private var interval: MonitorWindow
    private var run: MonitorWindow
    private var historyPace: MonitorPace
    private var intervalPace: MonitorPace
    private var stalls: StallWatch

    init(names: WorkerNames, lanes: [LaneReading], interval: Duration, start: MonitorMoment) {
        self.names = names
        self.lanes = lanes
        self.start = start.instant
        run = MonitorWindow(began: start, lanes: lanes.count)
        second = run
        tenSeconds = run
        self.interval = run
        historyPace = MonitorPace(start: start.instant, interval: Monitor.historyInterval)
        intervalPace = MonitorPace(start: start.instant, interval: interval)
        stalls = StallWatch(lanes: lanes.count, interval: interval)
    }

    /// - Parameters:
    ///   - contents: taken now, each at the same place as ever.
    ///   - isEnd: the run is over.
    mutating func take(_ contents: [LaneReport.Content], at now: MonitorMoment, isEnd: Bool) -> Outcome {
        for index in lanes.indices { lanes[index].content = contents[index] }
        let findings = stalls.look(at: &lanes, after: now.instant - second.began.instant)
        for content in contents { second.latencies.add(content) }
        tenSeconds.latencies.add(second.latencies)
        interval.latencies.add(second.latencies)
        run.latencies.add(second.latencies)
        let line = line(.interval, of: second, until: now)
        let tick = MonitorTick(line: line, contents: contents, seconds: second.seconds(until: now))
        latest = line
        let next = MonitorWindow(began: now, lanes: lanes)
        second = next
        if historyPace.isDue(now.instant) {
            if history.count == Monitor.historyLines { history.removeFirst() }
            history.append(self.line(.interval, of: tenSeconds, until: now))
            tenSeconds = next
        }
        var lines: [ThroughputLine] = []
        if intervalPace.isDue(now.instant) || isEnd {
            let line = self.line(.interval, of: interval, until: now)
            // A moment at the end, in which nothing happened, is no interval.
            if !isEnd || line.seconds >= 1 || line.hasCounts { lines.append(line) }
            interval = next
        }
        if isEnd { lines.append(self.line(.totals, of: run, until: now)) }
        return Outcome(tick: tick, lines: lines, findings: findings)
    }

    private func line(
        _ message: ThroughputLine.Kind, of window: MonitorWindow, until end: MonitorMoment
    ) -> ThroughputLine {
        ThroughputLine(message, of: window, until: end, lanes: lanes, names: names, start: start)
    }
}
