import Logging
import ServiceLifecycle
import Synchronization
import Worker

/// Watches the lanes: once a second it takes their reports and makes lines of them, for the log, for listeners, and for
/// the last hour's history. It alone takes from the reports; other readers ask it or are a ``MonitorSink``.
package final class Monitor: Service, Sendable {
    /// The number of lines in the history, and the length of each.
    static let historyLines = 360
    static let historyInterval = Duration.seconds(10)
    /// The number of one-second lines that are kept.
    static let secondLines = 120

    private static let tick = Duration.seconds(1)

    /// Written in every line.
    package let names: WorkerNames
    /// One for each lane, in the lanes' order.
    package let reports: [LaneReport]
    private let board: LagBoard?
    private let sinks: [any MonitorSink]
    private let log: (any ThroughputWriter)?
    private let stallLog: StallLog
    private let historyFile: HistoryFile?
    private let start: MonitorMoment
    private let state: Mutex<State>

    private struct State: Sendable {
        var watched: MonitorState
        var listeners: [Int: AsyncStream<ThroughputLine>.Continuation] = [:]
        var listenersMade = 0
        var hasEnded = false
    }

    /// - Parameters:
    ///   - reports: one for each lane. No other caller may `take` from them.
    ///   - board: the partitions' ends from the brokers; nil: the brokers are not asked.
    ///   - log: receives the throughput lines.
    ///   - historyFile: keeps the history for the next start; nil: it is not kept.
    ///   - logger: for warnings of stalled lanes.
    package convenience init(
        names: WorkerNames, reports: [LaneReport], options: MonitorOptions, board: LagBoard? = nil,
        sinks: [any MonitorSink] = [], log: (any ThroughputWriter)? = nil, historyFile: HistoryFile? = nil,
        logger: Logger = Logger(label: "") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.init(
            names: names, reports: reports, options: options, board: board, sinks: sinks, log: log,
            historyFile: historyFile, logger: logger, start: .now)
    }

    init(
        names: WorkerNames, reports: [LaneReport], options: MonitorOptions, board: LagBoard? = nil,
        sinks: [any MonitorSink], log: (any ThroughputWriter)?, historyFile: HistoryFile? = nil, logger: Logger,
        start: MonitorMoment
    ) {
        self.names = names
        self.reports = reports
        self.board = board
        self.sinks = sinks
        self.log = log
        self.start = start
        self.historyFile = historyFile
        stallLog = StallLog(logger: logger)
        let lanes = reports.map { LaneReading(lane: $0.lane, content: $0.current) }
        let history = LogEntry.seconds(start.time).flatMap { historyFile?.load(now: $0) } ?? []
        let watched = MonitorState(names: names, lanes: lanes, options: options, history: history, start: start)
        state = Mutex(State(watched: watched))
    }

    // MARK: - Results

    /// The last hour, one line for ten seconds, oldest first.
    package var history: [ThroughputLine] { state.withLock { $0.watched.history } }

    /// The last two minutes, one line a second, oldest first.
    package var recentSeconds: [ThroughputLine] { state.withLock { $0.watched.seconds } }

    /// The lanes' last events, oldest first; at most ``Worker/LaneReport/eventsKept``.
    package var events: [LaneEvent] {
        let events = state.withLock { $0.watched.lanes.flatMap(\.content.events) + $0.watched.stallEvents }
        return events.sorted { $0.time < $1.time }.suffix(LaneReport.eventsKept)
    }

    /// The last commits of all lanes, oldest first; at most ``Worker/LaneReport/commitsKept``.
    package var commits: [LaneCommit] {
        let commits = state.withLock { $0.watched.lanes.flatMap(\.content.commits) }
        return commits.sorted { $0.time < $1.time }.suffix(LaneReport.commitsKept)
    }

    /// The worker's current condition, and its lanes.
    package func condition(at now: ContinuousClock.Instant = .now) -> (condition: WorkerCondition, lanes: [LaneReading])
    {
        let watched = state.withLock { $0.watched.lanes }
        let lanes = zip(reports, watched).map { report, watched in
            var lane = watched
            lane.content = report.current
            return lane
        }
        return (WorkerCondition(lanes, silence: board?.silence(at: now), at: now), lanes)
    }

    /// The last second; nil in the first.
    package var latest: ThroughputLine? { state.withLock { $0.watched.latest } }

    /// The last dead letters of all lanes, oldest first; at most ``Worker/LaneReport/deadLettersKept``.
    package var deadLetters: [DeadLetterNote] {
        let notes = state.withLock { $0.watched.lanes.flatMap(\.content.deadLetters) }
        return notes.sorted { $0.time < $1.time }.suffix(LaneReport.deadLettersKept)
    }

    /// One line a second from now on until the worker ends. A slower reader gets the newest line.
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

    // MARK: - Work

    /// Runs until a graceful shutdown or cancellation. Must precede the lanes in their group, so that it sees them end.
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

    /// Takes the lanes' reports; not to be called from two threads at once.
    func tick(at now: MonitorMoment) {
        look(at: now, isEnd: false)
    }

    /// Writes the rest of the last interval and the line of the whole run. Call it after the lanes have ended, their
    /// last commit is counted, and ``run()`` has returned.
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
        var contents = reports.map { $0.take() }
        if let board {
            for index in contents.indices { board.bringUp(&contents[index], at: now.instant) }
        }
        let silence = board?.silence(at: now.instant)
        let (outcome, listeners) = state.withLock { state in
            (state.watched.take(contents, silence: silence, at: now, isEnd: isEnd), Array(state.listeners.values))
        }
        for finding in outcome.findings { stallLog.write(finding, at: now.instant) }
        if let log { outcome.lines.forEach(log.write) }
        if let line = outcome.remembered { historyFile?.append(line) }
        if isEnd { historyFile?.finish() }
        for sink in sinks { sink.note(outcome.tick) }
        for listener in listeners { listener.yield(outcome.tick.line) }
    }
}
