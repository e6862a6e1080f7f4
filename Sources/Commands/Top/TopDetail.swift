import Throughput
import Worker

/// One worker, laid out in `columns` and `rows`; more room shows more figures.
struct TopDetail {
    let worker: TopModel.Worker
    let status: TopModel.Status
    let columns: Int
    let rows: Int
    let columnSeconds: Double
    let glyphs: TopGlyphs
    let now: ContinuousClock.Instant

    static func state(_ worker: TopModel.Worker, _ status: TopModel.Status) -> (String, TopText.Style) {
        switch status {
        case .waiting: return ("waiting", .dim)
        case .lost: return (worker.latest == nil ? "unreachable" : "lost", .bad)
        case .ended: return ("ended", .warn)
        case .live: break
        }
        if let verdict = worker.latest?.verdict {
            let style: TopText.Style =
                switch verdict.tone {
                case .good: verdict.kind == .idle ? .cyan : .good
                case .fair, .restoring: .warn
                case .bad: .bad
                }
            return (verdict.kind.rawValue, style)
        }
        switch worker.latest?.state {
        case .working: return ("working", .good)
        case .idle: return ("idle", .cyan)
        case .restoring: return ("restoring", .warn)
        case .stalled: return ("stalled", .bad)
        case nil: return ("waiting", .dim)
        }
    }

    var lines: [TopText] {
        guard let line = worker.latest else { return head }
        var lines = head
        var notices = notices(line)
        let isRoomy = rows >= 18 && columns >= 60
        if rows - lines.count < 8 { notices = Array(notices.prefix(1)) }
        lines += notices.prefix(max(1, rows / 5))
        if isRoomy { lines.append(TopText()) }
        lines += rates(line).prefix(rows >= 17 ? 6 : rows >= 11 ? 4 : 3)
        guard isRoomy else {
            lines += [latencyInShort(line), timeInShort(line), troubleInShort(line), processInShort(line)]
            if rows - lines.count > 2 { lines += [TopText()] + partitions(line, rows - lines.count - 1, columns) }
            return Array(lines.prefix(rows))
        }
        lines.append(TopText())
        var left = rows - lines.count
        var lanes = self.lanes(line)
        // Lanes are shown only where they displace no other block.
        if lanes.count > left - 16 { lanes = [] }
        left -= lanes.isEmpty ? 0 : lanes.count + 1
        lines += body(line, left)
        if !lanes.isEmpty {
            while lines.count < rows - lanes.count { lines.append(TopText()) }
            lines += lanes
        }
        return lines
    }

    // MARK: - Head and notices

    private var head: [TopText] {
        let (state, style) = Self.state(worker, status)
        var line = TopText("\(glyphs.dot) \(state)", style)
        switch status {
        case .waiting:
            line.add("  nothing has come yet from \(glyphs.name(worker.place))", .dim)
            return [line]
        case .lost(let reason, let since):
            let seconds = max(0, (now - since) / .seconds(1))
            line.add("  \(glyphs.name(reason))")
            line.add("  for \(FigureText.duration(seconds.rounded())), trying again", .dim)
            var advice = TopText()
            if worker.latest == nil {
                advice.add("  see that a worker runs there and that this is its admin address or log", .dim)
            } else {
                advice.add("  below: the last that was heard of it", .dim)
            }
            return [line, advice]
        case .ended(let reason):
            line.add("  \(glyphs.name(reason))", .dim)
        case .live: break
        }
        guard let latest = worker.latest else { return [line] }
        line.add("  \(glyphs.name(latest.worker))", .bold)
        line.add("  up \(FigureText.duration(latest.uptimeSeconds.rounded()))")
        line.add("  \(FigureText.counted(latest.store.partitions, "partition"))")
        if latest.lanes.count > 1 { line.add("  \(latest.lanes.count) lanes") }
        line.add("  \(glyphs.name(latest.version))", .dim)
        return [line]
    }

    private func notices(_ line: ThroughputLine) -> [TopText] {
        var notices: [TopText] = []
        if let verdict = line.verdict, status == .live {
            let (_, style) = Self.state(worker, status)
            notices.append(TopText("  \(glyphs.name(verdict.line))", style))
            // Each partition that is held back has a line of its own.
            for sentence in line.lag.heldBack.prefix(2) {
                notices.append(
                    TopText(
                        "  an open transaction holds back \(sentence.records) of \(glyphs.name(sentence.topic))"
                            + "/\(sentence.partition) from offset \(sentence.from)", .warn))
            }
        }
        for lane in line.lanes {
            guard let reason = lane.waitingFor, lane.waitingSeconds ?? 0 >= 1 else { continue }
            let seconds = lane.waitingSeconds ?? 0
            var notice = TopText("  \(lane.name) waits", line.state == .stalled ? .bad : .warn)
            notice.add(" \(FigureText.duration(seconds.rounded())) for \(glyphs.name(reason))")
            if let cause = lane.waitingCause { notice.add(": \(glyphs.name(cause))", .dim) }
            notices.append(notice)
        }
        for restore in line.store.restoring {
            var notice = TopText("  restoring partition \(restore.partition)  ", .warn)
            if let all = restore.of, all > 0 {
                let share = min(1, Double(restore.done) / Double(all))
                notice.left(glyphs.bar(share, 16), 16, .warn)
                notice.add(" \(FigureText.percent(share)) of \(FigureText.short(Double(all))) records")
                if share > 0.01, share < 1, restore.seconds > 1 {
                    notice.add(", \(FigureText.duration((restore.seconds / share * (1 - share)).rounded())) left", .dim)
                }
            } else {
                notice.add(
                    "\(FigureText.short(Double(restore.done))) records in \(FigureText.duration(restore.seconds))")
            }
            notices.append(notice)
        }
        return notices
    }

    // MARK: - Rates

    private func rates(_ line: ThroughputLine) -> [TopText] {
        let hasBytes = columns >= 60
        let room = columns - 19 - (hasBytes ? 12 : 0)
        func row(
            _ name: String, _ value: String, _ bytes: Double?, _ style: TopText.Style,
            _ points: (TopModel.Point) -> Double?
        ) -> TopText {
            var row = TopText(name)
            row.pad(to: 8)
            row.right(value, 10, .bold)
            if hasBytes { row.right(bytes.map { "\(FigureText.bytes($0))/s" } ?? "", 12, .dim) }
            row.add(" ")
            row.add(glyphs.spark(worker.columns(room, seconds: columnSeconds, points)), style)
            return row
        }
        let seconds = max(line.seconds, 0.001)
        let tables = Double(line.answers + line.votes) / seconds
        let waiting = line[.waitingQuestions].map { waiting in
            [row("waiting", FigureText.whole(Int(waiting)), nil, .warn, \.waiting)]
        }
        return [
            row("in", "\(FigureText.short(line.recordsInPerSecond))/s", line.bytesInPerSecond, .blue, \.recordsIn),
            row("lag", line.lag.total.map(FigureText.whole) ?? "-", nil, .warn, \.lag),
            row("p99", line.latencyMs.map { FigureText.milliseconds($0.p99) } ?? "-", nil, .magenta, \.p99),
            row("out", "\(FigureText.short(line.recordsOutPerSecond))/s", line.bytesOutPerSecond, .good, \.recordsOut),
            row("tables", "\(FigureText.short(tables))/s", nil, .cyan, \.tables),
        ] + (waiting ?? [])
    }

    // MARK: - Body: blocks side by side

    private func body(_ line: ThroughputLine, _ rows: Int) -> [TopText] {
        let gap = 3
        let count = columns >= 150 ? 3 : 2
        let width = (columns - gap * (count - 1)) / count
        let time = self.time(line, width)
        let troubles = self.troubles(line)
        let latency = self.latency(line, width)
        var blocks: [[TopText]]
        if count == 3 {
            blocks = [time, latency + [TopText()] + troubles, partitions(line, rows, width)]
        } else {
            let left =
                rows - time.count >= troubles.count + 1
                ? time + [TopText()] + troubles : time + troubles.prefix(max(0, rows - time.count))
            let right = latency + [TopText()] + partitions(line, rows - latency.count - 1, width)
            blocks = [left, right]
        }
        blocks = blocks.map { Array($0.prefix(rows)) }
        return (0..<(blocks.map(\.count).max() ?? 0)).map { row in
            var joined = TopText()
            for (index, block) in blocks.enumerated() where row < block.count {
                joined.pad(to: index * (width + gap))
                joined.add(block[row].cut(width))
            }
            return joined
        }
    }

    private static let parts: [(activity: LaneActivity, style: TopText.Style)] = {
        let styles: [TopText.Style] = [.magenta, .blue, .cyan, .good, .warn, .bad, .plain, .plain, .dim]
        return Array(zip(LaneActivity.inOrderOfStep, styles))
    }()

    private func time(_ line: ThroughputLine, _ width: Int) -> [TopText] {
        var lines = [TopText("where the time goes", .bold)]
        for part in Self.parts {
            let share = line.timeShares[part.activity]
            var row = TopText(part.activity.title)
            row.pad(to: 17)
            row.right(FigureText.percent(share), 6, share >= 0.005 ? .plain : .dim)
            row.add(" ")
            row.add(glyphs.bar(share, max(0, width - 24)), part.style)
            lines.append(row)
        }
        return lines
    }

    private func latency(_ line: ThroughputLine, _ width: Int) -> [TopText] {
        let name = width >= 46 ? 14 : 8
        let cell = max(7, (width - name) / 4)
        var heading = TopText()
        heading.left("latency", name, .bold)
        for part in ["p50", "p90", "p99", "max"] { heading.right(part, cell, .dim) }
        let rows: [(String, String, ThroughputLine.Percentiles?)] = [
            ("from poll", "poll", line.latencyMs), ("from event", "event", line.eventLatencyMs),
            ("commit", "commit", line.commitLatencyMs),
        ]
        return [heading]
            + rows.map { long, short, percentiles in
                var row = TopText()
                row.left(name > 8 ? long : short, name)
                for value in [percentiles?.p50, percentiles?.p90, percentiles?.p99, percentiles?.max] {
                    row.right(value.map(Self.time) ?? "-", cell)
                }
                return row
            }
    }

    /// In at most six cells: `8.92ms`, `1.20s`.
    private static func time(_ milliseconds: Double) -> String {
        if milliseconds < 1000 { return FigureText.amount(milliseconds) + "ms" }
        let seconds = milliseconds / 1000
        if seconds < 600 { return FigureText.amount(seconds) + "s" }
        return seconds < 86_400 ? "\(Int(seconds / 60))min" : "\(Int(min(seconds / 86_400, 1e6)))d"
    }

    private func troubles(_ line: ThroughputLine) -> [TopText] {
        let since = worker.began.map { " since \(FigureText.clock($0).prefix(5))" } ?? ""
        var dead = TopText("dead letters ", .bold)
        let total = worker.deadLettersTotal
        dead.add(FigureText.whole(total), total > 0 ? .warn : .good)
        dead.add(since, .dim)
        var lines = [dead]
        let codes = worker.deadLetters.prefix(3).map { "\(glyphs.name($0.code)) \(FigureText.whole($0.count))" }
        if !codes.isEmpty { lines.append(TopText("  " + codes.joined(separator: ", "))) }
        var commits = TopText("aborts ", .bold)
        commits.add(FigureText.whole(worker.aborts), worker.aborts > 0 ? .warn : .plain)
        commits.add("  rebalances ", .bold)
        commits.add(FigureText.whole(worker.rebalances))
        lines.append(commits)
        lines += changes(line)
        var process = TopText("cpu ", .bold)
        process.add(FigureText.amount(line.process.cpuCores))
        process.add(" memory ", .bold)
        process.add(FigureText.bytes(Double(line.process.residentBytes)))
        process.add(" store ", .bold)
        process.add(FigureText.bytes(Double(line.store.bytes)))
        lines.append(process)
        let (answers, votes) = (
            FigureText.short(Double(line.store.answers)), FigureText.short(Double(line.store.votes))
        )
        lines.append(TopText("  \(answers) answers, \(votes) votes stored", .dim))
        return lines
    }

    /// Where published records follow changes: records published again by cause, and the age of the oldest change.
    private func changes(_ line: ThroughputLine) -> [TopText] {
        guard let age = line[.waitingAge] else { return [] }
        let seconds = max(line.seconds, 0.001)
        func rate(_ count: Int) -> String { FigureText.short(Double(count) / seconds) + "/s" }
        var again = TopText("again ", .bold)
        again.add("answers \(rate(line.republishedByAnswers))  votes \(rate(line.republishedByVotes))")
        var oldest = TopText("  unseen \(rate(line.unseenChanges))  oldest change ", .dim)
        oldest.add(FigureText.milliseconds(age * 1000), age > 10 * max(1, line[.coalesce] ?? 0) ? .warn : .plain)
        return [again, oldest]
    }

    private func partitions(_ line: ThroughputLine, _ rows: Int, _ width: Int) -> [TopText] {
        guard rows >= 2 else { return [] }
        var heading = TopText("lag by partition", .bold)
        let behind = line.lag.partitions.filter { $0.records > 0 }
            .sorted { ($1.records, $0.topic, $0.partition) < ($0.records, $1.topic, $1.partition) }
        guard !behind.isEmpty else {
            heading.add(line.lag.total == 0 ? "  nothing waits" : "", .good)
            return [heading]
        }
        let hidden = behind.count - (rows - 1)
        heading.add(hidden > 0 ? "  \(rows - 1) of \(behind.count)" : "  largest first", .dim)
        let largest = Double(behind[0].records)
        let name = min(max(14, width / 2), 32)
        return [heading]
            + behind.prefix(rows - 1).map { place in
                var row = TopText()
                let number = "/\(place.partition)"
                let topic = TopText.cut(glyphs.name(place.topic), name - number.count)
                row.left(topic + number, name)
                row.right(FigureText.short(Double(place.records)), 7)
                row.add(" ")
                row.add(glyphs.bar(Double(place.records) / largest, max(0, width - name - 8)), .warn)
                return row
            }
    }

    private func lanes(_ line: ThroughputLine) -> [TopText] {
        guard line.lanes.count > 1 else { return [] }
        var heading = TopText()
        let width = line.lanes.contains { $0.sources != nil } ? 16 : 6
        heading.left("lane", width, .bold)
        for (title, cells) in [("partitions", 12), ("in/s", 9), ("out/s", 9), ("lag", 9), ("busy", 7)] {
            heading.right(title, cells, .dim)
        }
        heading.add("  waits for", .dim)
        let seconds = max(line.seconds, 0.001)
        return [heading]
            + line.lanes.map { lane in
                var row = TopText()
                row.left(lane.sources == nil ? "\(lane.lane)" : lane.name, width)
                row.right("\(lane.partitionCount)", 12)
                row.right(FigureText.short(Double(lane.consumed) / seconds), 9)
                row.right(FigureText.short(Double(lane.published) / seconds), 9)
                row.right(lane.lag.map { FigureText.short(Double($0)) } ?? "-", 9)
                row.right(FigureText.percent(max(0, 1 - lane.timeShares[.idle])), 7)
                if let reason = lane.waitingFor { row.add("  " + glyphs.name(reason), .warn) }
                return row
            }
    }

    // MARK: - Short forms for small screens

    private func latencyInShort(_ line: ThroughputLine) -> TopText {
        var text = TopText("latency ", .bold)
        guard let latency = line.latencyMs else {
            text.add("nothing was published", .dim)
            return text
        }
        text.add("p50 \(Self.time(latency.p50)) p99 \(Self.time(latency.p99)) max \(Self.time(latency.max))")
        return text
    }

    private func timeInShort(_ line: ThroughputLine) -> TopText {
        var text = TopText("time ", .bold)
        let parts = Self.parts.map { ($0.activity.title, line.timeShares[$0.activity]) }.sorted { $0.1 > $1.1 }
        for (name, share) in parts.prefix(columns >= 60 ? 4 : 2) {
            text.add("\(name) \(FigureText.percent(share))  ")
        }
        return text
    }

    private func troubleInShort(_ line: ThroughputLine) -> TopText {
        var text = TopText("dead letters ", .bold)
        let total = worker.deadLettersTotal
        text.add(FigureText.whole(total), total > 0 ? .warn : .plain)
        text.add(" aborts \(FigureText.whole(worker.aborts)) rebalances \(FigureText.whole(worker.rebalances))")
        return text
    }

    private func processInShort(_ line: ThroughputLine) -> TopText {
        TopText(
            "cpu \(FigureText.amount(line.process.cpuCores)) memory "
                + "\(FigureText.bytes(Double(line.process.residentBytes))) store "
                + "\(FigureText.bytes(Double(line.store.bytes)))",
            .dim)
    }
}
