import Throughput
import Worker

/// The figures of a run, in the order of every report format.
struct FigureList: Sendable {
    /// A figure: the way to read it from a run, and to write it for a reader.
    struct Figure: Sendable {
        /// The direction in which a change of the figure is an improvement.
        enum Better: Sendable {
            case more
            case less
        }

        /// The heading under which text and page list the figure; the first column of the CSV.
        let section: String
        /// The second column of the CSV; unique within its section.
        let name: String
        /// nil: the run has none.
        let value: @Sendable (RunFigures) -> Double?
        /// Writes a value with its unit.
        let text: @Sendable (Double) -> String
        /// nil: neither direction is better.
        let better: Better?

        /// The figure of a run for a reader; a dash where the run has none.
        func text(_ figures: RunFigures) -> String { value(figures).map(text) ?? "–" }
    }

    /// In the order of the report: sections are contiguous.
    private(set) var figures: [Figure] = []

    /// Lists the figures that at least one of these runs has.
    init(for runs: [RunFigures]) {
        addRecords()
        addLag()
        addGauges()
        addLatency("poll to acknowledged", \.latency)
        addLatency("event time to acknowledged", \.eventLatency)
        addLatency("commit", \.commitLatency)
        addTroubles(codes: Set(runs.flatMap { $0.deadLetters.filter { $0.value > 0 }.keys }).sorted())
        addTime()
        addProcess()
        figures.removeAll { figure in runs.allSatisfy { figure.value($0) == nil } }
    }

    private mutating func add(
        _ section: String, _ name: String, _ better: Figure.Better? = nil, text: @escaping @Sendable (Double) -> String,
        _ value: @escaping @Sendable (RunFigures) -> Double?
    ) {
        figures.append(Figure(section: section, name: name, value: value, text: text, better: better))
    }

    private mutating func count(
        _ section: String, _ name: String, _ better: Figure.Better? = nil,
        _ value: @escaping @Sendable (RunFigures) -> Int
    ) {
        add(section, name, better, text: { FigureText.whole(Int($0)) }, { Double(value($0)) })
    }

    private mutating func counts(_ section: String, _ group: LaneCounter.Group) {
        for (total, field) in LaneCounter.logged where field.group == group {
            count(section, field.title, field.isTrouble ? .less : nil) { $0.counts[keyPath: total] }
        }
    }

    private mutating func addRecords() {
        add("Records", "length of the run", text: FigureText.duration) { $0.seconds }
        count("Records", "question events in") { $0.recordsIn }
        add("Records", "question events a second", .more, text: FigureText.amount) { $0.inPerSecond }
        add("Records", "the best interval, a second", .more, text: FigureText.amount) { $0.peakIn }
        add("Records", "bytes in a second", text: FigureText.bytes) { $0.bytesInPerSecond }
        count("Records", "enriched records out") { $0.recordsOut }
        add("Records", "enriched records a second", .more, text: FigureText.amount) { $0.outPerSecond }
        add("Records", "bytes out a second", text: FigureText.bytes) { $0.bytesOutPerSecond }
        counts("Records", .content)
        add("Records", "table records a second", .more, text: FigureText.amount) { $0.tablesPerSecond }
        add("Records", "the best interval, table records a second", .more, text: FigureText.amount) { $0.peakTables }
    }

    private mutating func addLag() {
        add("Lag", "largest, records", .less, text: FigureText.whole) { $0.lagLargest.map(Double.init) }
        add("Lag", "at the end, records", .less, text: FigureText.whole) { $0.lagEnd.map(Double.init) }
    }

    private mutating func addGauges() {
        for gauge in LaneGauge.allCases {
            let text: @Sendable (Double) -> String
            switch gauge.unit {
            case .count: text = FigureText.whole
            case .seconds: text = { FigureText.milliseconds($0 * 1000) }
            }
            add("Largest", gauge.title, gauge.isSetting ? nil : .less, text: text) { $0.largestGauges[gauge] }
        }
    }

    private mutating func addLatency(_ name: String, _ latency: @escaping @Sendable (RunFigures) -> RunFigures.Latency?)
    {
        let parts: [(String, @Sendable (RunFigures.Latency) -> Double)] = [
            ("p50", { $0.p50 }), ("p90", { $0.p90 }), ("p99", { $0.p99 }),
            ("p99 of the worst interval", { $0.worstP99 }),
            ("max", { $0.max }),
        ]
        for (part, value) in parts {
            add("Latency, \(name)", part, .less, text: FigureText.milliseconds) { latency($0).map(value) }
        }
    }

    private mutating func addTroubles(codes: [String]) {
        count("Dead letters", "all", .less) { $0.deadLettersTotal }
        for code in codes { count("Dead letters", code, .less) { $0.deadLetters[code] ?? 0 } }
        counts("Commits", .steps)
        count("Commits", "offset resets", .less) { $0.offsetResets }
        count("Commits", "restarts in these logs", .less) { $0.restarts }
    }

    private mutating func addTime() {
        for activity in LaneActivity.inOrderOfStep {
            add("Where the time went", activity.title, text: FigureText.percent) { $0.shares?[activity] }
        }
        let hindrances: [(String, Verdict.Kind)] = [
            ("no broker answers", .unreachable), ("a topic is missing", .topicMissing),
            ("no place in the group", .joining),
        ]
        for (name, kind) in hindrances {
            add("States", name, .less, text: FigureText.duration) { $0.secondsByKind[kind] }
        }
        add("States", "stalled", .less, text: FigureText.duration) { $0.stalledSeconds }
        add("States", "behind", .less, text: FigureText.duration) { $0.behindSeconds }
        add("States", "restoring", .less, text: FigureText.duration) { $0.restoringSeconds }
        add("States", "idle", text: FigureText.duration) { $0.idleSeconds }
    }

    private mutating func addProcess() {
        add("Process", "CPU per record, table records included", .less, text: Self.microseconds) { $0.cpuMicroseconds }
        add("Process", "CPU cores busy", text: FigureText.amount) { $0.cpuCores }
        add("Process", "largest resident memory of a worker", .less, text: FigureText.bytes) {
            Double($0.residentLargest)
        }
        add("Process", "stores at the end", text: FigureText.bytes) { Double($0.storeBytes) }
        count("Process", "stored answers at the end") { $0.storeAnswers }
        count("Process", "stored votes at the end") { $0.storeVotes }
    }

    private static let microseconds: @Sendable (Double) -> String = { "\(FigureText.amount($0)) µs" }
}
