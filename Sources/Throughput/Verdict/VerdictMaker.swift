import Worker

/// Makes a ``Verdict`` from a second's line and those of the minute before.
struct VerdictMaker {
    /// The second's line, complete but for its verdict.
    let line: ThroughputLine
    /// Lines of the last minute, the newest last; the last one is `line`.
    let recent: [ThroughputLine]
    let condition: WorkerCondition
    /// The latest throttle of each lane.
    let throttles: [LaneThrottle]
    let now: ContinuousClock.Instant
    /// Freshness objective in seconds.
    let objective: Double

    var verdict: Verdict {
        switch condition {
        case .unreachable(let silence): unreachable(silence)
        case .topicMissing(let topics): topicMissing(topics)
        case .stuck(let lanes): stuck(lanes)
        case .joining(let lanes): joining(lanes)
        case .stalled(let lanes): stalled(lanes)
        case .restoring: deadLetters ?? restoring
        case .working: deadLetters ?? working
        }
    }

    private func say(
        _ kind: Verdict.Kind, _ tone: Verdict.Tone, _ title: String, _ rest: String?, _ more: [String?],
        runbook: String? = nil
    ) -> Verdict {
        Verdict(
            kind: kind, tone: tone, title: title, line: rest.map { "\(title): \($0)" } ?? title,
            more: (more + throttled + heldBack + waits).compactMap(\.self).joined(separator: " "),
            runbook: isHeldBack(kind) ? "open-transactions" : runbook)
    }

    /// Whether an open transaction is the cause to act on: it explains a lag, but neither dead letters nor a lane that
    /// is not at work.
    private func isHeldBack(_ kind: Verdict.Kind) -> Bool {
        guard !line.lag.heldBack.isEmpty else { return false }
        return switch kind {
        case .unreachable, .topicMissing, .stuck, .joining, .deadLetters: false
        case .stalled, .restoring, .unknown, .behind, .keepingUp, .idle: true
        }
    }

    // MARK: - Obstacles

    private func unreachable(_ silence: LagBoard.Silence) -> Verdict {
        var said = say(
            .unreachable, .bad, "No answer from the brokers", nil,
            [
                silence.reason.map { "\($0)." },
                "The worker goes on by itself when they answer; a restart does not help.",
            ], runbook: "rejoinderunreachable")
        said.line += " for \(FigureText.duration(silence.seconds.rounded())); the figures are as of then"
        return said
    }

    private func topicMissing(_ topics: [String]) -> Verdict {
        let isOne = topics.count == 1
        return say(
            .topicMissing, .bad, isOne ? "Topic missing" : "Topics missing",
            "\(topics.joined(separator: ", ")) \(isOne ? "was" : "were") deleted while the worker runs",
            [
                "Create \(isOne ? "it" : "them") again (rejoinder topics create); after an input topic, restart the "
                    + "workers.",
                through,
            ], runbook: "rejoindertopicmissing")
    }

    private func stuck(_ lanes: [LaneReading]) -> Verdict {
        let longest = lanes.map { now - $0.content.turned }.max() ?? .zero
        let names = lanes.map { String($0.lane) }.joined(separator: ", ")
        return say(
            .stuck, .bad, lanes.count == 1 ? "A lane does not turn" : "Lanes do not turn",
            "\(lanes.count == 1 ? "lane" : "lanes") \(names) for "
                + "\(FigureText.duration((longest / .seconds(1)).rounded()))",
            [
                line.lag.total.map { "Lag \(FigureText.whole($0))." },
                "A call waits for a broker or a disk, and goes on by itself when that answers.",
            ], runbook: "rejoinderlanestalled")
    }

    private func joining(_ lanes: [LaneReading]) -> Verdict {
        let since = lanes.compactMap { $0.content.wait?.since }.min()
        let seconds = since.map { max(0, (now - $0) / .seconds(1)) } ?? 0
        let names = lanes.map { String($0.lane) }.joined(separator: ", ")
        return say(
            .joining, seconds < WorkerCondition.commitLimit / .seconds(1) ? .fair : .bad, "No place in the group",
            "\(lanes.count == 1 ? "lane" : "lanes") \(names) \(lanes.count == 1 ? "has" : "have") waited "
                + "\(FigureText.duration(seconds.rounded())) for the group to assign partitions", [],
            runbook: "rejoinderlanewaiting")
    }

    private func stalled(_ lanes: [LaneReading]) -> Verdict {
        let longest = lanes.map(\.standing).max() ?? .zero
        let lag = line.lag.total.map { $0 == 1 ? "1 record waits and " : "\(FigureText.whole($0)) records wait and " }
        return say(
            .stalled, .bad, "Stalled",
            "\(lag ?? "")nothing was committed for \(FigureText.duration((longest / .seconds(1)).rounded()))",
            [whereTimeGoes.map { "\($0)." }], runbook: "rejoindernocommits")
    }

    // MARK: - Dead letters

    /// nil where dead letters are under 1% of the records, too few for the verdict's title.
    private var deadLetters: Verdict? {
        let dead = recent.reduce(0) { $0 + $1.deadLettersTotal }
        let read = recent.reduce(0) { $0 + $1.recordsRead }
        guard dead > 0, dead * 100 >= read else { return nil }
        var codes: [String: Int] = [:]
        for one in recent { codes.merge(one.deadLetters, uniquingKeysWith: +) }
        let listed = codes.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) \(FigureText.whole($0.value))" }.joined(separator: ", ")
        let isAll = dead >= read
        let share = Double(dead) / Double(max(read, dead))
        let of = "\(FigureText.whole(dead)) in the last minute (\(listed))"
        return say(
            .deadLetters, share >= 0.5 ? .bad : .fair, isAll ? "All records become dead letters" : "Dead letters",
            isAll ? of : "\(FigureText.percent(share)) of the records, \(of)",
            [through, line.lag.total.map { "Lag \(FigureText.whole($0))." }], runbook: "rejoinderdeadletters")
    }

    // MARK: - Progress

    private var restoring: Verdict {
        let parts = line.store.restoring
        guard !parts.isEmpty else { return restoringIndex }
        let known = parts.filter { $0.of ?? 0 > 0 }
        let all = known.reduce(0) { $0 + ($1.of ?? 0) }
        let done = known.reduce(0) { $0 + min($1.done, $1.of ?? 0) }
        let share = all > 0 ? ", \(FigureText.percent(Double(done) / Double(all))) done" : ""
        return say(
            .restoring, .restoring, "Restoring",
            "answers and votes of \(FigureText.counted(parts.count, "partition"))\(share)",
            [
                "\(parts.count == 1 ? "Its questions wait" : "Their questions wait") until then"
                    + (line.lag.total.map { "; lag \(FigureText.whole($0))." } ?? ".")
            ], runbook: "rejoinderrestoretoolong")
    }

    /// Source lanes restore their index before they read records.
    private var restoringIndex: Verdict {
        let parts = line.lanes.compactMap(\.sourceIndex)
        let all = parts.reduce(0) { $0 + ($1.of ?? 0) }
        let done = parts.reduce(0) { $0 + min($1.done, $1.of ?? 0) }
        let share = all > 0 ? ", \(FigureText.percent(Double(done) / Double(all))) done" : ""
        return say(
            .restoring, .restoring, "Restoring", "the index of the sources\(share)",
            [
                "Records of the sources wait until then"
                    + (line.lag.total.map { "; lag \(FigureText.whole($0))." } ?? ".")
            ])
    }

    private var working: Verdict {
        guard let lag = line.lag.total else {
            return say(
                .unknown, .fair, "Lag not known yet",
                "not every lane has its partitions and has seen how far it is in them", [through])
        }
        if Backlog.isBehind(lag: lag, seconds: line.lag.seconds, perSecond: speed, objective: objective) {
            return behind(lag)
        }
        if line.state == .idle, speed < 0.05 {
            return say(.idle, .good, "Idle", "nothing to do, lag \(FigureText.whole(lag))", [])
        }
        let tables = Double(line.answers + line.votes) / max(line.seconds, 0.001)
        let rate =
            line.recordsIn == 0 && speed < 0.05 && tables > 0
            ? "\(FigureText.tenths(tables)) answers and votes/s" : "\(FigureText.tenths(speed)) records/s"
        return say(.keepingUp, .good, "Keeping up", "\(rate), lag \(FigureText.whole(lag))", [largestShares])
    }

    private func behind(_ lag: Int64) -> Verdict {
        let steep = max(1, speed * 0.01)
        let oldest =
            line.lag.seconds.map { "the oldest record has waited \(FigureText.duration($0.rounded())), " } ?? ""
        let figures = "\(oldest)lag \(FigureText.whole(lag))"
        let time = whereTimeGoes.map { "; \($0)" } ?? ""
        guard let growth else {
            return say(.behind, .fair, "Behind", figures + time, [through], runbook: "rejoinderlaggrowing")
        }
        if growth > steep {
            return say(
                .behind, .bad, "Falling behind", "\(figures), growing by \(FigureText.tenths(growth))/s\(time)",
                [through],
                runbook: "rejoinderlaggrowing")
        }
        if growth < -steep {
            return say(
                .behind, .fair, "Catching up", "\(figures), shrinking by \(FigureText.tenths(-growth))/s",
                [
                    "At this speed it is over in \(FigureText.duration((Double(lag) / -growth).rounded())).", through,
                    whereTimeGoes.map { "\($0)." },
                ])
        }
        return say(
            .behind, .fair, "Behind", "\(figures), neither growing nor shrinking\(time)", [through],
            runbook: "rejoinderlaggrowing")
    }

    // MARK: - Figures

    private var lastTen: ArraySlice<ThroughputLine> { recent.suffix(10) }

    private var speed: Double {
        lastTen.reduce(0) { $0 + $1.recordsWorkedOnPerSecond } / Double(max(1, lastTen.count))
    }

    private var through: String? {
        speed < 0.05 ? nil : "\(FigureText.tenths(speed)) records/s come through."
    }

    /// Growth of the lag in records a second (least squares); nil with fewer than 3 points or 5 s.
    private var growth: Double? {
        // Skips seconds before the last change of partitions or restore, which would look like growth.
        let parts = line.lag.partitions.count
        let from = recent.lastIndex { $0.lag.partitions.count != parts || $0.state == .restoring } ?? -1
        let points = recent[(from + 1)...].compactMap { one in
            one.lag.total.map { (x: one.uptimeSeconds, y: Double($0)) }
        }
        guard points.count >= 3, let first = points.first, let last = points.last, last.x - first.x >= 5 else {
            return nil
        }
        let (x, y) = (
            points.reduce(0) { $0 + $1.x } / Double(points.count), points.reduce(0) { $0 + $1.y } / Double(points.count)
        )
        let spread = points.reduce(0) { $0 + ($1.x - x) * ($1.x - x) }
        return points.reduce(0) { $0 + ($1.x - x) * ($1.y - y) } / spread
    }

    private var shares: ThroughputLine.TimeShares? { .mean(Array(lastTen)) }

    /// "62% of the time goes into committing"
    private var whereTimeGoes: String? {
        guard let shares,
            let most = LaneActivity.allCases.filter({ $0 != .idle }).max(by: { shares[$0] < shares[$1] }),
            shares[most] >= 0.005
        else { return nil }
        return "\(FigureText.percent(shares[most])) of the time goes into \(most.title)"
    }

    /// "Of the lanes' time: 41% idle, 22% producing."
    private var largestShares: String? {
        guard let shares else { return nil }
        let parts = LaneActivity.allCases.filter { shares[$0] >= 0.005 }.sorted { shares[$0] > shares[$1] }.prefix(3)
            .map { "\(FigureText.percent(shares[$0])) \($0.title)" }
        return parts.isEmpty ? nil : "Of the lanes’ time: \(parts.joined(separator: ", "))."
    }

    /// Waits of lanes from 2 s on, the longest first.
    private var waits: [String?] {
        line.lanes.filter { $0.waitingFor != nil && $0.waitingSeconds ?? 0 >= 2 }
            .sorted { $0.waitingSeconds ?? 0 > $1.waitingSeconds ?? 0 }
            .map { lane in
                let cause = lane.waitingCause.map { " (\($0))" } ?? ""
                return
                    "\(lane.sources == nil ? "Lane" : "Source lane") \(lane.lane) waits for \(lane.waitingFor ?? ""), "
                    + "for \(FigureText.duration((lane.waitingSeconds ?? 0).rounded()))\(cause)."
            }
    }

    private var throttled: [String?] {
        throttles.filter { now - $0.at < .seconds(10) }.max { $0.seconds < $1.seconds }.map { throttle in
            [
                "A quota of the cluster's delays answers: broker \(throttle.broker) the last by "
                    + "\(FigureText.duration(throttle.seconds))."
            ]
        } ?? []
    }

    private var heldBack: [String?] {
        line.lag.heldBack.prefix(3).map { held in
            let place = "--topic \(held.topic) --partition \(held.partition)"
            let tool = "kafka-transactions.sh --bootstrap-server BROKER"
            return "An open transaction holds back \(FigureText.counted(Int(held.records), "record")) of \(held.topic) "
                + "[\(held.partition)] from offset \(held.from) on: \(tool) describe-producers \(place) names its "
                + "producer, \(tool) abort \(place) --start-offset \(held.from) ends it."
        }
    }
}
