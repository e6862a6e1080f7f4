import ArgumentParser

/// `rejoinder check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Tells whether 'run' would work, and how to mend it if not.",
        discussion: """
            Connects, looks at the topics and their settings, the consumer group, the transactional id and the state \
            directory, and prints one line for each: ok, warn or fail, what was found, and what to do. It joins no \
            group, fences no running worker and writes no record. Status 0 only if 'run' would work; else 69 (no \
            broker), 73 (state directory) or 78 (topics, permissions, settings). It takes less than 15 seconds, and \
            with --store the time of reading the stores' files once.

            Example:
              rejoinder check --config rejoinder.yaml
            """)

    @Flag(help: "Also read every store to its last byte, as a worker does after a crash.")
    var store = false

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() throws {
        let settings = try options.settings()
        var worst: [CheckResult] = []
        func report(_ result: CheckResult) {
            LineWriter.standardOutput.write(Self.line(result))
            if result.outcome == .fail { worst.append(result) }
        }
        report(StateDirectoryCheck.run(path: settings.storeDirectory))
        if store { StateDirectoryCheck.stores(path: settings.storeDirectory).forEach(report) }
        // The results contain librdkafka's errors; its own log lines would appear between them.
        let logger = settings.logger("check", atLeast: .critical)
        ClusterCheck(configuration: settings.workerConfiguration, logger: logger).run(report)
        guard let status = Self.status(of: worst) else { return }
        throw CommandFailure(
            status, "\(worst.count == 1 ? "one check has" : "\(worst.count) checks have") failed; 'run' would not work."
        )
    }

    static func line(_ result: CheckResult) -> String {
        let head = result.outcome.rawValue + String(repeating: " ", count: 6 - result.outcome.rawValue.count)
        return head + result.subject + ": " + result.finding + (result.advice.isEmpty ? "" : " -> " + result.advice)
    }

    /// Exit status of the most basic failure; nil without failures.
    static func status(of failures: [CheckResult]) -> ExitStatus? {
        let matters = failures.map(\.matter)
        if matters.contains(.broker) { return .brokerUnreachable }
        if matters.contains(.configuration) { return .configuration }
        return matters.isEmpty ? nil : .stateDirectory
    }
}
