import Foundation
import Throughput
import Worker

/// The state of `top`: sources, workers and their figures.
struct TopModel: Sendable {
    enum Status: Sendable, Equatable {
        /// No current line yet.
        case waiting
        case live
        case lost(String, since: ContinuousClock.Instant)
        case ended(String)
    }

    /// The figures of an interval that are drawn or summed.
    struct Point: Sendable {
        var end: Double
        var uptime: Double
        var seconds: Double
        var recordsIn: Double
        var recordsOut: Double
        var tables: Double
        /// nil: unknown.
        var lag: Double?
        var p99: Double?
        /// Questions that wait to be published again; nil where published records do not follow changes.
        var waiting: Double?
        var deadLetters: [String: Int]
        var deadLettersTotal: Int
        var aborts: Int
        var rebalances: Int

        init?(_ line: ThroughputLine) {
            guard let end = LogEntry.seconds(line.time) else { return nil }
            self.end = end
            uptime = line.uptimeSeconds
            seconds = max(line.seconds, 0.001)
            recordsIn = line.recordsInPerSecond
            recordsOut = line.recordsOutPerSecond
            tables = Double(line.answers + line.votes) / seconds
            lag = line.lag.total.map(Double.init)
            p99 = line.latencyMs?.p99
            waiting = line[.waitingQuestions]
            deadLetters = line.deadLetters.filter { $0.value > 0 }
            (deadLettersTotal, aborts, rebalances) = (line.deadLettersTotal, line.aborts, line.rebalances)
        }
    }

    struct Worker: Sendable {
        var source: Int
        /// Display name of the source.
        var place: String
        var latest: ThroughputLine?
        var points: [Point] = []
        /// Why it has ended, by its log's last line; nil: it has not.
        var end: String?
        /// When its last line came.
        var heard: ContinuousClock.Instant?

        /// Its identity, or the place while that is unknown.
        var name: String { latest.map(\.worker) ?? place }
        var began: Double? { points.first.map { $0.end - $0.seconds } }

        /// The line of totals is the last of a run.
        mutating func note(_ message: ThroughputLine.Kind) {
            end = message == .totals ? "the worker has ended" : nil
        }

        /// Appends a point. The worker's uptime tells new points from old: its clock may be set back, and then points
        /// in the future are dropped.
        mutating func append(_ point: Point) {
            if let last = points.last, point.end <= last.end {
                // A duplicate, or an older point.
                guard point.uptime > last.uptime else { return }
                points.removeAll { $0.end >= point.end }
            }
            points.append(point)
            if points.count > TopModel.mostPoints { points.removeFirst() }
        }
    }

    /// An hour of seconds.
    fileprivate static let mostPoints = 3_600
    /// A worker sends a line each second.
    private static let longestSilence = Duration.seconds(3)
    /// Lateness of a log's line, in seconds and as a share of its interval: log collectors write in batches.
    private static let leastLateness = 5.0
    private static let lateness = 0.1

    let sources: [TopSource]
    private(set) var statuses: [Status]
    private(set) var workers: [Worker] = []
    var selected = 0
    /// The wall clock in seconds since 1970, which gives the age of a log's last line; nil: no log is old.
    var wall: Double?
    /// Seconds of a sparkline's column.
    var columnSeconds = 10.0

    init(sources: [TopSource]) {
        self.sources = sources
        statuses = sources.map { _ in .waiting }
        // Each source has a row from the beginning; a log's lines name its worker.
        for (index, source) in sources.enumerated() {
            workers.append(Worker(source: index, place: source.name))
        }
    }

    /// Neither a log that stays readable when its worker is gone, nor a connection that stays open when its worker is
    /// stopped, is a sign of life: the age of the last line decides.
    func status(_ worker: Worker, now: ContinuousClock.Instant = .now) -> Status {
        let status = statuses[worker.source]
        guard status == .live else { return status }
        switch sources[worker.source] {
        case .worker:
            guard let heard = worker.heard, now - heard > Self.longestSilence else { return status }
            return .lost("it sends nothing", since: heard)
        case .log:
            if let end = worker.end { return .ended(end) }
            guard let wall, let last = worker.points.last, let seconds = worker.latest?.seconds else { return status }
            let silence = wall - last.end
            guard silence > seconds + max(Self.leastLateness, Self.lateness * seconds) else { return status }
            return .lost("the log has no newer line", since: now - .seconds(silence))
        }
    }

    var isAnyLive: Bool { workers.contains { $0.latest != nil } }
    var hasAllAnswered: Bool {
        workers.allSatisfy { worker in
            switch status(worker) {
            case .waiting: false
            case .live: worker.latest != nil
            case .lost, .ended: true
            }
        }
    }

    mutating func move(by step: Int) {
        guard !workers.isEmpty else { return }
        selected = min(max(selected + step, 0), workers.count - 1)
    }

    mutating func apply(_ update: TopUpdate, now: ContinuousClock.Instant = .now) {
        switch update.news {
        case .history(let lines):
            begin(update.source, lines)
        case .line(let line):
            statuses[update.source] = .live
            let index = row(update.source, line)
            workers[index].note(line.message)
            guard line.message == .interval else { break }
            workers[index].heard = now
            workers[index].latest = line
            if let point = Point(line) { workers[index].append(point) }
        case .lost(let reason):
            // Keeps the time of the first failure while the reason changes.
            if case .lost(_, let since) = statuses[update.source] {
                statuses[update.source] = .lost(reason, since: since)
            } else {
                statuses[update.source] = .lost(reason, since: now)
            }
        case .stopped(let reason):
            // The line does not name its worker.
            let rows = workers.indices.filter { workers[$0].source == update.source }
            if rows.count == 1 { workers[rows[0]].end = reason }
        case .ended(let reason):
            statuses[update.source] = .ended(reason)
        }
    }

    private mutating func begin(_ source: Int, _ lines: [ThroughputLine]) {
        // A log is live by its history, a worker only by a current line.
        if case .log = sources[source] { statuses[source] = lines.isEmpty ? .waiting : .live }
        var points: [Int: [Point]] = [:]
        for line in lines {
            let index = row(source, line)
            workers[index].note(line.message)
            guard line.message == .interval else { continue }
            if case .log = sources[source] { workers[index].latest = line }
            if let point = Point(line) { points[index, default: []].append(point) }
        }
        for (index, history) in points {
            let last = history.last?.end ?? -.infinity
            // After a reconnect, keeps the live points that are newer than the history.
            let live = workers[index].points.filter { $0.end > last }
            workers[index].points = (history + live).suffix(Self.mostPoints)
        }
    }

    /// The row of a line's worker; adds a row for a log's further worker.
    private mutating func row(_ source: Int, _ line: ThroughputLine) -> Int {
        guard case .log = sources[source] else { return workers.firstIndex { $0.source == source } ?? 0 }
        if let index = workers.firstIndex(where: { $0.source == source && $0.latest?.worker == line.worker }) {
            return index
        }
        if let index = workers.firstIndex(where: { $0.source == source && $0.latest == nil }) {
            workers[index].latest = line
            return index
        }
        var worker = Worker(source: source, place: sources[source].name)
        worker.latest = line
        let last = workers.lastIndex { $0.source == source } ?? workers.count - 1
        workers.insert(worker, at: last + 1)
        return last + 1
    }
}

extension TopModel.Worker {
    /// The last `count` columns of time, each the mean of its points; nil without a value.
    func columns(_ count: Int, seconds: Double, _ value: (TopModel.Point) -> Double?) -> [Double?] {
        guard let end = points.last?.end, count > 0 else { return [] }
        // Columns begin at multiples of `seconds`, or the drawing would flicker.
        let last = (end / seconds).rounded(.up) * seconds
        let start = last - Double(count) * seconds
        var sums = [(sum: Double, weight: Double)](repeating: (0, 0), count: count)
        for point in points.reversed() {
            if point.end <= start { break }
            guard let value = value(point) else { continue }
            let from = max(point.end - point.seconds, start)
            let first = max(0, Int((from - start) / seconds))
            let final = min(count - 1, Int(((point.end - start) / seconds).rounded(.up)) - 1)
            guard first <= final else { continue }
            for index in first...final {
                let begin = start + Double(index) * seconds
                let overlap = min(point.end, begin + seconds) - max(from, begin)
                if overlap > 0 { sums[index] = (sums[index].sum + value * overlap, sums[index].weight + overlap) }
            }
        }
        return sums.map { $0.weight > 0.02 * seconds ? $0.sum / $0.weight : nil }
    }

    /// Dead letters by code, of all points.
    var deadLetters: [(code: String, count: Int)] {
        var counts: [String: Int] = [:]
        for point in points { counts.merge(point.deadLetters, uniquingKeysWith: +) }
        return counts.map { (code: $0.key, count: $0.value) }.sorted { ($1.count, $0.code) < ($0.count, $1.code) }
    }

    var deadLettersTotal: Int { points.reduce(0) { $0 + $1.deadLettersTotal } }
    var aborts: Int { points.reduce(0) { $0 + $1.aborts } }
    var rebalances: Int { points.reduce(0) { $0 + $1.rebalances } }
}
