import Admin
import AnswerStore
import Foundation
import KafkaClient
import Logging
import ServiceLifecycle
import Throughput
import Worker

/// A worker with its admin port, throughput log and metrics.
struct WorkerProcess {
    let monitor: Monitor
    let admin: AdminServer
    private let worker: WorkerService
    private let probe: LagProbe
    private let settings: Settings

    /// Listens on the admin port from now on; the worker consumes nothing before `run`.
    /// - Parameter sandbox: operations for tests; nil: the admin port is for reading.
    /// - Throws: ``WorkerError`` when the port cannot be listened on.
    init(_ worker: WorkerService, settings: Settings, sandbox: (any SandboxControl)? = nil) async throws {
        let names = settings.names(identity: worker.identity)
        let board = LagBoard()
        let metrics = WorkerMetrics(
            names: names, librdkafka: KafkaProperties.librdkafkaVersion, reports: worker.reports, board: board,
            objectiveMilliseconds: settings.objectiveMilliseconds)
        metrics.showLibraries()
        monitor = Monitor(
            names: names, reports: worker.reports, options: settings.monitorOptions, board: board,
            sinks: [metrics], log: settings.throughputLog(),
            historyFile: HistoryFile(directory: settings.storeDirectory, logger: settings.logger("monitor")),
            logger: settings.logger("monitor"))
        let questions = settings.questionLookup(worker)
        admin = try await AdminServer(
            host: settings.adminHost, port: settings.adminPort, monitor: monitor, metrics: metrics,
            questions: questions, deadLetters: settings.deadLetterLookup(worker), sandbox: sandbox,
            peers: settings.adminPeers.map { GroupPeer(host: $0.host, port: $0.port, path: $0.path) },
            logger: settings.logger("admin"))
        settings.logger("rejoinder").info(
            "admin address",
            metadata: ["address": "\(admin.address)", "url": "http://\(admin.address)"])
        probe = settings.lagProbe(worker, board: board)
        self.worker = worker
        self.settings = settings
    }

    /// Handles signals until the service group takes over, as long as there is no work to finish. Without a handler a
    /// container's first process would ignore them.
    static func endOnSignal() {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
    }

    /// Runs until SIGTERM or SIGINT, until the worker ends, or until the task is cancelled.
    func run() async throws {
        // Shut down from the last to the first; each ends before the one listed above it.
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: admin),
                .init(service: monitor),
                .init(service: probe),
                .init(service: FreedMemory()),
                .init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: admin.stopNotice),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: settings.logger("lifecycle", atLeast: .warning))
        // Longer than a stopping lane waits for a broker that does not answer.
        group.maximumGracefulShutdownDuration = .seconds(40)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            monitor.end()
            throw error
        }
        monitor.end()
    }
}

extension Settings {
    fileprivate func questionLookup(_ worker: WorkerService) -> QuestionLookup {
        // Like the worker's table consumers: not a member of a group.
        let properties = ClientProperties(configuration: workerConfiguration, identity: worker.identity, lane: 0)
            .follower
        return QuestionLookup(
            topic: topics.questions, partitionCount: worker.cluster.layout.questions, properties: properties,
            reports: worker.reports, logger: logger("questions"),
            stored: { [publishOn, storeDirectory] id, place in
                guard publishOn != .questions else { return .unknown }
                let event = id.withUnsafeBytes {
                    StateDirectory.event(of: $0, partition: place.partition, stateDirectory: storeDirectory)
                }
                switch event {
                case .found(let event):
                    return .found(
                        QuestionEvent(
                            place: place, offset: event.offset, timestamp: event.timestamp, value: event.value))
                case .absent(let below): return .absent(below: below)
                case .unreadable: return .unknown
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
        // The lanes' clients log the same messages about the same brokers.
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
}
