import AnswerStore
import ArgumentParser
import Foundation
import KafkaClient
import Logging
import Monitoring
import ServiceLifecycle
import Worker

/// `rejoinder run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs the worker until it is told to stop.",
        discussion: """
            Consumes question events, attaches the stored answers and votes, and publishes the enriched records. SIGTERM or \
            SIGINT: the step is finished and committed, the stores are closed, the group is left, status 0. An error that \
            trying again does not mend ends the process with a sentence and a status other than 0, for a supervisor to \
            start it again. 'rejoinder check' tells beforehand whether it can work.

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
        Self.endOnSignal()
        AllocatedMemory.keepTogether()
        let worker = try WorkerService(
            configuration: configuration, logger: settings.logger("worker"),
            endProcess: { sentence in
                logger.critical("\(sentence)")
                LogWriter.standardError.finish(patience: .seconds(1))
                _exit(ExitStatus.brokerUnreachable.rawValue)
            })
        logger.info("start", metadata: settings.startMetadata(identity: worker.identity, cluster: worker.cluster))
        try lookAtTopics(of: settings, logger: logger)
        let names = settings.names(identity: worker.identity)
        let board = LagBoard()
        let metrics = WorkerMetrics(
            names: names, librdkafka: KafkaProperties.librdkafkaVersion, reports: worker.reports, board: board,
            objectiveMilliseconds: settings.objectiveMilliseconds)
        metrics.showLibraries()
        let monitor = Monitor(
            names: names, reports: worker.reports, options: settings.monitorOptions, board: board,
            sinks: [metrics], log: settings.throughputLog(),
            historyFile: HistoryFile(directory: settings.storeDirectory, logger: settings.logger("monitor")),
            logger: settings.logger("monitor"))
        let questions = settings.questionLookup(worker)
        // Listens before anything is consumed: a port in use ends it here.
        let admin = try await AdminServer(
            host: settings.adminHost, port: settings.adminPort, monitor: monitor, metrics: metrics,
            questions: questions, deadLetters: settings.deadLetterLookup(worker), logger: settings.logger("admin"))
        logger.info(
            "admin address",
            metadata: ["address": "\(admin.address)", "url": "http://\(admin.address)"])
        // A shutdown goes through them from the last to the first, each when the one behind it has ended.
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: admin),
                .init(service: monitor),
                .init(service: settings.lagProbe(worker, board: board)),
                .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: admin.stopNotice),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: settings.logger("lifecycle", atLeast: .warning))
        // Beyond what a stopping lane waits for a broker that does not answer.
        group.maximumGracefulShutdownDuration = .seconds(40)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            monitor.end()
            throw error
        }
        monitor.end()
        logger.info("stopped")
    }

    /// Until the service group takes the signals over there is nothing to finish. Without a handler a container's first
    /// process would not hear them at all.
    private static func endOnSignal() {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
    }

    /// Settings of topics that would lose what a worker relies on are warned of; those with which it cannot work end it
    /// here, with a sentence, rather than in a transaction that fails for ever.
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
    /// `all` is what a worker runs without the option.
    public init?(argument: String) {
        guard argument != WorkerPart.all.rawValue else { return nil }
        self.init(rawValue: argument)
    }
}

extension Settings {
    fileprivate func questionLookup(_ worker: WorkerService) -> QuestionLookup {
        // As the worker's own table consumers: without a membership.
        let properties = ClientProperties(configuration: workerConfiguration, identity: worker.identity, lane: 0)
            .follower
        return QuestionLookup(
            topic: topics.questions, partitionCount: worker.cluster.layout.questions, properties: properties,
            reports: worker.reports, logger: logger("questions"),
            stored: { [publishOn, storeDirectory] id, place in
                guard publishOn != .questions else { return nil }
                let event = id.withUnsafeBytes {
                    StateDirectory.event(of: $0, partition: place.partition, stateDirectory: storeDirectory)
                }
                return event.map {
                    QuestionEvent(place: place, offset: $0.offset, timestamp: $0.timestamp, value: $0.value)
                }
            },
            preview: { key, value, partition in
                await worker.preview(key: key, value: value, partition: partition)
            })
    }

    fileprivate func deadLetterLookup(_ worker: WorkerService) -> DeadLetterLookup {
        let properties = ClientProperties(configuration: workerConfiguration, identity: worker.identity, lane: 0)
            .follower
        return DeadLetterLookup(properties: properties, logger: logger("dead-letters"))
    }

    fileprivate var monitorOptions: MonitorOptions {
        MonitorOptions(
            interval: .seconds(monitoringIntervalSeconds), objectiveMilliseconds: objectiveMilliseconds,
            commitInterval: .milliseconds(commitIntervalMilliseconds))
    }

    fileprivate func lagProbe(_ worker: WorkerService, board: LagBoard) -> LagProbe {
        let properties = ClientProperties(configuration: workerConfiguration, identity: worker.identity, lane: 0)
            .follower
        // The lanes' clients say the same of the same brokers.
        var quiet = logger("lag")
        quiet.logLevel = .critical
        return LagProbe(
            board: board, reports: worker.reports, always: TopicPartition(topic: topics.questions, partition: 0),
            properties: properties, logger: quiet)
    }

    fileprivate func names(identity: String) -> WorkerNames {
        WorkerNames(
            version: ProductVersion.number, group: groupID, worker: identity, delivery: delivery.rawValue,
            topics: topics)
    }

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
