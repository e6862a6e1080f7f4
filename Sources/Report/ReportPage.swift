import Pages
import Throughput

/// A report as one HTML file, without scripts or external resources; all text from the logs is escaped.
package struct ReportPage {
    /// Limit on the rows of the events table.
    private static let mostEvents = 300

    private let survey: LogSurvey
    private let sum: RunFigures
    private let figures: [RunFigures]
    /// When the report was made: RFC 3339.
    private let made: String
    private let version: String

    /// - Parameters:
    ///   - survey: arranged.
    ///   - made: when the report was made, RFC 3339.
    ///   - version: the program's.
    package init(_ survey: LogSurvey, made: String, version: String) {
        self.survey = survey
        self.made = made
        self.version = version
        figures = survey.runs.map { RunFigures($0) }
        sum = RunFigures(survey.runs)
    }

    /// The whole file. Computed on each call.
    package var html: String {
        PageStyle.page(title: "Throughput \(span)", body: header + "<main>\(content)</main>" + footer)
    }

    private var span: String {
        let start = survey.runs.map(\.firstTime).min() ?? 0
        let end = survey.runs.map(\.lastTime).max() ?? 0
        let to = FigureText.time(end)
        let isSameDay = FigureText.time(start).prefix(10) == to.prefix(10)
        return "\(FigureText.time(start)) to \(isSameDay ? String(to.suffix(8)) : to) UTC"
    }

    private var workers: [WorkerRun.Key] {
        var keys: [WorkerRun.Key] = []
        for run in survey.runs where !keys.contains(run.key) { keys.append(run.key) }
        return keys
    }

    private var header: String {
        let groups = Set(survey.runs.map(\.key.group)).sorted()
        var html = "<header><h1>Rejoinder throughput</h1><p>\(span), \(FigureText.duration(sum.seconds)). "
        html +=
            "\(groups.count == 1 ? "Group" : "Groups") \(groups.prefix(8).map(Markup.name).joined(separator: ", ")); "
        html += "\(FigureText.counted(workers.count, "worker")), \(FigureText.counted(survey.runs.count, "run")).</p>"
        html +=
            "<nav aria-label=Parts><a href=\"#findings\">Findings</a><a href=\"#plots\">Plots</a>"
            + "<a href=\"#totals\">Totals</a>"
        html += "<a href=\"#events\">Events</a><a href=\"#sources\">Logs read</a></nav>\(tiles)</header>"
        return html
    }

    private var tiles: String {
        var tiles: [(String, String, String)] = [
            (
                "Question events in", FigureText.whole(sum.recordsIn),
                "\(FigureText.amount(sum.inPerSecond))/s, best \(FigureText.amount(sum.peakIn))/s"
            ),
            ("Enriched records out", FigureText.whole(sum.recordsOut), "\(FigureText.bytes(sum.bytesOutPerSecond))/s"),
            (
                "Answers and votes applied", FigureText.whole(sum.answers + sum.votes),
                "\(FigureText.amount(sum.tablesPerSecond))/s, best \(FigureText.amount(sum.peakTables))/s"
            ),
            (
                "Lag at the end", sum.lagEnd.map { FigureText.whole($0) } ?? "–",
                "largest \(sum.lagLargest.map { FigureText.whole($0) } ?? "–")"
            ),
        ]
        if let latency = sum.latency {
            tiles.append(
                (
                    "Poll to acknowledged, p99", FigureText.milliseconds(latency.p99),
                    "p50 \(FigureText.milliseconds(latency.p50)), worst p99 "
                        + "\(FigureText.milliseconds(latency.worstP99))"
                ))
        }
        tiles.append(
            (
                "Dead letters", FigureText.whole(sum.deadLettersTotal),
                "\(FigureText.counted(sum.aborts, "abort")), \(FigureText.counted(sum.restarts, "restart"))"
            ))
        let html = tiles.map {
            "<div><dt>\($0.0)</dt><dd>\(Markup.line($0.1))<small>\(Markup.line($0.2))</small></dd></div>"
        }
        return "<dl class=tiles>\(html.joined())</dl>"
    }

    private var content: String {
        var html = "<section id=findings><h2>Findings</h2><ul class=findings>"
        for finding in ReportFindings(survey, sum).sentences {
            html += "<li class=\(finding.weight.rawValue)>\(Markup.line(finding.text, limit: 1_000))</li>"
        }
        html +=
            "</ul></section><section id=plots><h2>Plots</h2><p class=note>All times are UTC. All plots share one time "
            + "axis. "
        html +=
            "<span class=bad>▼</span> and a line: a worker started again; dashed: a rebalance; red ground: stalled; "
            + "blue ground: "
        html += "restoring. Point at a plot to read its numbers; each has them as a table, too.</p>"
        let plots = ReportPlots(survey: survey, workers: workers)
        html += plots.strips() + plots.all().map { $0.html() }.joined()
        html += "</section><section id=totals><h2>Totals</h2>\(totals)</section>"
        html +=
            "<section id=events><h2>Events</h2>\(events)</section><section id=sources><h2>Logs "
            + "read</h2>\(sources)</section>"
        return html
    }

    // MARK: - Tables

    private var totals: String {
        let list = FigureList(for: figures + [sum])
        let hasSum = figures.count > 1
        var html = ""
        let hasMiddle = figures.contains { $0.latency?.isMiddle ?? false }
        if hasMiddle {
            html +=
                "<p class=note>Latencies of a run that has no line of "
                + "totals\(hasSum ? ", and with it those of all runs," : "") are "
            html +=
                "those of its middle interval, each counting as much as it has records: percentiles of parts do not "
                + "add up.</p>"
        } else if hasSum {
            html += "<p class=note>Latencies of all runs are the worst of any: percentiles do not add up.</p>"
        }
        html += "<div class=wide><table class=figures><thead><tr><th scope=col>Run</th>"
        if hasSum { html += "<th scope=col>all</th>" }
        for run in survey.runs {
            html += "<th scope=col>\(run.number) · \(Markup.name(run.key.worker))<br>\(FigureText.time(run.firstTime))"
            html +=
                "<br>\(Markup.line(run.version))\(run.isWhole ? "" : ", began before")"
                + "\(run.totals == nil ? ", no totals" : "")</th>"
        }
        html += "</tr></thead><tbody>"
        var section = ""
        for figure in list.figures {
            if figure.section != section {
                section = figure.section
                html +=
                    "<tr class=section><th scope=rowgroup "
                    + "colspan=\"\(figures.count + (hasSum ? 2 : 1))\">\(Markup.line(section))</th></tr>"
            }
            html += "<tr><th scope=row>\(Markup.line(figure.name))</th>"
            if hasSum { html += "<td class=sum>\(Markup.line(figure.text(sum)))</td>" }
            for run in figures { html += "<td>\(Markup.line(figure.text(run)))</td>" }
            html += "</tr>"
        }
        return html + "</tbody></table></div>"
    }

    private var events: String {
        guard !survey.events.isEmpty else { return "<p class=note>None: the logs hold only throughput lines.</p>" }
        let rows = EventRow.rows(survey.events)
        var html = ""
        if rows.count > Self.mostEvents {
            html += "<p class=note>The first \(Self.mostEvents) of \(FigureText.whole(rows.count)).</p>"
        }
        html += "<div class=wide><table><thead><tr><th scope=col>time (UTC)</th><th scope=col class=t>worker</th>"
        html += "<th scope=col class=t>level</th><th scope=col class=t>what</th></tr></thead><tbody>"
        for row in rows.prefix(Self.mostEvents) {
            let isTrouble = row.kind == .trouble
            html +=
                "<tr><td class=t>\(FigureText.time(row.time))</td>"
                + "<td class=t>\(row.worker.map(Markup.name) ?? "–")</td>"
            html += "<td class=\"t\(isTrouble ? " bad level" : "")\">\(Markup.line(row.level, limit: 20))</td>"
            html += "<td class=\"t wrap\">\(Markup.line(row.text, limit: 500))</td></tr>"
        }
        return html + "</tbody></table></div>"
    }

    private var sources: String {
        var html =
            "<div class=wide><table><thead><tr><th scope=col>log</th><th scope=col>lines</th>"
            + "<th scope=col>throughput</th>"
        html +=
            "<th scope=col>events</th><th scope=col>torn</th><th scope=col>foreign</th>"
            + "<th scope=col>repeated</th></tr></thead><tbody>"
        for source in survey.sources {
            html += "<tr><td class=t>\(Markup.name(source.name))</td>"
            for count in [source.lines, source.throughput, source.events, source.torn, source.foreign, source.repeated]
            {
                html += "<td>\(FigureText.whole(count))</td>"
            }
            html += "</tr>"
        }
        return html + "</tbody></table></div>"
    }

    private var footer: String {
        "<footer>Made by rejoinder \(Markup.line(version)) at \(Markup.line(made)).</footer>"
    }
}

/// A row of the events table. Successive repeats of a worker's warning or error share a row.
struct EventRow: Sendable {
    /// Seconds since 1970; of repeats, the first one's.
    var time: Double
    /// nil where the log does not name it.
    var worker: String?
    /// Decides the row's mark.
    var kind: LogNote.Kind
    /// As the log writes it.
    var level: String
    /// The message and its fields; of repeats, with their number and the time of the last.
    var text: String
    /// Lines that share the row.
    var count = 1

    /// - Parameter events: by time.
    static func rows(_ events: [LogSurvey.Event]) -> [EventRow] {
        var rows: [(row: EventRow, message: String, last: Double)] = []
        for event in events {
            let message = "\(event.event.logger)\u{0}\(event.event.message)"
            if event.event.kind == .trouble, let last = rows.last, last.message == message,
                last.row.worker == event.worker
            {
                rows[rows.count - 1].row.count += 1
                rows[rows.count - 1].last = event.event.time
            } else {
                let fields = event.event.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "  ")
                let text = event.event.message + (fields.isEmpty ? "" : "  " + fields)
                rows.append(
                    (
                        EventRow(
                            time: event.event.time, worker: event.worker, kind: event.event.kind,
                            level: event.event.level, text: text),
                        message, event.event.time
                    ))
            }
        }
        return rows.map { entry in
            var row = entry.row
            if row.count > 1 {
                row.text += "  (\(FigureText.whole(row.count)) times, the last at \(FigureText.clock(entry.last)))"
            }
            return row
        }
    }
}
