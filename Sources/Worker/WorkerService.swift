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
    package let reports: [LaneReport]
    package let cluster: Cluster
    /// By lane.
    let inboxes: [PreviewInbox]
    private let configuration: WorkerConfiguration
    private let stateDirectory: StateDirectory
    private let logger: Logger
    private let stop = StopSignal()

    /// Looks at the cluster and takes the state directory; nothing is consumed before ``run()``.
    /// - Throws: ``WorkerError`` when the worker could not work.
    package init(configuration: WorkerConfiguration, logger: Logger) throws(WorkerError) {
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
        reports = (0..<configuration.lanes).map { LaneReport(lane: $0) }
        inboxes = reports.map { _ in PreviewInbox() }
    }

    /// The worker's name in transactional ids and client ids.
    package var identity: String { stateDirectory.identity }

    /// Runs the lanes until a graceful shutdown, cancellation, or the failure of one of them, which stops the others.
    package func run() async throws {
        defer { stateDirectory.unlock() }
        try await withGracefulShutdownHandler {
            try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for report in reports {
                        group.addTask { try await self.runLane(report) }
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
        }
    }

    /// Blocking librdkafka calls may not hold up Swift's cooperative threads, so a lane has one of its own.
    private func runLane(_ report: LaneReport) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let thread = Thread { [self] in
                continuation.resume(with: Result { try workOnLane(report) })
            }
            thread.name = "lane-\(report.lane)"
            thread.start()
        }
    }

    private func workOnLane(_ report: LaneReport) throws {
        do {
            let lane = try Lane(
                index: report.lane, configuration: configuration, cluster: cluster, stateDirectory: stateDirectory,
                stop: stop, report: report, previews: inboxes[report.lane], logger: logger)
            try lane.run()
        } catch LaneFault.fatal(let error) {
            stop.request()
            throw error
        } catch let error as KafkaError where error.name == "_INVALID_ARG" {
            // librdkafka refuses the properties when it makes a client.
            stop.request()
            throw WorkerError(.configuration, "\(error); see kafka.properties in the configuration")
        } catch {
            stop.request()
            throw WorkerError(.failed, "Lane \(report.lane) gave up: \(error)")
        }
    }
}
