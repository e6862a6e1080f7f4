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
        var watched: MonitorState
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
        let lanes = reports.map { LaneReading(lane: $0.lane, content: $0.current) }
        state = Mutex(State(watched: MonitorState(names: names, lanes: lanes, interval: interval, start: start)))
    }

    // MARK: - What it knows

    /// The last hour, one line for ten seconds, oldest first.
    package var history: [ThroughputLine] { state.withLock { $0.watched.history } }

    /// The last second; nil in the first.
    package var latest: ThroughputLine? { state.withLock { $0.watched.latest } }

    /// The last dead letters of all lanes, oldest first; at most ``Worker/LaneReport/deadLettersKept``.
    package var deadLetters: [DeadLetterNote] {
        let notes = state.withLock { $0.watched.lanes.flatMap(\.content.deadLetters) }
        return notes.sorted { $0.time < $1.time }.suffix(LaneReport.deadLettersKept)
    }

    /// For how long each lane has had something to do and committed nothing, as of the last second.
    var standing: [Duration] { state.withLock { $0.watched.lanes.map(\.standing) } }

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
        let (outcome, listeners) = state.withLock { state in
            (state.watched.take(contents, at: now, isEnd: isEnd), Array(state.listeners.values))
        }
        for finding in outcome.findings { stallLog.write(finding, at: now.instant) }
        if let log { outcome.lines.forEach(log.write) }
        for sink in sinks { sink.note(outcome.tick) }
        for listener in listeners { listener.yield(outcome.tick.line) }
    }
}
