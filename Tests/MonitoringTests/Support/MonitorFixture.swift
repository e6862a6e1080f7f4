import Histogram
import KafkaClient
import Logging
import Synchronization

@testable import Throughput
@testable import Worker

/// A monitor whose clock is the test's.
final class MonitorFixture {
    let reports: [LaneReport]
    let monitor: Monitor
    let log = WrittenLines()
    let entries = LogEntries()
    let start: MonitorMoment

    private(set) var now: MonitorMoment

    /// - Parameter commitLimit: nil: three intervals, so that few ticks do.
    init(
        names: WorkerNames = .test, lanes: Int = 1, interval: Int = 10, commitLimit: Duration? = nil,
        objectiveMilliseconds: Int = 5000,
        board: LagBoard? = nil, sinks: [any MonitorSink] = [], historyFile: HistoryFile? = nil
    ) {
        var options = MonitorOptions(interval: .seconds(interval), objectiveMilliseconds: objectiveMilliseconds)
        options.commitLimit = commitLimit ?? .seconds(3 * interval)
        start = MonitorMoment(instant: .now, time: Self.time(0), process: ProcessFigures())
        now = start
        reports = (0..<lanes).map { LaneReport(lane: $0) }
        let entries = entries
        monitor = Monitor(
            names: names, reports: reports, options: options, board: board, sinks: sinks, log: log,
            historyFile: historyFile,
            logger: Logger(label: "monitor") { _ in entries.handler }, start: start)
        for report in reports {
            report.update {
                $0.turned = start.instant
                $0.hasBeenAssigned = true
            }
        }
    }

    /// Goes on by so many seconds, and ticks after each. A lane that does not hang turns meanwhile.
    func tick(_ count: Int = 1, hanging: Set<Int> = [], _ change: ((inout LaneReport.Content) -> Void)? = nil) {
        for _ in 0..<count {
            pass(.seconds(1))
            for report in reports where !hanging.contains(report.lane) {
                report.update {
                    $0.turned = now.instant
                    change?(&$0)
                }
            }
            monitor.tick(at: now)
        }
    }

    func pass(_ duration: Duration) {
        now.instant += duration
        now.time = Self.time(Int((now.instant - start.instant) / .milliseconds(1)))
    }

    func useCPU(_ seconds: Double, residentBytes: Int64) {
        now.process.cpuSeconds += seconds
        now.process.residentBytes = residentBytes
    }

    private static func time(_ milliseconds: Int) -> String {
        LogClock.text(seconds: 1_772_355_900 + milliseconds / 1000, milliseconds: milliseconds % 1000)
    }
}

/// The lines that a monitor wrote into the throughput log.
final class WrittenLines: ThroughputWriter {
    private let lines = Mutex<[ThroughputLine]>([])

    var all: [ThroughputLine] { lines.withLock { $0 } }

    func write(_ line: ThroughputLine) { lines.withLock { $0.append(line) } }
}

/// The entries that were logged.
final class LogEntries: Sendable {
    struct Entry: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    private let entries = Mutex<[Entry]>([])

    var all: [Entry] { entries.withLock { $0 } }

    var handler: any LogHandler { Handler(entries: self) }

    private struct Handler: LogHandler {
        let entries: LogEntries
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: Logging.LogEvent) {
            let entry = Entry(
                level: event.level, message: "\(event.message)",
                metadata: (event.metadata ?? [:]).mapValues(\.description))
            entries.entries.withLock { $0.append(entry) }
        }
    }
}
