import ArgumentParser
import Foundation
import Report
import Throughput

/// `rejoinder report`
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Makes a report from throughput logs: one HTML file, text, or CSV.",
        discussion: """
            Reads the JSON logs of one or more workers and runs, in any order, and puts them in order: a run begins \
            where a worker's uptime begins anew. What stands before a line's first { is passed over, so the output of \
            docker logs or kubectl logs will do. Lines that are torn or not ours are counted, named and skipped.

            html: plots of throughput, lag, latency and where the time went, with restarts and rebalances, and all \
            totals; one file without scripts that loads nothing. text: for a terminal. csv: one row for each \
            throughput line (RFC 4180).

            --compare lays two runs over each other, from their beginnings on, with the ratio of every figure. A and B \
            are logs; LOG#2 is the second run of a log. Status 65 where no log has a throughput line.

            Example:
              rejoinder report worker-*.log -o report.html
              kubectl logs rejoinder-0 | rejoinder report - --format text
              rejoinder report --compare before.log after.log -o compared.html
              rejoinder report --compare worker.log#1 worker.log#2 --format text
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case html
        case text
        case csv
    }

    @Argument(help: ArgumentHelp("Logs of workers; - is standard input.", valueName: "log"))
    var logs: [String] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where the report goes; - is standard output, which is also the default for text and csv.",
            valueName: "file"))
    var output: String?

    @Option(help: "html, text or csv. html if not given.")
    var format = Format.html

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Lay these two runs over each other: two logs, or LOG#N for a log's N-th run.", valueName: "a b"))
    var compare: [String] = []

    func validate() throws {
        if compare.isEmpty {
            guard !logs.isEmpty else {
                throw ValidationError("Name a throughput log, or - for standard input.")
            }
        } else {
            guard compare.count == 2 else {
                throw ValidationError(
                    "--compare takes two runs, such as before.log after.log, and has \(compare.count).")
            }
            guard logs.isEmpty else {
                throw ValidationError("--compare names the logs itself: leave '\(logs[0])' out, or compare with it.")
            }
        }
        guard (logs + compare).filter({ $0 == "-" }).count <= 1 else {
            throw ValidationError("Standard input (-) can be read only once.")
        }
        guard output != nil || format != .html else {
            throw ValidationError("Say where the report goes: -o report.html, or -o - for standard output.")
        }
    }

    func run() throws {
        if let output, output != "-", (logs + compare).contains(output) {
            throw CommandFailure(.usage, "-o \(Printable.quoted(output)) is one of the logs; name another file")
        }
        let output = try ReportOutput(path: output ?? "-")
        if compare.count == 2 {
            try compareRuns(output)
        } else {
            try report(output)
        }
        try output.finish()
    }

    private func report(_ output: ReportOutput) throws {
        var survey = LogSurvey()
        if format == .csv { try output.write(ReportCSV.header) }
        for log in logs {
            try ReportInput.read(log, into: &survey) { line in
                if format == .csv { try output.write(ReportCSV.row(line)) }
            }
        }
        survey.arrange()
        try Self.warn(survey)
        switch format {
        case .html:
            try output.write(ReportPage(survey, made: Self.now, version: ProductVersion.number).html)
        case .text:
            let text = ReportText(survey, unicode: TopLocale.isUnicode) { Printable.text($0, limit: 400) }
            for line in text.lines { try output.write(line + "\n") }
        case .csv: break
        }
    }

    private func compareRuns(_ output: ReportOutput) throws {
        let sides = try compare.map { try Self.side($0) }
        let comparison = RunComparison(a: sides[0], b: sides[1])
        switch format {
        case .html: try output.write(comparison.html(made: Self.now, version: ProductVersion.number))
        case .text:
            let lines = comparison.text(unicode: TopLocale.isUnicode) { Printable.text($0, limit: 400) }
            for line in lines { try output.write(line + "\n") }
        case .csv: try output.write(comparison.csv)
        }
    }

    private static func side(_ name: String) throws -> RunComparison.Side {
        var path = name
        var number: Int?
        // A file whose own name ends this way is meant literally.
        if let mark = name.lastIndex(of: "#"), let run = Int(name[name.index(after: mark)...]), access(name, F_OK) != 0
        {
            (path, number) = (String(name[..<mark]), run)
        }
        var survey = LogSurvey()
        try ReportInput.read(path, into: &survey) { _ in }
        survey.arrange()
        try warn(survey)
        if let number {
            guard let run = survey.runs.first(where: { $0.number == number }) else {
                let count = survey.runs.count
                throw CommandFailure(
                    .usage,
                    "\(Printable.quoted(path)) has \(count) run\(count == 1 ? "" : "s"), so there is no run \(number); "
                        + "'rejoinder report \(Printable.text(path)) --format text' lists them")
            }
            survey = survey.only(runs: [run])
        }
        return RunComparison.Side(name: name, survey: survey)
    }

    /// Names the lines that were skipped; a log without any throughput line is an error.
    private static func warn(_ survey: LogSurvey) throws {
        for source in survey.sources where source.skipped + source.repeated > 0 {
            LogWriter.standardError.say("rejoinder: " + Printable.text(ReportFindings.skipped(source), limit: 500))
        }
        guard survey.isEmpty else { return }
        let names = survey.sources.map { Printable.quoted($0.name) }.joined(separator: ", ")
        throw CommandFailure(
            .badData,
            "no throughput line in \(names): see that it is a worker's log in JSON ('rejoinder run' without "
                + "--log-format text) that covers at least one interval (monitoring.intervalSeconds)")
    }

    private static var now: String {
        let now = LogClock.now()
        return LogClock.text(seconds: now.seconds, milliseconds: now.milliseconds)
    }
}
