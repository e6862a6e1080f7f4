import AnswerStore
import Enrichment
import Foundation
import KafkaClient
import Testing

@testable import Worker

/// A lane on a thread of its own, without the service around it.
enum LaneRun {
    /// Runs until `stop` asks for it.
    /// - Parameter open: opens the state directory.
    /// - Returns: how long the lane lived.
    @discardableResult
    static func run(
        _ site: EmbeddedSite, configuration: WorkerConfiguration? = nil, report: LaneReport, stop: StopSignal,
        topicWatch: TopicWatch? = nil,
        open: @escaping @Sendable (_ path: String) throws -> StateDirectory = { try StateDirectory(path: $0) }
    ) async throws -> Duration {
        let configuration = configuration ?? site.configuration()
        let logger = site.logger
        return try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    with: Result {
                        let state = try open(configuration.stateDirectory)
                        defer { state.unlock() }
                        let cluster = try Cluster.survey(
                            topics: configuration.topics, properties: configuration.kafkaProperties,
                            timeout: .seconds(10), logger: logger)
                        let began = ContinuousClock.now
                        let lane = try Lane(
                            index: 0, configuration: configuration, cluster: cluster, stateDirectory: state, stop: stop,
                            report: report, topicWatch: topicWatch, logger: logger)
                        try lane.run()
                        return ContinuousClock.now - began
                    })
            }
            thread.start()
        }
    }
}

/// A partition whose store is brought up by a follower, step by step.
final class Restoring {
    let partition: OwnedPartition
    private let follower: TableFollower
    private var partitions = OwnedPartitions()
    /// Offsets of the records that became dead letters.
    private(set) var letters: [Int64] = []

    /// - Parameters:
    ///   - state: nil makes one at the site's directory.
    ///   - pendingBytes: with little of it the store is loaded.
    ///     - ends: the watermarks reported for the tables' partitions at the take-over; nil: as they are.
    ///   - committed: the group's offsets.
    ///   - isLive: published records follow changes.
    init(
        _ site: EmbeddedSite, state: StateDirectory? = nil, pendingBytes: Int = 32 << 20,
        ends: [(low: Int64, high: Int64)]? = nil, committed: [Table: Int64] = [:], isLive: Bool = false
    ) throws {
        let state = try state ?? StateDirectory(path: site.directory.path)
        let store = try state.openStore(
            partition: 0, source: StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: 0),
            pendingBytes: pendingBytes
        ).store
        let configuration = site.configuration {
            if isLive { $0.publishOn = .changes(coalesce: .milliseconds(50)) }
        }
        follower = try TableFollower(
            properties: ClientProperties(configuration: configuration, identity: "i", lane: 0),
            topics: site.topics, watch: LaneWatch(report: LaneReport(lane: 0)), logger: site.logger)
        let limits = RecordLimits(maxMessageBytes: 1 << 20, maxRecordBytes: 1 << 20)
        partition = OwnedPartition(number: 0, store: store, live: isLive ? LivePartition(limits: limits) : nil)
        partitions[0] = partition
        try follower.beginRestore(
            partition,
            committed: Dictionary(uniqueKeysWithValues: committed.map { (follower.place($0.key, 0), $0.value) }),
            ends: ends ?? Table.allCases.map { try site.ends(of: follower.place($0, 0)) })
    }

    var store: AnswerStore { partition.store }

    /// One step's work.
    func advance() throws {
        _ = try follower.advance(partitions, wait: 20) { letters.append($0.offset) }
    }

    /// One step after the other, up to one after which `isDone`.
    func advance(until isDone: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        repeat {
            try advance()
            try #require(.now < deadline)
        } while !isDone()
    }

    func rewind(committed: [Table: Int64]) throws {
        try follower.rewind(
            [partition],
            committed: Dictionary(uniqueKeysWithValues: committed.map { (follower.place($0.key, 0), $0.value) }))
    }

    func letGo() throws { try follower.letGo(of: [partition]) }

    func lag(_ table: Table) -> Int64? { follower.lag(table, of: partition) }

    func close() {
        follower.close()
        partition.store.close()
    }
}
