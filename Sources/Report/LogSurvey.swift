import Bytes
import Foundation
import Throughput

/// The contents of throughput logs, sorted into runs of workers and events.
package struct LogSurvey {
    /// A log, and counts of its lines by kind.
    package struct Source: Sendable, Equatable {
        /// For people: the path that was given, or "standard input".
        package var name: String
        /// Lines that are not blank.
        var lines = 0
        /// Lines with figures, repeated ones included.
        var throughput = 0
        /// Lines that became an ``Event``.
        var events = 0
        /// Lines of our log that are damaged: malformed JSON, or required fields missing.
        var torn = 0
        /// Lines of other programs.
        var foreign = 0
        /// Duplicate throughput lines, which are dropped.
        package var repeated = 0

        /// Lines that no part of the report could use.
        package var skipped: Int { torn + foreign }
    }

    /// An event beside the figures: a start, a rebalance, a warning, an error.
    struct Event: Sendable, Equatable {
        /// The line's note.
        var event: LogNote
        /// The worker of the event; nil where the log does not name it.
        var worker: String?
    }

    /// In the order in which they were begun.
    package private(set) var sources: [Source] = []
    /// Sorted by start; empty before ``arrange()``.
    package private(set) var runs: [WorkerRun] = []
    /// Sorted by time after ``arrange()``.
    private(set) var events: [Event] = []
    private var samples: [WorkerRun.Key: [WorkerRun.Sample]] = [:]
    /// A line whose end has not come; copies of the survey share it.
    private let unread = LineQueue(longest: LogEntry.longestLine)
    private var worker: String?
    private var names: [String: String] = [:]

    /// An empty survey: feed it logs, then call ``arrange()`` once.
    package init() {}

    /// Begins a log: the bytes fed next belong to it.
    package mutating func begin(_ name: String) {
        sources.append(Source(name: name))
        unread.removeAll()
        worker = nil
    }

    /// - Parameter row: called with each throughput line as it is read.
    /// Takes the log's next bytes, cut anywhere: the part of a line that is not whole waits for the next call.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, row: (ThroughputLine) -> Void = { _ in }) {
        unread.append(bytes)
        while let line = unread.next() { take(line.text, row: row) }
    }

    /// Ends the log, and takes a last line that has no line end.
    package mutating func end(row: (ThroughputLine) -> Void = { _ in }) {
        if let line = unread.last() { take(line.text, row: row) }
    }

    /// Takes a whole log at once, for tests.
    mutating func read(_ text: String, name: String) {
        begin(name)
        var text = text
        text.withUTF8 { feed(UnsafeRawBufferPointer($0)) }
        end()
    }

    private mutating func take(_ bytes: Bytes, row: (ThroughputLine) -> Void) {
        let index = sources.count - 1
        let entry = LogEntry(bytes)
        if entry != .blank { sources[index].lines += 1 }
        switch entry {
        case .throughput(let line, let time):
            sources[index].throughput += 1
            worker = line.worker
            row(line)
            let key = WorkerRun.Key(group: shared(line.group), worker: shared(line.worker))
            samples[key, default: []].append(
                WorkerRun.Sample(line: trimmed(line), time: time, source: index, order: sources[index].lines))
        case .event(let event):
            sources[index].events += 1
            if event.kind == .start { worker = event.field("identity") ?? worker }
            events.append(Event(event: event, worker: worker))
        case .torn: sources[index].torn += 1
        case .foreign: sources[index].foreign += 1
        case .passing, .blank: break
        }
    }

    /// Saves memory: keeps only the partition with the largest lag, and only the lanes that wait.
    private mutating func trimmed(_ line: ThroughputLine) -> ThroughputLine {
        var line = line
        line.group = shared(line.group)
        line.worker = shared(line.worker)
        line.version = shared(line.version)
        if line.lag.largest == nil {
            line.lag.largest = line.lag.partitions.max { $0.records < $1.records }.flatMap { $0.records > 0 ? $0 : nil }
        }
        line.lag.partitions = []
        line.lanes.removeAll { $0.waitingFor == nil }
        return line
    }

    /// Interns a name, so that the lines of a day share one copy.
    private mutating func shared(_ name: String) -> String {
        if let name = names[name] { return name }
        names[name] = name
        return name
    }

    /// Sorts the lines into runs and drops duplicates; called once, after the last log.
    package mutating func arrange() {
        var arranged: [WorkerRun] = []
        for (key, lines) in samples {
            // Times have milliseconds, so lines of the same time keep their log's order.
            let sorted = lines.sorted {
                ($0.time, $0.source, $0.order) < ($1.time, $1.source, $1.order)
            }
            var kept: [WorkerRun.Sample] = []
            for sample in sorted {
                if let last = kept.last, last.time == sample.time, last.line == sample.line {
                    sources[sample.source].repeated += 1
                } else {
                    kept.append(sample)
                }
            }
            arranged += WorkerRun.runs(of: key, kept)
        }
        samples = [:]
        runs = arranged.sorted {
            ($0.firstTime, $0.key.worker, $0.key.group) < ($1.firstTime, $1.key.worker, $1.key.group)
        }
        for index in runs.indices { runs[index].number = index + 1 }
        events = events.enumerated().sorted { ($0.element.event.time, $0.offset) < ($1.element.event.time, $1.offset) }
            .map(\.element)
        var unique: [Event] = []
        for event in events where unique.last != event { unique.append(event) }
        events = unique
    }

    /// A survey of the chosen runs alone. Keeps events up to a minute around them that name no worker or one of theirs.
    package func only(runs chosen: [WorkerRun]) -> LogSurvey {
        var survey = self
        survey.runs = chosen
        let workers = Set(chosen.map(\.key.worker))
        let span = chosen.reduce(into: (Double.infinity, -Double.infinity)) { span, run in
            span = (min(span.0, run.firstTime), max(span.1, run.lastTime))
        }
        survey.events = events.filter { event in
            span.0 - 60...span.1 + 60 ~= event.event.time && event.worker.map(workers.contains) ?? true
        }
        return survey
    }

    /// Whether no log had a throughput line; true before ``arrange()``.
    package var isEmpty: Bool { runs.isEmpty }
}
