import ArgumentParser
import Foundation
import KafkaClient
import Logging
import Worker

/// `rejoinder run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the worker until it is told to stop.",
        discussion: """
            Consumes question events, attaches the stored answers and votes, and publishes the enriched records. \
            SIGTERM or SIGINT: the step is finished and committed, the stores are closed, the group is left, status 0. \
            An error that trying again does not mend ends the process with a sentence and a status other than 0, for a \
            supervisor to start it again. 'rejoinder check' tells beforehand whether it can work.

            Example:
              rejoinder run --config rejoinder.yaml
              rejoinder run --bootstrap-servers localhost:9092 --state-dir /var/lib/rejoinder --log-format text
            """)

    @Option(
        help: ArgumentHelp("Run the sources or the questions alone; by default both.", valueName: "sources|questions"))
    var only: WorkerPart?

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func run() async throws {
        let settings = try options.settings()
        let configuration = settings.workerConfiguration(part: only ?? .all)
        let logger = settings.logger("rejoinder")
        WorkerProcess.endOnSignal()
        AllocatedMemory.keepTogether(lanes: configuration.lanes + configuration.sourceLanes)
        let worker = try WorkerService(
            configuration: configuration, logger: settings.logger("worker"),
            endProcess: { sentence in
                logger.critical("\(sentence)")
                LogWriter.standardError.finish(patience: .seconds(1))
                _exit(ExitStatus.brokerUnreachable.rawValue)
            })
        logger.info("start", metadata: settings.startMetadata(identity: worker.identity, cluster: worker.cluster))
        try lookAtTopics(of: settings, logger: logger)
        // Binds the admin port before the worker consumes, so that a port in use ends the process here.
        try await WorkerProcess(worker, settings: settings).run()
        logger.info("stopped")
    }

    /// Warns of topic settings that would lose records the worker relies on. Settings that it cannot work with end the
    /// process here, with a sentence, instead of in a transaction that fails for ever.
    private func lookAtTopics(of settings: Settings, logger: Logger) throws(CommandFailure) {
        var failures: [String] = []
        let check = ClusterCheck(
            configuration: settings.workerConfiguration, logger: settings.logger("check", atLeast: .warning),
            patience: .seconds(5))
        check.runSettings { result in
            let sentence = "\(result.subject): \(result.finding); \(result.advice)"
            switch result.outcome {
            case .warn: logger.warning("\(sentence)")
            case .fail: failures.append(sentence)
            case .ok, .skipped: break
            }
        }
        if !failures.isEmpty { throw CommandFailure(.configuration, lines: failures) }
    }
}

extension WorkerPart: ExpressibleByArgument {
    /// Rejects `all`, the default without the option.
    public init?(argument: String) {
        guard argument != WorkerPart.all.rawValue else { return nil }
        self.init(rawValue: argument)
    }
}

extension Settings {
    fileprivate func startMetadata(identity: String, cluster: Cluster) -> Logger.Metadata {
        [
            "version": "\(ProductVersion.number)",
            "librdkafka": "\(KafkaProperties.librdkafkaVersion)",
            "identity": "\(identity)",
            "cluster": "\(cluster.id)",
            "group": "\(groupID)",
            "delivery": "\(delivery.rawValue)",
            "publishOn": "\(publishOn.name)",
            "lanes": .stringConvertible(lanes),
            "stateDirectory": "\(storeDirectory)",
            "topics": .dictionary([
                "questions": "\(topics.questions)", "answers": "\(topics.answers)", "votes": "\(topics.votes)",
                "enriched": "\(topics.enriched)", "deadLetter": "\(topics.deadLetter)",
            ]),
            "sources": .array(sources.map { "\($0.name)" }),
            "partitions": .stringConvertible(cluster.layout.questions),
        ]
    }
}
