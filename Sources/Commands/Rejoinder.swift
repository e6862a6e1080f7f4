import ArgumentParser
import Foundation

/// The command line's root.
package struct Rejoinder: AsyncParsableCommand {
    /// Name, help and subcommands for the argument parser.
    package static let configuration = CommandConfiguration(
        commandName: "rejoinder",
        abstract: "Attaches stored answers and votes to question events in Kafka.",
        discussion: """
            A worker beside a Kafka cluster: it consumes question events, looks up the answers and vote tallies it has \
            stored, and publishes the enriched records.

            Settings come from flags, REJOINDER_ environment variables and a YAML file, in this order; \
            'rejoinder config' shows what holds and where it came from.

            Exit status: 0 fine, 1 a replay or what is published is not what was expected, 64 usage, 65 bad data, 69 \
            broker unreachable, 70 internal error, 73 state directory, 78 configuration.
            """,
        version: ProductVersion.text,
        subcommands: [
            RunCommand.self, DemoCommand.self, SandboxCommand.self, CheckCommand.self, TopicsCommand.self,
            LoadCommand.self, GenerateCommand.self, SourcesCommand.self, ShowCommand.self, RecordCommand.self,
            ReplayCommand.self, VerifyCommand.self, TopCommand.self, ReportCommand.self, HealthCommand.self,
            ConfigCommand.self,
        ])

    /// Called by the argument parser.
    package init() {}

    /// Errors of our commands become sentences and an `ExitStatus`. The parser's own exits (usage, help, version) stay
    /// with the parser.
    package static func main() async {
        var command: any ParsableCommand
        do {
            command = try parseAsRoot(try ArgumentValues.tied(Array(CommandLine.arguments.dropFirst())))
        } catch {
            exit(withError: error)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            // The parser's own exits have statuses of their own; for our errors it knows none and says `.failure`.
            if exitCode(for: error) != .failure { exit(withError: error) }
            let failure = CommandFailure(error)
            // After all logged lines; the wait is limited, since standard error may have no reader.
            LogWriter.standardError.finish(with: failure.logLines(isLog: LogWriter.standardError.isLog))
            Foundation.exit(failure.status.rawValue)
        }
    }
}
