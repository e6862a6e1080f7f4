import Pages
import Throughput
import Worker

/// A comparison of two runs, aligned at their starts.
package struct RunComparison {
    /// One of the two runs, or all runs of a log as one.
    package struct Side {
        /// The name that the user gave.
        package let name: String
        /// Arranged, with at least one run.
        let survey: LogSurvey
        /// Of all runs of the survey as one.
        let figures: RunFigures
        /// Start of the earliest run, in seconds since 1970: the plots' zero.
        let began: Double

        /// - Parameter survey: arranged, with at least one run.
        package init(name: String, survey: LogSurvey) {
            self.name = name
            self.survey = survey
            figures = RunFigures(survey.runs)
            began = survey.runs.map(\.firstTime).min() ?? 0
        }
    }

    /// The baseline: ratios are B by A.
    let a: Side
    /// The run that is judged: ratios are B by A.
    let b: Side
    private let list: FigureList
    private let bins: TimeBins

    /// Lists the figures that either side has, over columns as long as the longer run.
    package init(a: Side, b: Side) {
        self.a = a
        self.b = b
        list = FigureList(for: [a.figures, b.figures])
        let length = max(
            1, [a, b].map { side in (side.survey.runs.map(\.lastTime).max() ?? 0) - side.began }.max() ?? 1)
        let finest = max((a.survey.runs + b.survey.runs).map(\.typicalSeconds).max() ?? 10, 0.1)
        let count = min(240, max(1, Int((length / finest).rounded(.up))))
        bins = TimeBins(start: 0, width: length / Double(count), count: count)
    }

    private static func ratio(_ figure: FigureList.Figure, _ a: RunFigures, _ b: RunFigures) -> String {
        FigureText.ratio(figure.value(b), to: figure.value(a))
    }

    // MARK: - Text and CSV

    /// The comparison for a terminal, line by line.
    /// - Parameters:
    ///   - unicode: false limits the report's own characters to ASCII.
    ///   - printable: makes text from the logs and names from the user fit for one line of a terminal.
    package func text(unicode: Bool, printable: (String) -> String) -> [String] {
        var lines = ["A  \(printable(described(a)))", "B  \(printable(described(b)))", ""]
        let figures = ReportText.figures(list, [("A", a.figures), ("B", b.figures)], printable) {
            Self.ratio($0, a.figures, b.figures)
        }
        lines += figures
        return unicode ? lines : lines.map(ReportText.ascii)
    }

    /// A row for each figure.
    package var csv: String {
        var csv = ReportCSV.row(["section", "figure", "a", "b", "ratio"])
        for figure in list.figures {
            let (left, right) = (figure.value(a.figures), figure.value(b.figures))
            var ratio = ""
            if let left, let right, left != 0 { ratio = String(right / left) }
            csv += ReportCSV.row([
                figure.section, figure.name, left.map { String($0) } ?? "", right.map { String($0) } ?? "", ratio,
            ])
        }
        return csv
    }

    private func described(_ side: Side) -> String {
        let workers = Set(side.survey.runs.map(\.key)).count
        let versions = Set(side.survey.runs.map(\.version)).sorted().prefix(3).joined(separator: ", ")
        return
            "\(side.name): from \(FigureText.time(side.began)) UTC, \(FigureText.duration(side.figures.seconds)), "
            + "\(FigureText.counted(workers, "worker")), \(FigureText.counted(side.survey.runs.count, "run")), version "
            + "\(versions)"
    }

    // MARK: - The page

    /// The comparison as one HTML file, without scripts or external resources.
    /// - Parameter made: when the report was made, RFC 3339.
    package func html(made: String, version: String) -> String {
        var body =
            "<header><h1>Two runs compared</h1><p><i class=\"swatch c1\">■</i> A: "
            + "\(Markup.line(described(a), limit: 500))</p>"
        body += "<p><i class=\"swatch c2\">■</i> B: \(Markup.line(described(b), limit: 500))</p>"
        body +=
            "<nav aria-label=Parts><a href=\"#plots\">Plots</a><a href=\"#figures\">Figures</a></nav>\(tiles)</header>"
            + "<main>"
        body +=
            "<section id=plots><h2>Plots</h2><p class=note>Both runs begin at the "
            + "left.</p>\(plots.map { $0.html() }.joined())</section>"
        body +=
            "<section id=figures><h2>Figures</h2><p class=note>The ratio is B by A. Green: B is better by more than "
            + "5%; red: worse.</p>\(table)</section>"
        let skipped = (a.survey.sources + b.survey.sources).filter { $0.skipped + $0.repeated > 0 }
        for source in skipped {
            body += "<p class=note>\(Markup.line(ReportFindings.skipped(source), limit: 500))</p>"
        }
        body += "</main><footer>Made by rejoinder \(Markup.line(version)) at \(Markup.line(made)).</footer>"
        return PageStyle.page(title: "Two runs compared", body: body)
    }

    private var tiles: String {
        let wanted = [
            ("Records", "question events a second"), ("Records", "the best interval, a second"),
            ("Latency, poll to acknowledged", "p50"), ("Latency, poll to acknowledged", "p99"),
            ("Lag", "largest, records"),
            ("Process", "CPU per record, table records included"),
        ]
        var html = "<dl class=tiles>"
        for (section, name) in wanted {
            guard let figure = list.figures.first(where: { $0.section == section && $0.name == name }) else { continue }
            let label = section == "Records" || section == "Process" ? name : "\(section), \(name)"
            html +=
                "<div><dt>\(Markup.line(label))</dt>"
                + "<dd class=\(tone(figure))>\(Self.ratio(figure, a.figures, b.figures))"
            html +=
                "<small>A \(Markup.line(figure.text(a.figures))), B "
                + "\(Markup.line(figure.text(b.figures)))</small></dd></div>"
        }
        return html + "</dl>"
    }

    /// CSS class for better, worse, or the same within 5%.
    private func tone(_ figure: FigureList.Figure) -> String {
        guard let better = figure.better, let left = figure.value(a.figures), let right = figure.value(b.figures) else {
            return "same"
        }
        guard abs(right - left) > 0.05 * max(abs(left), abs(right)) else { return "same" }
        return (right > left) == (better == .more) ? "goodtext" : "badtext"
    }

    private var table: String {
        var html =
            "<div class=wide><table class=figures><thead><tr><th scope=col>Figure</th><th scope=col>A</th>"
            + "<th scope=col>B</th>"
        html += "<th scope=col>B/A</th></tr></thead><tbody>"
        var section = ""
        for figure in list.figures {
            if figure.section != section {
                section = figure.section
                html += "<tr class=section><th scope=rowgroup colspan=4>\(Markup.line(section))</th></tr>"
            }
            html +=
                "<tr><th scope=row>\(Markup.line(figure.name))</th><td>\(Markup.line(figure.text(a.figures)))</td>"
            html +=
                "<td>\(Markup.line(figure.text(b.figures)))</td>"
                + "<td class=\(tone(figure))>\(Self.ratio(figure, a.figures, b.figures))</td></tr>"
        }
        return html + "</tbody></table></div>"
    }

    private var plots: [Plot] {
        let rate: (ThroughputLine) -> Double? = { $0.rate($0.recordsIn) }
        let tables: (ThroughputLine) -> Double? = { $0.rate($0.answers + $0.votes) }
        let lag: (ThroughputLine) -> Double? = { $0.lag.total.map(Double.init) }
        let busy: (ThroughputLine) -> Double? = { $0.timeShares.total > 0 ? 1 - $0.timeShares[.idle] : nil }
        let committing: (ThroughputLine) -> Double? = { $0.timeShares.total > 0 ? $0.timeShares[.committing] : nil }
        var plots: [Plot?] = [
            plot(
                "throughput", "Question events a second",
                "Mean of each column; behind it the least and the largest interval.",
                text: FigureText.short
            ) { bins.sum($0.survey.runs, offset: $0.began, rate) }
        ]
        if (a.survey.runs + b.survey.runs).contains(where: {
            $0.samples.contains { $0.line.answers + $0.line.votes > 0 }
        }) {
            plots.append(
                plot("tables", "Table records a second", "Answers and votes applied.", text: FigureText.short) {
                    bins.sum($0.survey.runs, offset: $0.began, tables)
                })
        }
        plots.append(
            plot("lag", "Lag", "Records that waited at each interval's end.", text: FigureText.short) {
                bins.sum($0.survey.runs, offset: $0.began, lag)
            })
        let latencies: [(String, String, (ThroughputLine) -> ThroughputLine.Percentiles?)] = [
            ("latency", "Latency, poll to acknowledged", \.latencyMs),
            ("event-latency", "Latency, event time to acknowledged", \.eventLatencyMs),
            ("commit-latency", "Commit latency", \.commitLatencyMs),
        ]
        for (id, title, percentiles) in latencies {
            for (part, value) in [("p50", \ThroughputLine.Percentiles.p50), ("p99", \ThroughputLine.Percentiles.p99)] {
                plots.append(
                    plot(
                        "\(id)-\(part)", "\(title), \(part)", "Mean of each column's intervals. Logarithmic.",
                        scale: .logarithmic,
                        text: FigureText.milliseconds
                    ) { side in
                        bins.values(side.survey.runs.flatMap(\.samples), offset: side.began) {
                            percentiles($0)?[keyPath: value]
                        }
                    })
            }
        }
        plots += [
            plot(
                "busy", "Time that lanes were busy", "Share of the time; the rest is idle time.",
                scale: .share,
                text: FigureText.percent
            ) { side in
                bins.values(side.survey.runs.flatMap(\.samples), offset: side.began, busy)
            },
            plot("committing", "Time spent committing", "Share of the time.", scale: .share, text: FigureText.percent) {
                side in
                bins.values(side.survey.runs.flatMap(\.samples), offset: side.began, committing)
            },
        ]
        return plots.compactMap { $0 }
    }

    private func plot(
        _ id: String, _ title: String, _ explanation: String, scale: PlotScale.Kind = .linear,
        text: @escaping (Double) -> String, _ values: (Side) -> [TimeBins.Bin?]
    ) -> Plot? {
        let plot = Plot(
            id: id, title: title, explanation: explanation, axis: Plot.Axis(bins: bins, isRelative: true),
            series: [
                Plot.Series(name: "A", style: "c1", bins: values(a), hasBand: true, isStrong: true),
                Plot.Series(name: "B", style: "c2", bins: values(b), hasBand: true, isStrong: true),
            ], scale: scale, text: text)
        return plot.isEmpty ? nil : plot
    }
}
