import ArgumentParser
import Foundation
import KafkaClient
import Sources
import Worker

/// `rejoinder sources`
struct SourcesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources",
        abstract: "Shows how sources translate other systems' records.",
        discussion: """
            A source reads a topic as another system publishes it, such as Debezium's change events of a site's \
            tables, and publishes questions, answers and votes. 'rejoinder run' runs the sources that stand in the \
            configuration.
            """,
        subcommands: [Try.self, Show.self, Lint.self])

    /// `rejoinder sources lint`
    struct Lint: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks the sources of a configuration, and connects to nothing.",
            discussion: """
                Every mistake is named with file, line and key, all at once. Status 78 if there is one.

                Example:
                  rejoinder sources lint --config rejoinder.yaml
                """)

        @OptionGroup(title: "Settings")
        var options: SettingsOptions

        func run() throws {
            let settings = try options.settings()
            for mapping in settings.sources {
                LineWriter.standardOutput.write(
                    "ok    \(mapping.name) (\(mapping.format.rawValue)): \(mapping.fields.count) fields"
                        + (mapping.carry.isEmpty ? "" : ", \(mapping.carry.count) columns carried"))
            }
            if settings.sources.isEmpty {
                throw CommandFailure(
                    .configuration, "there are no sources in the configuration; list them under sources:.")
            }
        }
    }

    /// `rejoinder sources show`
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a preset as YAML, to be copied and changed.",
            discussion: """
                Presets: \(SourcePreset.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")).

                Example:
                  rejoinder sources show askbot --topic-prefix forum.public >> rejoinder.yaml
                """)

        @Argument(help: "\(SourcePreset.allCases.map(\.rawValue).joined(separator: ", ")).")
        var preset: SourcePreset

        @Option(help: ArgumentHelp("What the topics' names begin with.", valueName: "prefix"))
        var topicPrefix = "site.public"

        func run() { LineWriter.standardOutput.write(preset.yaml(topicPrefix: topicPrefix)) }
    }
}

extension SourcePreset: ExpressibleByArgument {}
