import Pages
import Records
import Throughput
import Worker

/// The plots of a report, in the order of a search for a cause.
struct ReportPlots {
    /// Limit on the lines of a plot that a reader can tell apart.
    static let mostLines = 6

    let survey: LogSurvey
    let workers: [WorkerRun.Key]
    private let bins: TimeBins
    private let marks: PlotMarks
    private var runs: [WorkerRun] { survey.runs }

    init(survey: LogSurvey, workers: [WorkerRun.Key]) {
        self.survey = survey
        self.workers = workers
        bins = TimeBins.fitting(survey.runs)
        marks = PlotMarks(survey.runs)
    }

    func all() -> [Plot] {
        [throughput, tables, lag, shares, latency, eventLatency, commitLatency, deadLetters, aborts, cpu, memory]
            .compactMap { $0 }
    }

    private func plot(
        _ id: String, _ title: String, _ explanation: String, _ series: [Plot.Series], form: Plot.Form = .lines,
        scale: PlotScale.Kind = .linear, text: @escaping (Double) -> String
    ) -> Plot? {
        let plot = Plot(
            id: id, title: title, explanation: explanation, axis: Plot.Axis(bins: bins), series: series, form: form,
            scale: scale, text: text, marks: marks)
        return plot.isEmpty ? nil : plot
    }

    private func isAny(_ count: (ThroughputLine) -> Bool) -> Bool {
        runs.contains { $0.samples.contains { count($0.line) } }
    }

    /// The sum of all workers and, for up to `mostLines` workers, a line for each.
    private func perWorker(_ value: @escaping (ThroughputLine) -> Double) -> [Plot.Series] {
        if workers.count == 1 {
            return [
                Plot.Series(
                    name: workers[0].worker, style: "c1", bins: bins.sum(runs, value), hasBand: true, isStrong: true)
            ]
        }
        var series = [
            Plot.Series(name: "all workers", style: "sum", bins: bins.sum(runs, value), hasBand: true, isStrong: true)
        ]
        if workers.count <= Self.mostLines {
            for (index, worker) in workers.enumerated() {
                let own = runs.filter { $0.key == worker }
                series.append(Plot.Series(name: worker.worker, style: "c\(index + 1)", bins: bins.sum(own, value)))
            }
        }
        return series
    }

    private var throughput: Plot? {
        var series = perWorker { $0.rate($0.recordsIn) }
        if workers.count == 1 { series[0].name = "in" }
        let out = bins.sum(runs) { $0.rate($0.recordsOut) }
        // Output that follows the input within 2% would draw one line on the other.
        let differs = zip(out, series[0].bins).contains {
            abs(($0?.mean ?? 0) - ($1?.mean ?? 0)) > 0.02 * max($1?.mean ?? 0, 1)
        }
        if differs { series.append(Plot.Series(name: "enriched records out", style: "c7", bins: out)) }
        return plot(
            "throughput", "Question events a second",
            "Question events read in a second: the mean of each column, and behind it the least and the largest "
                + "interval.",
            series,
            text: FigureText.short)
    }

    private var tables: Plot? {
        guard isAny({ $0.answers + $0.votes > 0 }) else { return nil }
        return plot(
            "tables", "Table records a second", "Answers and votes applied to the stores in a second, all workers.",
            [
                Plot.Series(name: "votes", style: "c-votes", bins: bins.sum(runs) { $0.rate($0.votes) }, hasBand: true),
                Plot.Series(
                    name: "answers", style: "c-answers", bins: bins.sum(runs) { $0.rate($0.answers) }, hasBand: true),
            ], text: FigureText.short)
    }

    private var lag: Plot? {
        let topics = Set(runs.flatMap { $0.samples.flatMap { $0.line.lag.topics.keys } }).sorted().prefix(
            Self.mostLines)
        var series = [
            Plot.Series(
                name: "all topics", style: "sum", bins: bins.sum(runs) { $0.lag.total.map(Double.init) }, hasBand: true,
                isStrong: true)
        ]
        for (index, topic) in topics.enumerated() {
            series.append(
                Plot.Series(
                    name: topic, style: "c\(index + 1)",
                    bins: bins.sum(runs) { $0.lag.records(of: topic).map(Double.init) }))
        }
        return plot(
            "lag", "Lag",
            "Records that waited at each interval's end, by topic, all workers. A gap: some worker did not know its "
                + "lag.",
            series, text: FigureText.short)
    }

    private var shares: Plot? {
        guard isAny({ $0.timeShares.total > 0 }) else { return nil }
        let series = LaneActivity.inOrderOfStep.map { activity in
            Plot.Series(
                name: activity.title, style: "c-\(activity.field)",
                bins: bins.values(runs.flatMap(\.samples)) { $0.timeShares.total > 0 ? $0.timeShares[activity] : nil })
        }
        return plot(
            "shares", "Where the time went",
            "The lanes' time by activity, mean of all workers. The idle time is at the top.", series,
            form: .layers,
            scale: .share, text: FigureText.percent)
    }

    private func percentiles(
        _ id: String, _ title: String, _ what: String,
        _ percentiles: @escaping (ThroughputLine) -> ThroughputLine.Percentiles?
    ) -> Plot? {
        guard isAny({ percentiles($0) != nil }) else { return nil }
        let series = [
            Plot.Series(name: "max", style: "c-max", bins: bins.largest(runs) { percentiles($0)?.max }),
            Plot.Series(
                name: "p99", style: "c-p99", bins: bins.largest(runs) { percentiles($0)?.p99 }, hasBand: true,
                isStrong: true),
            Plot.Series(
                name: "p90", style: "c-p90", bins: bins.values(runs.flatMap(\.samples)) { percentiles($0)?.p90 }),
            Plot.Series(
                name: "p50", style: "c-p50", bins: bins.values(runs.flatMap(\.samples)) { percentiles($0)?.p50 },
                isStrong: true),
        ]
        let each = workers.count > 1 ? " of any worker" : ""
        return plot(
            id, title,
            "\(what) Each column: p50 and p90 the intervals' mean, p99 and max the worst interval's\(each). "
                + "Logarithmic.",
            series,
            scale: .logarithmic, text: FigureText.milliseconds)
    }

    private var latency: Plot? {
        percentiles(
            "latency", "Latency, poll to acknowledged",
            "From a record's poll to the broker's acknowledgement of what came of it.",
            \.latencyMs)
    }

    private var eventLatency: Plot? {
        percentiles(
            "event-latency", "Latency, event time to acknowledged",
            "From the event's own timestamp to the acknowledgement: the wait in the topic is in it.",
            \.eventLatencyMs)
    }

    private var commitLatency: Plot? {
        percentiles("commit-latency", "Commit latency", "How long commits that came through took.", \.commitLatencyMs)
    }

    /// Counts as bars.
    private func bars(_ name: String, _ style: String, _ count: (ThroughputLine) -> Int) -> Plot.Series {
        Plot.Series(
            name: name, style: style,
            bins: bins.counts(runs, count).map {
                TimeBins.Bin(mean: Double($0), least: Double($0), largest: Double($0))
            })
    }

    private var deadLetters: Plot? {
        let codes = Set(runs.flatMap { $0.samples.flatMap { $0.line.deadLetters.filter { $0.value > 0 }.keys } })
            .sorted()
        guard isAny({ $0.deadLettersTotal > 0 }) else { return nil }
        let series =
            codes.isEmpty
            ? [bars("dead letters", "failed") { $0.deadLettersTotal }]
            : codes.prefix(7).enumerated().map { index, code in
                // A log of another version may have codes that this one does not know.
                bars(code, RecordErrorCode(rawValue: code) == nil ? "c\(index + 1)" : "c-dead-\(code)") {
                    $0.deadLetters[code] ?? 0
                }
            }
        return plot(
            "dead-letters", "Dead letters",
            "Records that went to the dead-letter topic, by code; counts of each column.", series,
            form: .bars, text: FigureText.short)
    }

    private var aborts: Plot? {
        guard isAny({ $0.aborts > 0 }) else { return nil }
        return plot(
            "aborts", "Transactions aborted", "Counts of each column.", [bars("aborted", "failed") { $0.aborts }],
            form: .bars,
            text: FigureText.short)
    }

    private var cpu: Plot? {
        guard isAny({ $0.process.cpuCores > 0 }) else { return nil }
        return plot(
            "cpu", "CPU", "Cores that the processes kept busy.", perWorker { $0.process.cpuCores },
            text: FigureText.amount)
    }

    private var memory: Plot? {
        guard isAny({ $0.process.residentBytes > 0 }) else { return nil }
        var series = perWorker { Double($0.process.residentBytes) }
        series[0].hasBand = false
        if workers.count == 1 { series[0].name = "resident" }
        series.append(
            Plot.Series(name: "stores on disk", style: "c7", bins: bins.sum(runs) { Double($0.store.bytes) }))
        return plot(
            "memory", "Memory and stores",
            "Resident memory of the processes, pages of the stores that are mapped included, and the stores' size.",
            series,
            text: FigureText.bytes)
    }

    // MARK: - States

    /// A strip for each worker with its states over time.
    func strips() -> String {
        let shown = workers.prefix(24)
        let height = 26.0
        let total = height * Double(shown.count) + 30
        let frame = Plot(
            id: "states", title: "", explanation: "", axis: Plot.Axis(bins: bins), series: [], text: FigureText.short)
        var svg =
            "<svg class=strips viewBox=\"0 0 1100 \(Markup.number(total))\" role=img aria-labelledby=\"states-t "
            + "states-d\">"
        svg +=
            "<title id=\"states-t\">States of the workers</title>"
            + "<desc id=\"states-d\">\(Markup.line(statesInWords, limit: 2_000))</desc>"
        for (row, worker) in shown.enumerated() {
            let y = Double(row) * height + 12
            svg +=
                "<text x=\"54\" y=\"\(Markup.number(y + 8))\" dy=\".35em\" "
                + "class=e>\(Markup.line(String(worker.worker.prefix(7)), limit: 7))</text>"
            for run in runs where run.key == worker {
                for stretch in merged(run) {
                    let from = frame.x(stretch.from)
                    let width = max(frame.x(stretch.to) - from, 1)
                    svg +=
                        "<rect class=\"st s-\(stretch.state.rawValue)\" x=\"\(Markup.number(from))\" "
                        + "y=\"\(Markup.number(y))\" width=\"\(Markup.number(width))\" height=\"16\">"
                    let span =
                        "\(FigureText.time(stretch.from)) to \(FigureText.clock(stretch.to)), "
                        + FigureText.duration(stretch.to - stretch.from)
                    let title = Markup.line("\(worker.worker)  \(stretch.state.rawValue)  \(span)")
                    svg += "<title>\(title)</title></rect>"
                }
                if run.isRestart {
                    let x = Markup.number(frame.x(run.firstTime))
                    let title = Markup.line("\(worker.worker) started again at \(FigureText.time(run.firstTime))")
                    svg +=
                        "<g class=restart><path class=head d=\"M\(x) \(Markup.number(y))l-5 -9h10z\">"
                        + "<title>\(title)</title></path></g>"
                }
                var last = -Double.infinity
                svg += "<g class=rebalance>"
                for time in run.rebalances where frame.x(time) - last > 3 {
                    last = frame.x(time)
                    svg += "<path class=head d=\"M\(Markup.number(last)) \(Markup.number(y + 16))l-3 5h6z\"/>"
                }
                svg += "</g>"
            }
        }
        svg += "</svg>"
        var html = "<figure class=plot id=states><figcaption><h3>States</h3><p class=note>Each worker's state. "
        html += "<span class=bad>▼</span> started again, ▴ rebalance.</p><ul class=legend>"
        let seen = Set(runs.flatMap { $0.states.map(\.state) })
        for state in Verdict.Kind.allCases.reversed() where seen.contains(state) {
            html +=
                "<li><svg style=\"display:inline-block;width:11px;min-width:0;vertical-align:-1px\" viewBox=\"0 0 11 "
                + "11\" aria-hidden=true><rect class=\"st s-\(state.rawValue)\" width=11 height=11 /></svg> "
                + "\(state.rawValue)</li>"
        }
        html += "</ul></figcaption><div class=wide>\(svg)</div>"
        if workers.count > shown.count {
            html += "<p class=note>The first \(shown.count) of \(workers.count) workers.</p>"
        }
        html +=
            "<details><summary>Numbers of “States”</summary><div class=wide><table><thead><tr><th scope=col>worker</th>"
            + "<th scope=col class=t>state</th><th scope=col>from (UTC)</th><th scope=col>to</th>"
            + "<th scope=col>length</th></tr></thead><tbody>"
        var rows = 0
        for run in runs {
            for stretch in merged(run) where rows < 200 {
                rows += 1
                html +=
                    "<tr><th scope=row>\(Markup.name(run.key.worker))</th><td class=t>\(stretch.state.rawValue)</td>"
                    + "<td>\(FigureText.time(stretch.from))</td><td>\(FigureText.clock(stretch.to))</td>"
                    + "<td>\(FigureText.duration(stretch.to - stretch.from))</td></tr>"
            }
        }
        return html + "</tbody></table></div></details></figure>\n"
    }

    private var statesInWords: String {
        workers.prefix(24).map { worker in
            let own = RunFigures(runs.filter { $0.key == worker })
            return
                "\(worker.worker): no broker answers \(FigureText.duration(own.seconds(.unreachable))), stalled "
                + "\(FigureText.duration(own.stalledSeconds)), restoring "
                + "\(FigureText.duration(own.restoringSeconds)), idle \(FigureText.duration(own.idleSeconds)), "
                + "restarts \(own.restarts)."
        }.joined(separator: " ")
    }

    /// The states of a run. Of more than 150 stretches, which a strip has no room for, each column shows its most
    /// severe state.
    private func merged(_ run: WorkerRun) -> [WorkerRun.Stretch] {
        let exact = run.states
        guard exact.count > 150 else { return exact }
        let order = Array(Verdict.Kind.allCases.reversed())
        var columns = [Verdict.Kind?](repeating: nil, count: bins.count)
        for stretch in exact {
            let first = max(0, Int((stretch.from - bins.start) / bins.width))
            let last = min(bins.count - 1, Int((stretch.to - bins.start) / bins.width))
            guard first <= last else { continue }
            for index in first...last {
                let before = columns[index].flatMap { order.firstIndex(of: $0) } ?? -1
                if order.firstIndex(of: stretch.state) ?? 0 > before { columns[index] = stretch.state }
            }
        }
        var merged: [WorkerRun.Stretch] = []
        for (index, state) in columns.enumerated() {
            guard let state else { continue }
            if let last = merged.last, last.state == state, last.to >= bins.begin(index) - bins.width / 2 {
                merged[merged.count - 1].to = bins.begin(index + 1)
            } else {
                merged.append((state, bins.begin(index), bins.begin(index + 1)))
            }
        }
        return merged
    }
}
