import ArgumentParser
import KafkaClient
import Worker

/// `rejoinder topics`
struct TopicsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics",
        abstract: "Makes the topics that the worker lives between.",
        subcommands: [Create.self])

    /// `rejoinder topics create`
    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Makes the five topics, each with the settings it needs.",
            discussion: """
                Topics that exist are compared, never changed. One line for each: created; exists, as needed; or \
                exists, differs, with what differs. Status 0 if the worker can use them, else 78 and what to do.

                Without --partitions, new topics get as many partitions as the input topics that exist, or 4.

                Example:
                  rejoinder topics create --partitions 12 --replication-factor 3 --bootstrap-servers kafka-1:9092
                """)

        @Option(help: ArgumentHelp("Partitions of each new topic.", valueName: "number"))
        var partitions: Int32?

        @Option(help: ArgumentHelp("Replicas of each new topic. Default: the cluster's own.", valueName: "number"))
        var replicationFactor: Int32?

        @OptionGroup(title: "Settings")
        var options: SettingsOptions

        func validate() throws {
            if let partitions, !(1...10_000).contains(partitions) {
                throw ValidationError("--partitions must be from 1 to 10000, not \(partitions).")
            }
            if let replicationFactor, !(1...100).contains(replicationFactor) {
                throw ValidationError("--replication-factor must be from 1 to 100, not \(replicationFactor).")
            }
        }

        func run() throws {
            let settings = try options.settings()
            let maker = TopicMaker(
                configuration: settings.workerConfiguration, partitions: partitions,
                replicationFactor: replicationFactor, logger: settings.logger("topics", atLeast: .critical))
            let advice = try maker.run { LineWriter.standardOutput.write($0) }
            guard advice.isEmpty else { throw CommandFailure(.configuration, lines: advice) }
        }
    }
}
