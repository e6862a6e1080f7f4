import Logging
import ServiceLifecycle
import Synchronization
import Worker

/// Watches the lanes: once a second it takes what they report, and makes of it lines for the log, for whoever listens, and for
/// the last hour's history. It is the only one that takes; whatever else wants to know asks here or is a ``MonitorSink``.
package final class Monitor: Service, Sendable {
    /// How many lines the history has, and how long each is.
    package static let historyLines = 360
    package static let historyInterval = Duration.seconds(10)

    private static let tick = Duration.seconds(1)

    package let names: WorkerNames
    package let reports: [LaneReport]
    private let interval: Duration
    private let sinks: [any MonitorSink]
    private let log: (any ThroughputWriter)?
    private let stallLog: StallLog
    private let start: MonitorMoment
    private let state: Mutex<State>

    private struct State: Sendable {
        var second: MonitorWindow
        var tenSeconds: MonitorWindow
        var interval: MonitorWindow
        var run: MonitorWindow
        var stalls: StallWatch
        var historyPace: MonitorPace
        var intervalPace: MonitorPace
        var contents: [LaneReport.Content]
        var latest: ThroughputLine?
        var history: [ThroughputLine] = []
        var listeners: [Int: AsyncStream<ThroughputLine>.Continuation] = [:]
        var listenersMade = 0
        var hasEnded = false
    }

    /// - Parameters:
    ///   - reports: one for each lane. Nobody else may `take` from them.
    ///   - interval: between two lines of the log; whole seconds.
    ///   - log: where the lines go.
    ///   - logger: for warnings of stalled lanes.
    package convenience init(
        names: WorkerNames, reports: [LaneReport], interval: Duration, sinks: [any MonitorSink] = [],
        log: (any ThroughputWriter)? = nil, logger: Logger = Logger(label: "") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.init(
            names: names, reports: reports, interval: interval, sinks: sinks, log: log, logger: logger, start: .now)
    }

    init(
        names: WorkerNames, reports: [LaneReport], interval: Duration, sinks: [any MonitorSink],
        log: (any ThroughputWriter)?, logger: Logger, start: MonitorMoment
    ) {
        self.names = names
        self.reports = reports
        self.interval = interval
        self.sinks = sinks
        self.log = log
        self.start = start
        stallLog = StallLog(logger: logger)
        let window = MonitorWindow(began: start, lanes: reports.count)
        state = Mutex(
            State(
                second: window, tenSeconds: window, interval: window, run: window,
                stalls: StallWatch(lanes: reports.count, interval: interval),
                historyPace: MonitorPace(start: start.instant, interval: Self.historyInterval),
                intervalPace: MonitorPace(start: start.instant, interval: interval),
                contents: reports.map(\.current)))
    }

    // MARK: - What it knows

    /// The last hour, one line for ten seconds, oldest first.
    package var history: [ThroughputLine] { state.withLock { $0.history } }

    /// The last second; nil in the first.
    package var latest: ThroughputLine? { state.withLock { $0.latest } }

    /// The last dead letters of all lanes, oldest first; at most ``Worker/LaneReport/deadLettersKept``.
    package var deadLetters: [DeadLetterNote] {
        let notes = state.withLock { $0.contents.flatMap(\.deadLetters) }
        return notes.sorted { $0.time < $1.time }.suffix(LaneReport.deadLettersKept)
    }

    /// One line a second from now on until the worker ends. A reader that is slower than that gets the newest.
    package func seconds() -> AsyncStream<ThroughputLine> {
        let (stream, listener) = AsyncStream.makeStream(of: ThroughputLine.self, bufferingPolicy: .bufferingNewest(1))
        let number = state.withLock { state -> Int? in
            guard !state.hasEnded else { return nil }
            state.listenersMade += 1
            state.listeners[state.listenersMade] = listener
            return state.listenersMade
        }
        guard let number else {
            listener.finish()
            return stream
        }
        listener.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.listeners.removeValue(forKey: number) }
        }
        return stream
    }

    // MARK: - Its work

    /// Goes on until a graceful shutdown or cancellation. To stand before the lanes in their group, so that it sees them end.
    package func run() async throws {
        await cancelWhenGracefulShutdown { await self.watch() }
        endStreams()
    }

    private func watch() async {
        var pace = MonitorPace(start: start.instant, interval: Self.tick)
        while (try? await Task.sleep(until: pace.due, clock: .continuous)) != nil {
            let now = MonitorMoment.now
            if pace.isDue(now.instant) { tick(at: now) }
        }
    }

    /// Takes what the lanes report; not to be called from two threads at once.
    func tick(at now: MonitorMoment) {
        look(at: now, isEnd: false)
    }

    /// Writes the rest of the last interval and the line of the whole run: to be called when the lanes have ended and their
    /// last commit is counted, and ``run()`` is over.
    package func end() {
        endStreams()
        end(at: .now)
    }

    func end(at now: MonitorMoment) {
        look(at: now, isEnd: true)
    }

    private func endStreams() {
        let listeners = state.withLock { state in
            state.hasEnded = true
            defer { state.listeners = [:] }
            return state.listeners.values
        }
        for listener in listeners { listener.finish() }
    }

    private func look(at now: MonitorMoment, isEnd: Bool) {
        let contents = reports.map { $0.take() }
        var lanes = zip(reports, contents).map { LaneReading(lane: $0.lane, content: $1, at: now.instant) }
        var lines: [ThroughputLine] = []
        var tick: MonitorTick?
        var findings: [StallWatch.Finding] = []
        let listeners = state.withLock { state in
            state.contents = contents
            findings = state.stalls.look(at: &lanes, after: now.instant - state.second.began.instant)
            for content in contents { state.second.latencies.add(content) }
            state.tenSeconds.latencies.add(state.second.latencies)
            state.interval.latencies.add(state.second.latencies)
            state.run.latencies.add(state.second.latencies)
            func line(_ message: ThroughputLine.Kind, of window: MonitorWindow) -> ThroughputLine {
                ThroughputLine(message, of: window, until: now, lanes: lanes, names: names, start: start.instant)
            }
            let second = line(.interval, of: state.second)
            tick = MonitorTick(line: second, contents: contents, seconds: state.second.seconds(until: now))
            state.latest = second
            let next = MonitorWindow(began: now, lanes: lanes)
            state.second = next
            if state.historyPace.isDue(now.instant) {
                if state.history.count == Self.historyLines { state.history.removeFirst() }
                state.history.append(line(.interval, of: state.tenSeconds))
                state.tenSeconds = next
            }
            if state.intervalPace.isDue(now.instant) || isEnd {
                let interval = line(.interval, of: state.interval)
                // A moment at the end, in which nothing happened, is no interval.
                if !isEnd || interval.seconds >= 1 || interval.hasCounts { lines.append(interval) }
                state.interval = next
            }
            if isEnd { lines.append(line(.totals, of: state.run)) }
            return Array(state.listeners.values)
        }
        for finding in findings { stallLog.write(finding, at: now.instant) }
        if let log { lines.forEach(log.write) }
        if let tick {
            for sink in sinks { sink.note(tick) }
            for listener in listeners { listener.yield(tick.line) }
        }
    }
}
