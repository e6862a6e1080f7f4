import Throughput
import Worker

/// A report for a terminal.
package struct ReportText {
    private let survey: LogSurvey
    private let unicode: Bool
    private let printable: (String) -> String

    /// - Parameters:
    ///   - unicode: false limits the report's own characters to ASCII.
    ///   - printable: makes text from the logs fit for one line of a terminal.
    package init(_ survey: LogSurvey, unicode: Bool, printable: @escaping (String) -> String) {
        self.survey = survey
        self.unicode = unicode
        self.printable = printable
    }

    /// The report, line by line, without line ends. Computed on each call.
    package var lines: [String] {
        let runs = survey.runs.map { RunFigures($0) }
        let sum = RunFigures(survey.runs)
        let start = survey.runs.map(\.firstTime).min() ?? 0
        let end = survey.runs.map(\.lastTime).max() ?? 0
        let workers = Set(survey.runs.map(\.key)).count
        var lines = [
            "Rejoinder throughput, \(FigureText.time(start)) to \(FigureText.time(end)) UTC "
                + "(\(FigureText.duration(end - start)))",
            "\(FigureText.counted(workers, "worker")), \(FigureText.counted(survey.runs.count, "run"))", "",
        ]
        lines += ReportFindings(survey, sum).sentences.map { "\(Self.sign($0.weight)) \(printable($0.text))" }
        lines += [""] + sparklines + [""] + table(runs) + [""]
        lines += Self.figures(FigureList(for: [sum]), [("", sum)], printable)
        let rows = EventRow.rows(survey.events).filter { $0.kind == .trouble }
        if !rows.isEmpty {
            lines += ["", "Warnings and errors"]
            lines += rows.prefix(20).map {
                "  \(FigureText.time($0.time))  \(printable($0.level))  \(printable($0.text))"
            }
            if rows.count > 20 {
                lines.append("  and \(FigureText.whole(rows.count - 20)) more: the HTML report has them")
            }
        }
        return unicode ? lines : lines.map(Self.ascii)
    }

    private static func sign(_ weight: ReportFindings.Weight) -> String {
        switch weight {
        case .good: "ok  "
        case .say: "    "
        case .warn: "note"
        case .bad: "BAD "
        }
    }

    private var sparklines: [String] {
        let bins = TimeBins.fitting(survey.runs, most: 60)
        let runs = survey.runs
        var table = TextTable(left: [0, 1])
        let rows: [(String, [TimeBins.Bin?], (Double) -> String)] = [
            ("events/s", bins.sum(runs) { $0.rate($0.recordsIn) }, FigureText.short),
            ("table records/s", bins.sum(runs) { $0.rate($0.answers + $0.votes) }, FigureText.short),
            ("lag", bins.sum(runs) { $0.lag.total.map(Double.init) }, FigureText.short),
            ("latency p99", bins.largest(runs) { $0.latencyMs?.p99 }, FigureText.milliseconds),
            (
                "busy",
                bins.values(runs.flatMap(\.samples)) { $0.timeShares.total > 0 ? 1 - $0.timeShares[.idle] : nil },
                FigureText.percent
            ),
        ]
        for (name, values, text) in rows {
            let means = values.map { $0?.mean }
            guard let largest = means.compactMap({ $0 }).max() else { continue }
            table.add([name, Sparkline.text(means, unicode: unicode), "max \(text(largest))"])
        }
        return table.lines
    }

    private func table(_ figures: [RunFigures]) -> [String] {
        var table = TextTable(left: [1])
        table.add([
            "run", "worker", "from (UTC)", "length", "events in", "/s", "out", "tables", "dead", "aborts", "p50", "p99",
            "lag end",
        ])
        for (run, figure) in zip(survey.runs, figures).prefix(200) {
            table.add([
                String(run.number), String(printable(run.key.worker).prefix(16)), FigureText.time(run.firstTime),
                FigureText.duration(figure.seconds), FigureText.short(Double(figure.recordsIn)),
                FigureText.short(figure.inPerSecond), FigureText.short(Double(figure.recordsOut)),
                FigureText.short(Double(figure.answers + figure.votes)), FigureText.whole(figure.deadLettersTotal),
                FigureText.whole(figure.aborts), figure.latency.map { FigureText.milliseconds($0.p50) } ?? "-",
                figure.latency.map { FigureText.milliseconds($0.p99) } ?? "-",
                figure.lagEnd.map { FigureText.short(Double($0)) } ?? "-",
            ])
        }
        if figures.count > 200 { table.add(["…", "and \(figures.count - 200) more"]) }
        return table.lines
    }

    /// All figures of some runs side by side.
    static func figures(
        _ list: FigureList, _ runs: [(name: String, figures: RunFigures)], _ printable: (String) -> String,
        last: ((FigureList.Figure) -> String)? = nil
    ) -> [String] {
        var table = TextTable()
        var sections: [Int: String] = [:]
        var row = 0
        if runs.count > 1 {
            table.add([""] + runs.map { printable($0.name) } + (last == nil ? [] : ["B/A"]))
            row = 1
        }
        var section = ""
        for figure in list.figures {
            if figure.section != section {
                section = figure.section
                sections[row] = section
            }
            table.add(
                ["  " + printable(figure.name)] + runs.map { figure.text($0.figures) }
                    + (last.map { [$0(figure)] } ?? []))
            row += 1
        }
        return table.lines.enumerated().flatMap { index, line in sections[index].map { [$0, line] } ?? [line] }
    }

    /// Replaces the report's own non-ASCII characters.
    static func ascii(_ line: String) -> String {
        line.replacing("–", with: "-").replacing("µ", with: "u").replacing("×", with: "x").replacing("…", with: "...")
    }
}
