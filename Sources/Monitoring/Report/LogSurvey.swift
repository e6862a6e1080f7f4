import Foundation

/// What throughput logs hold, put in order: runs of workers, and what else happened.
package struct LogSurvey: Sendable {
    /// How a log's lines were taken.
    package struct Source: Sendable, Equatable {
        package var name: String
        package var lines = 0
        package var throughput = 0
        package var events = 0
        package var torn = 0
        package var foreign = 0
        /// Lines of throughput that another place of the logs has too.
        package var repeated = 0

        package var skipped: Int { torn + foreign }
    }

    package struct Event: Sendable, Equatable {
        package var event: LogNote
        /// Whose it is, as far as the log tells.
        package var worker: String?
    }

    package private(set) var sources: [Source] = []
    /// In order of their beginnings; empty before ``arrange()``.
    package private(set) var runs: [WorkerRun] = []
    /// In order of time.
    package private(set) var events: [Event] = []
    private var samples: [WorkerRun.Key: [WorkerRun.Sample]] = [:]
    private var splitter = LineSplitter()
    private var worker: String?
    private var names: [String: String] = [:]

    package init() {}

    /// The bytes that follow belong to this log.
    package mutating func begin(_ name: String) {
        sources.append(Source(name: name))
        splitter.forget()
        worker = nil
    }

    /// - Parameter row: every throughput line as it comes.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, row: (ThroughputLine) -> Void = { _ in }) {
        var splitter = splitter
        self.splitter = LineSplitter()
        splitter.feed(bytes) { take($0, row: row) }
        self.splitter = splitter
    }

    /// The log ends here.
    package mutating func end(row: (ThroughputLine) -> Void = { _ in }) {
        var splitter = splitter
        splitter.finish { take($0, row: row) }
        self.splitter = splitter
    }

    package mutating func read(_ text: String, name: String) {
        begin(name)
        var text = text
        text.withUTF8 { feed(UnsafeRawBufferPointer($0)) }
        end()
    }

    private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, row: (ThroughputLine) -> Void) {
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

    /// What a report needs of a line: of partitions only the one that is furthest behind, of lanes only what they wait for.
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

    /// A day's lines share the few names that stand in them.
    private mutating func shared(_ name: String) -> String {
        if let name = names[name] { return name }
        names[name] = name
        return name
    }

    /// After the last log: makes the runs.
    package mutating func arrange() {
        var arranged: [WorkerRun] = []
        for (key, lines) in samples {
            // A log's own order settles what happened within a millisecond.
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

    /// One run of many, or some of its runs, as a survey of its own.
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

    package var isEmpty: Bool { runs.isEmpty }
    package var skipped: Int { sources.reduce(0) { $0 + $1.skipped } }
}
