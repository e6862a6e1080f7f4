import ArgumentParser
import Recording
import Worker

/// `rejoinder verify`
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves that the published records are those that the input topics make.",
        discussion: """
            Reads a window of the questions, both tables and the output topics, makes each enriched record again from \
            the answers and votes as they stood, and compares byte for byte. It reports records that are missing, \
            doubled, wrong or out of order, and with publish.on: changes last records that lack changes of the tables \
            (stale). The worker names a record's origin in its header rejoinder.from, unless publish.fromHeader is \
            false. The command joins no group, commits nothing and publishes nothing.

            Events that the group has not passed yet are not looked for. With --sample, records of this part of the \
            questions are made again, chosen by their ids; all are counted and their order is looked at.

            Status 0 if all is right, 1 if anything is not.

            Example:
              rejoinder verify --from -1d --config rejoinder.yaml
              rejoinder verify --from -7d --sample 1% --junit verify.xml --config rejoinder.yaml
            """)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the window of question events begins: beginning, an offset, a time (2024-05-01T09:30:00Z), or a "
                + "time ago (-1d).",
            valueName: "bound"))
    var from: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where it ends: end (the default), an offset, a time, or a time ago.", valueName: "bound"))
    var to: String?

    @Option(help: ArgumentHelp("The part of the questions whose records are made again: 1%, 0.5%.", valueName: "part"))
    var sample: String?

    @Option(help: ArgumentHelp("Write a JUnit report too.", valueName: "file"))
    var junit: String?

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func validate() throws {
        _ = try window()
        if let sample, Self.part(sample) == nil {
            throw ValidationError("--sample is '\(sample)'; say a part such as 1% or 0.5%, up to 100%.")
        }
    }

    func run() throws {
        let settings = try options.settings()
        let signals = StopOnSignal()
        var options = Verification.Options(configuration: settings.workerConfiguration, window: try window())
        options.sample = sample.flatMap(Self.part) ?? 1
        let screen = ReplayScreen()
        defer { screen.end() }
        let report = try Verification(
            options: options, stop: signals.stop, logger: settings.logger("verify", atLeast: .critical)
        ).run(progress: screen.show)
        screen.end()
        if let junit { try ReportOutput.write(report.junit(suite: "rejoinder verify"), to: junit) }
        for line in VerificationText.lines(report, delivery: settings.delivery) {
            LineWriter.standardOutput.write(line)
        }
        if report.wasStopped { return signals.endProcess() }
        guard !report.isClean(allowsDoubles: settings.delivery == .atLeastOnce) else { return }
        throw CommandFailure(
            .different,
            "the published records are not those that the input topics make; keep the topics as they are until the "
                + "cause is known."
        )
    }

    private func window() throws -> Window {
        do throws(CaptureError) {
            return try Window(
                from: try WindowBound(from: from),
                to: try to.map { text throws(CaptureError) in try WindowBound(to: text) } ?? .end)
        } catch {
            throw ValidationError(error.description)
        }
    }

    /// "1%" as 0.01; nil: not a share.
    static func part(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0, percent <= 100 else {
            return nil
        }
        return percent / 100
    }
}
