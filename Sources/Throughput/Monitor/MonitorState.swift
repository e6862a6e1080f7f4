import Worker

/// A ``Monitor``'s state from one second to the next; bounded, however long it watches.
struct MonitorState: Sendable {
    /// The result of one second.
    struct Outcome: Sendable {
        var tick: MonitorTick
        /// For the throughput log.
        var lines: [ThroughputLine]
        var findings: [StallWatch.Finding]
        /// The line added to the history; nil: none.
        var remembered: ThroughputLine?
    }

    private(set) var lanes: [LaneReading]
    private(set) var latest: ThroughputLine?
    /// At most ``Monitor/historyLines``, oldest first.
    private(set) var history: [ThroughputLine]
    /// At most ``Monitor/secondLines``, oldest first.
    private(set) var seconds: [ThroughputLine] = []
    private(set) var condition = WorkerCondition.working
    /// Stalls and their ends, oldest first; at most ``Worker/LaneReport/eventsKept``.
    private(set) var stallEvents: [LaneEvent] = []
    private let names: WorkerNames
    private let start: ContinuousClock.Instant
    private let options: MonitorOptions
    private var second: MonitorWindow
    private var tenSeconds: MonitorWindow
    private var interval: MonitorWindow
    private var run: MonitorWindow
    private var historyPace: MonitorPace
    private var intervalPace: MonitorPace
    private var stalls: StallWatch

    /// - Parameter history: lines of an earlier run of this worker.
    init(
        names: WorkerNames, lanes: [LaneReading], options: MonitorOptions, history: [ThroughputLine] = [],
        start: MonitorMoment
    ) {
        self.history = history
        self.names = names
        self.options = options
        self.lanes = lanes
        self.start = start.instant
        run = MonitorWindow(
            began: start, lanes: lanes.count, objectiveMilliseconds: options.objectiveMilliseconds)
        second = run
        tenSeconds = run
        interval = run
        historyPace = MonitorPace(start: start.instant, interval: Monitor.historyInterval)
        intervalPace = MonitorPace(start: start.instant, interval: options.interval)
        stalls = StallWatch(lanes: lanes.count, limit: options.commitLimit)
    }

    /// - Parameters:
    ///   - contents: taken now, each lane at its constant place.
    ///   - silence: the brokers'; nil where the brokers are not asked.
    ///   - isEnd: whether the run is over.
    mutating func take(
        _ contents: [LaneReport.Content], silence: LagBoard.Silence?, at now: MonitorMoment, isEnd: Bool
    ) -> Outcome {
        for index in lanes.indices { lanes[index].content = contents[index] }
        let findings = stalls.look(at: &lanes, after: now.instant - second.began.instant)
        for finding in findings { note(finding) }
        for content in contents { second.latencies.add(content) }
        tenSeconds.latencies.add(second.latencies)
        interval.latencies.add(second.latencies)
        run.latencies.add(second.latencies)
        var line = self.line(.interval, of: second, until: now)
        condition = WorkerCondition(lanes, silence: silence, at: now.instant)
        let verdict = verdict(of: line, at: now.instant)
        line.verdict = verdict
        if seconds.count == Monitor.secondLines { seconds.removeFirst() }
        seconds.append(line)
        let tick = MonitorTick(line: line, contents: contents, seconds: second.seconds(until: now))
        latest = line
        let next = MonitorWindow(
            began: now, lanes: lanes, objectiveMilliseconds: options.objectiveMilliseconds)
        second = next
        var remembered: ThroughputLine?
        if historyPace.isDue(now.instant) {
            if history.count == Monitor.historyLines { history.removeFirst() }
            var line = self.line(.interval, of: tenSeconds, until: now)
            line.verdict = verdict
            history.append(line)
            remembered = line
            tenSeconds = next
        }
        var lines: [ThroughputLine] = []
        if intervalPace.isDue(now.instant) || isEnd {
            var line = self.line(.interval, of: interval, until: now)
            line.verdict = verdict
            // A last part under a second without any count is no interval.
            if !isEnd || line.seconds >= 1 || line.hasCounts { lines.append(line) }
            interval = next
        }
        if isEnd { lines.append(self.line(.totals, of: run, until: now)) }
        return Outcome(tick: tick, lines: lines, findings: findings, remembered: remembered)
    }

    private mutating func note(_ finding: StallWatch.Finding) {
        let event: LaneEvent
        switch finding {
        case .stalled(let lane, let duration):
            let wait = lane.content.wait
            let reason = wait.map { "waits for \($0.reason.rawValue)" } ?? "says nothing"
            event = LaneEvent(
                .stalled, lane: lane.lane,
                detail: "for \(duration.components.seconds) s; \(reason)\(wait?.cause.map { ": \($0)" } ?? "")")
        case .recovered(let lane, let duration):
            event = LaneEvent(.recovered, lane: lane, detail: "after \(duration.components.seconds) s")
        }
        if stallEvents.count == LaneReport.eventsKept { stallEvents.removeFirst() }
        stallEvents.append(event)
    }

    private func verdict(of line: ThroughputLine, at now: ContinuousClock.Instant) -> Verdict {
        VerdictMaker(
            line: line, recent: seconds.suffix(59) + [line], condition: condition,
            throttles: lanes.compactMap(\.content.throttle), now: now,
            objective: Double(options.objectiveMilliseconds) / 1000
        ).verdict
    }

    private func line(
        _ message: ThroughputLine.Kind, of window: MonitorWindow, until end: MonitorMoment
    ) -> ThroughputLine {
        ThroughputLine(message, of: window, until: end, lanes: lanes, names: names, start: start)
    }
}
