import ArgumentParser

/// `rejoinder config`
struct ConfigCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case yaml
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Shows the effective configuration and where each value came from.",
        discussion: """
            Reads flags, environment and file as every other command does, and connects to nothing. Secrets are \
            masked. The output is a configuration file again, with the origins as comments.

            Example:
              rejoinder config --config rejoinder.yaml --lanes 2
            """)

    @Option(name: .long, help: "yaml or json.")
    var format: Format = .yaml

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() throws {
        let report = SettingsReport(of: try options.settings())
        LineWriter.standardOutput.write(format == .yaml ? report.yaml : report.json)
    }
}
