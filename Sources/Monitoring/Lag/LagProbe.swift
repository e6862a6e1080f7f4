import Foundation
import KafkaClient
import Logging
import ServiceLifecycle
import Synchronization
import Worker

/// Asks the brokers once a second for the ends of every partition that the worker has, whether its lane gets on or not.
///
/// It has a thread and clients of its own, and a deadline for each request, so that a broker that does not answer holds up
/// nothing else; the worker's end does not wait for it. A leader's partitions are one request, and a leader that does not answer
/// keeps only the ends of its own partitions from being known.
package final class LagProbe: Service {
    private static let pause = 1.0
    private static let patience = Duration.seconds(2)
    /// How long the partitions' leaders are believed while they answer.
    private static let leadersLast = Duration.seconds(60)
    /// Records that are read in one round for their timestamps.
    private static let mostReads = 4

    private let board: LagBoard
    private let reports: [LaneReport]
    private let always: TopicPartition
    private let properties: KafkaProperties
    private let logger: Logger
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - always: a partition that is asked for even while the worker has none, so that it knows of brokers that are away.
    ///   - properties: a consumer's, the user's over them.
    ///   - logger: for librdkafka's lines; the lanes' clients say the same of the same brokers, so it may be a quiet one.
    package init(
        board: LagBoard, reports: [LaneReport], always: TopicPartition, properties: KafkaProperties, logger: Logger
    ) {
        self.board = board
        self.reports = reports
        self.always = always
        // Nothing is consumed but a record now and then for its timestamp.
        self.properties = properties.overlaid(
            by: KafkaProperties([
                "queued.max.messages.kbytes": "1024", "queued.min.messages": "1", "fetch.message.max.bytes": "65536",
                "auto.offset.reset": "earliest", "reconnect.backoff.max.ms": "1000",
            ]))
        self.logger = logger
    }

    package func run() async throws {
        let thread = Thread { [self] in
            do {
                var asking = try Asking(properties: properties, logger: logger)
                while !isStopped.load(ordering: .relaxed) {
                    round(&asking)
                    Thread.sleep(forTimeInterval: Self.pause)
                }
                asking.close()
            } catch {
                board.note(failure: "\(error)")
                logger.error("the lags are not asked for", metadata: ["cause": "\(error)"])
            }
        }
        thread.name = "lag-probe"
        thread.start()
        // Throws when cancelled. The thread ends by itself, some seconds later where a broker does not answer.
        try? await gracefulShutdown()
        isStopped.store(true, ordering: .relaxed)
    }

    /// The clients, and who leads which partition. Belongs to the thread.
    private struct Asking {
        let all: AssignedConsumer
        /// Made when something is held back.
        var committed: AssignedConsumer?
        let properties: KafkaProperties
        let logger: Logger
        var leaders: [TopicPartition: Int32] = [:]
        var leadersAsked: ContinuousClock.Instant?

        init(properties: KafkaProperties, logger: Logger) throws(KafkaError) {
            self.properties = properties
            self.logger = logger
            all = try AssignedConsumer(
                properties: properties.overlaid(by: KafkaProperties(["isolation.level": "read_uncommitted"])),
                logger: logger)
        }

        mutating func readCommitted() throws(KafkaError) -> AssignedConsumer {
            if let committed { return committed }
            let made = try AssignedConsumer(
                properties: properties.overlaid(by: KafkaProperties(["isolation.level": "read_committed"])),
                logger: logger)
            committed = made
            return made
        }

        /// For people: librdkafka's own reason, where it has one of the last seconds, says more than a timeout.
        func reason(of error: KafkaError) -> String {
            guard error.isTimeout, let trouble = all.lastTrouble, .now - trouble.time < .seconds(30) else {
                return "\(error)"
            }
            return trouble.reason
        }

        func close() {
            all.close()
            committed?.close()
        }
    }

    private func round(_ asking: inout Asking) {
        let lags = reports.flatMap { $0.current.lags }
        let positions = lags.reduce(into: [TopicPartition: Int64]()) { positions, lag in
            if let next = lag.next { positions[lag.place] = next }
        }
        board.keep(positions.merging([always: 0]) { next, _ in next })
        let places = Set(positions.keys).union([always])
        askLeaders(&asking, of: places)
        var failed = false
        for group in Dictionary(grouping: places, by: { asking.leaders[$0] ?? -1 }).values {
            if isStopped.load(ordering: .relaxed) { return }
            do throws(KafkaError) {
                let ends = try asking.all.ends(of: group.sorted(), timeout: Self.patience)
                board.note(ends: ends)
                failed = failed || ends.count < group.count
            } catch {
                failed = true
                board.note(failure: asking.reason(of: error))
            }
        }
        if failed { asking.leadersAsked = nil }
        let current = board.bringUp(reports.flatMap { $0.current.lags }, at: .now)
        askStable(&asking, current.filter { $0.records > 0 && $0.next == positions[$0.place] })
        readTimestamps(asking, current)
    }

    private func askLeaders(_ asking: inout Asking, of places: Set<TopicPartition>) {
        if let asked = asking.leadersAsked, .now - asked < Self.leadersLast,
            places.allSatisfy({ asking.leaders[$0] != nil })
        {
            return
        }
        do throws(KafkaError) {
            let leaders = try asking.all.leaders(of: Set(places.map(\.topic)), timeout: Self.patience)
            asking.leaders = leaders
            asking.leadersAsked = .now
        } catch {
            // Those known so far may still lead.
            board.note(failure: asking.reason(of: error))
        }
    }

    /// Where records wait and the position stands still: whether an open transaction holds them back.
    private func askStable(_ asking: inout Asking, _ standing: [PartitionLag]) {
        guard !standing.isEmpty else { return }
        let leaders = asking.leaders
        for group in Dictionary(grouping: standing.map(\.place), by: { leaders[$0] ?? -1 }).values {
            // What went wrong here has been told of by the ends.
            guard let ends = try? asking.readCommitted().ends(of: group.sorted(), timeout: Self.patience) else {
                continue
            }
            board.note(stable: ends)
        }
    }

    /// Records that waited before the probe began: how old they are only they themselves tell.
    private func readTimestamps(_ asking: Asking, _ lags: [PartitionLag]) {
        let wanted = board.unknownArrivals(lags).sorted { $0.key < $1.key }.prefix(Self.mostReads)
        for (place, position) in wanted {
            guard (try? asking.all.assign([place: position])) != nil else { continue }
            let deadline = ContinuousClock.now + .seconds(1)
            reading: while .now < deadline {
                switch asking.all.poll(timeoutMilliseconds: 200) {
                case .message(let message):
                    defer { message.release() }
                    // One of a partition that was read before may still come.
                    guard asking.all.topics[message.topicIndex] == place.topic, message.partition == place.partition,
                        message.offset >= position
                    else { continue }
                    board.note(timestamp: message.timestamp ?? 0, of: place, at: position)
                    break reading
                case .endOfPartition: break reading
                case .nothing, .failure, .rebalance: continue
                }
            }
            try? asking.all.unassign([place])
        }
    }
}
