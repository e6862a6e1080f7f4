import AnswerStore
import Foundation
import KafkaClient
import Logging
import ServiceLifecycle

/// The worker: its lanes, each on a thread of its own, from start to a graceful stop.
///
/// A graceful shutdown (SIGTERM in a service group) stops polling, finishes the step, commits, closes the stores and
/// leaves the group.
package final class WorkerService: Service {
    /// Reports of all lanes: those of the questions first, then those of the sources.
    package let reports: [LaneReport]
    let questionReports: [LaneReport]
    private let sourceReports: [LaneReport]
    /// As it was found at the start; topics that change later are the ``TopicWatch``'s matter.
    package let cluster: Cluster
    /// By lane.
    let inboxes: [PreviewInbox]
    private let configuration: WorkerConfiguration
    private let stateDirectory: StateDirectory
    private let logger: Logger
    private let stop = StopSignal()
    private let deadline = StopDeadline()
    private let endProcess: @Sendable (String) -> Void
    private let topicWatch: TopicWatch
    /// Pause between two looks at the topics.
    private static let topicPause = Duration.seconds(5)

    /// Looks at the cluster and takes the state directory; nothing is consumed before ``run()``.
    /// - Parameter endProcess: ends the process with this sentence when a lane has not ended in time after a stop.
    ///   Called on a thread of its own. By default it does nothing.
    /// - Throws: ``WorkerError`` for settings, topics or a state directory that no worker can use.
    package init(
        configuration: WorkerConfiguration, logger: Logger, endProcess: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(WorkerError) {
        self.endProcess = endProcess
        self.configuration = configuration
        self.logger = logger
        if let message = configuration.firstProblem { throw WorkerError(.configuration, message) }
        do throws(StateDirectoryError) {
            stateDirectory = try StateDirectory(path: configuration.stateDirectory)
        } catch {
            throw WorkerError(.stateDirectory, "\(error)")
        }
        let properties = ClientProperties(
            configuration: configuration, identity: stateDirectory.identity, lane: 0)
        do throws(WorkerError) {
            cluster = try Cluster.survey(
                topics: configuration.topics, properties: properties.admin, timeout: .seconds(10), logger: logger)
        } catch {
            stateDirectory.unlock()
            throw error
        }
        topicWatch = TopicWatch(topics: configuration.topics, counts: cluster.counts)
        let lanes = configuration.runsQuestions ? configuration.lanes : 0
        questionReports = (0..<lanes).map { LaneReport(lane: $0) }
        sourceReports =
            configuration.runsSources
            ? (0..<configuration.sourceLanes).map { LaneReport(lane: lanes + $0, isOfSources: true) }
            : []
        reports = questionReports + sourceReports
        inboxes = questionReports.map { _ in PreviewInbox() }
    }

    /// The worker's name in transactional ids and client ids.
    package var identity: String { stateDirectory.identity }

    /// Runs the lanes until a graceful shutdown, cancellation, or the failure of one of them, which stops the others.
    package func run() async throws {
        defer {
            deadline.cancel()
            stateDirectory.unlock()
        }
        watchTopics()
        try await withGracefulShutdownHandler {
            try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for report in questionReports {
                        group.addTask { try await self.runLane(report) { try self.workOnLane(report) } }
                    }
                    for (index, report) in sourceReports.enumerated() {
                        group.addTask { try await self.runLane(report) { try self.workOnSources(report, index) } }
                    }
                    do {
                        try await group.waitForAll()
                    } catch {
                        stop.request()
                        throw error
                    }
                }
            } onCancel: {
                stop.request()
            }
        } onGracefulShutdown: {
            self.stop.request()
            self.deadline.begin { self.endProcess(self.whereLanesAre) }
        }
    }

    /// A sentence for the log: the lanes that have not ended, and the wait of each.
    private var whereLanesAre: String {
        let lanes = reports.compactMap { report -> String? in
            let content = report.current
            guard !content.hasEnded else { return nil }
            let wait = content.wait.map { wait in
                "waits for \(wait.reason.rawValue) for \(Int((ContinuousClock.now - wait.since) / .seconds(1))) s"
                    + (wait.cause.map { " (\($0))" } ?? "")
            }
            return "lane \(report.lane) \(wait ?? "is at work")"
        }
        return "The worker did not end within \(StopDeadline.limit) of the request to stop: "
            + "\(lanes.joined(separator: "; ")). Its uncommitted work will be done again by the next owner of its "
            + "partitions"
    }

    /// Watches the topics on a thread that ends by itself when the worker is told to stop.
    private func watchTopics() {
        let properties = ClientProperties(configuration: configuration, identity: identity, lane: 0).admin
        let thread = Thread { [topicWatch, stop, logger] in
            topicWatch.run(properties: properties, pause: Self.topicPause, stop: stop, logger: logger)
        }
        thread.name = "topics"
        thread.start()
    }

    /// Runs a lane on a thread of its own: blocking librdkafka calls may not hold up Swift's cooperative threads.
    private func runLane(_ report: LaneReport, _ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread {
                continuation.resume(with: Result { try work() })
            }
            thread.name = "lane-\(report.lane)"
            thread.start()
        }
    }

    private func workOnLane(_ report: LaneReport) throws {
        try endingTheOthers("Lane \(report.lane)") {
            let lane = try Lane(
                index: report.lane, configuration: configuration.ofQuestions, cluster: cluster,
                stateDirectory: stateDirectory, stop: stop, report: report, previews: inboxes[report.lane],
                topicWatch: topicWatch, logger: logger)
            try lane.run()
        }
    }

    private func workOnSources(_ report: LaneReport, _ index: Int) throws {
        try endingTheOthers("Source lane \(index)") {
            let lane = try SourceLane(
                index: index, configuration: configuration.ofSources, cluster: cluster, stateDirectory: stateDirectory,
                stop: stop, report: report, logger: logger)
            try lane.run()
        }
    }

    /// Runs a lane's work. An error that ends one lane ends them all.
    private func endingTheOthers(_ name: String, _ work: () throws -> Void) throws {
        do {
            try work()
        } catch LaneFault.fatal(let error) {
            stop.request()
            throw error
        } catch let error as KafkaError where error.name == "_INVALID_ARG" {
            // librdkafka refuses the properties when it makes a client.
            stop.request()
            throw WorkerError(.configuration, "\(error); see kafka.properties in the configuration")
        } catch {
            stop.request()
            throw WorkerError(.failed, "\(name) gave up: \(error)")
        }
    }
}
