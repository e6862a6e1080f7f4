import Throughput

/// The contents of the screen: the model laid out in `size`.
struct TopFrame {
    struct Size: Sendable, Equatable {
        var columns: Int
        var rows: Int
    }

    let model: TopModel
    let size: Size
    let glyphs: TopGlyphs
    /// The time of day, `16:20:31`.
    let clock: String
    let now: ContinuousClock.Instant

    /// At most `size.rows` lines, none wider than `size.columns`.
    var lines: [TopText] {
        guard size.rows > 0, size.columns > 0 else { return [] }
        var lines: [TopText] = []
        let hasTable = model.workers.count > 1
        lines.append(title(hasTable: hasTable))
        if hasTable {
            // Leaves room for at least the rates of the selected worker.
            lines += table(rows: max(3, min(model.workers.count + 2, (size.rows - 2) / 3)))
        }
        let left = size.rows - lines.count - (size.rows >= 8 ? 1 : 0)
        if left > 0, model.workers.indices.contains(model.selected) {
            let detail = TopDetail(
                worker: model.workers[model.selected], status: model.status(model.workers[model.selected]),
                columns: size.columns, rows: left, columnSeconds: model.columnSeconds, glyphs: glyphs, now: now)
            lines += detail.lines.prefix(left)
        }
        lines = lines.map { $0.cut(size.columns) }
        if size.rows >= 8 {
            while lines.count < size.rows - 1 { lines.append(TopText()) }
            lines.append(footer.cut(size.columns))
        }
        return Array(lines.prefix(size.rows))
    }

    private func title(hasTable: Bool) -> TopText {
        var line = TopText("rejoinder top", .bold)
        if hasTable {
            let live = model.workers.filter { model.status($0) == .live }.count
            line.add("  \(model.workers.count) workers")
            if live < model.workers.count { line.add(", \(model.workers.count - live) not heard of", .warn) }
        } else if let worker = model.workers.first {
            line.add("  \(glyphs.name(worker.place))")
        }
        let groups = Set(model.workers.compactMap { $0.latest?.group }).sorted()
        if let group = groups.first {
            line.add("  group ", .dim)
            line.add(glyphs.name(groups.count == 1 ? group : "\(group) and \(groups.count - 1) more"))
        }
        guard size.columns >= 24 else { return line }
        line = line.cut(max(0, size.columns - clock.count - 1))
        line.pad(to: size.columns - clock.count)
        line.add(clock, .dim)
        return line
    }

    private var footer: TopText {
        var line = TopText()
        var keys = [("q", "quit"), ("t", model.columnSeconds > 1 ? "1 s a column" : "10 s a column")]
        if model.workers.count > 1 { keys.append((glyphs.unicode ? "↑↓" : "j k", "worker")) }
        for (key, what) in keys {
            line.add(line.width > 0 ? "   " : "")
            line.add(key, .bold)
            line.add(" \(what)", .dim)
        }
        return line
    }

    // MARK: - The workers

    /// A heading, as many workers as fit, and their totals.
    private func table(rows: Int) -> [TopText] {
        let shown = max(1, rows - 2)
        let first = min(max(0, model.selected - shown / 2), max(0, model.workers.count - shown))
        let name = min(max(12, size.columns - 62), 40)
        let isWide = size.columns >= 70
        var heading = TopText("  ")
        heading.left("worker", name, .dim)
        heading.left(" state", 14, .dim)
        heading.right("in/s", 9, .dim)
        heading.right("lag", 10, .dim)
        if isWide {
            heading.right("out/s", 9, .dim)
            heading.right("p99", 10, .dim)
            heading.right("dead", 7, .dim)
        }
        var lines = [heading]
        for (index, worker) in model.workers.enumerated().dropFirst(first).prefix(shown) {
            lines.append(row(worker, isSelected: index == model.selected, name: name, isWide: isWide))
        }
        let live = model.workers.filter { model.status($0) == .live }.compactMap(\.latest)
        var total = TopText("  ")
        total.left("all", name, .bold)
        total.left("", 14)
        total.right(FigureText.short(live.reduce(0) { $0 + $1.recordsInPerSecond }), 9, .bold)
        // One unknown lag makes the sum unknown: it may be the largest.
        let lag = live.reduce(live.isEmpty ? nil : 0.0) { sum, line in
            sum.flatMap { sum in line.lag.total.map { sum + Double($0) } }
        }
        total.right(lag.map(FigureText.short) ?? "-", 10, .bold)
        if isWide {
            total.right(FigureText.short(live.reduce(0) { $0 + $1.recordsOutPerSecond }), 9, .bold)
            // The worst worker's: percentiles do not add up.
            total.right(
                live.compactMap { $0.latencyMs?.p99 }.max().map { FigureText.milliseconds($0) } ?? "-", 10, .bold)
            total.right(FigureText.whole(model.workers.reduce(0) { $0 + $1.deadLettersTotal }), 7, .bold)
        }
        lines.append(total)
        return lines
    }

    private func row(_ worker: TopModel.Worker, isSelected: Bool, name: Int, isWide: Bool) -> TopText {
        var line = TopText(isSelected ? glyphs.marker + " " : "  ", .bold)
        let place = worker.latest == nil ? worker.place : "\(worker.name) \(worker.place)"
        line.left(glyphs.name(place), name, isSelected ? .selected : .plain)
        let (state, style) = TopDetail.state(worker, model.status(worker))
        line.left(" " + state, 14, style)
        guard let latest = worker.latest, model.status(worker) == .live else {
            if case .lost(let reason, _) = model.status(worker) { line.add("  " + glyphs.name(reason), .bad) }
            return line
        }
        line.right(FigureText.short(latest.recordsInPerSecond), 9)
        line.right(latest.lag.total.map { FigureText.short(Double($0)) } ?? "-", 10)
        if isWide {
            line.right(FigureText.short(latest.recordsOutPerSecond), 9)
            line.right(latest.latencyMs.map { FigureText.milliseconds($0.p99) } ?? "-", 10)
            let dead = worker.deadLettersTotal
            line.right(FigureText.whole(dead), 7, dead > 0 ? .warn : .plain)
        }
        return line
    }
}
