import Foundation
import KafkaClient
import Logging
import ServiceLifecycle
import Synchronization
import Worker

/// Asks the brokers once a second for the ends of all partitions of the worker, whether or not their lanes make
/// progress.
///
/// It has its own thread and clients, and a deadline for each request, so that a broker without an answer holds up
/// neither the worker nor its end. Each leader gets one request for its partitions; where it does not answer, only
/// their ends are unknown.
package final class LagProbe: Service {
    private static let pause = 1.0
    private static let patience = Duration.seconds(2)
    /// How long known leaders are used while they answer.
    private static let leadersLast = Duration.seconds(60)
    /// The most records read in one round for their timestamps.
    private static let mostReads = 4

    private let board: LagBoard
    private let reports: [LaneReport]
    private let always: TopicPartition
    private let properties: KafkaProperties
    private let logger: Logger
    private let isStopped = Atomic(false)

    /// - Parameters:
    ///   - always: a partition to ask for even while the worker has none, so that unreachable brokers are noticed.
    ///   - properties: a consumer's, overlaid by the user's.
    ///   - logger: for librdkafka's messages. It may be a quiet one: the lanes' clients report the same brokers.
    package init(
        board: LagBoard, reports: [LaneReport], always: TopicPartition, properties: KafkaProperties, logger: Logger
    ) {
        self.board = board
        self.reports = reports
        self.always = always
        // The only records consumed are a few read for their timestamps.
        self.properties = properties.overlaid(
            by: KafkaProperties([
                "queued.max.messages.kbytes": "1024", "queued.min.messages": "1", "fetch.message.max.bytes": "65536",
                "auto.offset.reset": "earliest", "reconnect.backoff.max.ms": "1000",
            ]))
        self.logger = logger
    }

    /// Runs its thread until the service is told to shut down.
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

    /// The clients and the partitions' leaders. Used by the probe's thread only.
    private struct Asking {
        let all: AssignedConsumer
        /// Created when records are first held back.
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

        /// For people: librdkafka's own recent reason, which says more than a timeout.
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
        let contents = reports.map(\.current)
        var positions = committedOffsets(asking, of: contents.flatMap(\.takingOver))
        for lag in contents.flatMap(\.lags) {
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
        let current = reports.map(\.current).flatMap { content in
            var content = content
            board.bringUp(&content, at: .now)
            return content.lags
        }
        askStable(&asking, current.filter { $0.records > 0 && $0.next == positions[$0.place] })
        readTimestamps(asking, current)
    }

    /// The group's offsets in partitions that a lane is taking over, without those of open transactions, which may be
    /// the reason why the take-over waits. Writes them to the board.
    private func committedOffsets(_ asking: Asking, of places: [TopicPartition]) -> [TopicPartition: Int64] {
        guard !places.isEmpty else { return [:] }
        // A failure is the take-over's own, which reports it. The last answer still holds.
        guard let offsets = try? asking.all.committedOffsets(places, timeout: Self.patience) else {
            return board.committed(places)
        }
        board.note(committed: offsets)
        return offsets
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
            // The leaders known so far may still lead.
            board.note(failure: asking.reason(of: error))
        }
    }

    /// Asks whether open transactions hold records back, in partitions whose position stands still despite a lag.
    private func askStable(_ asking: inout Asking, _ standing: [PartitionLag]) {
        guard !standing.isEmpty else { return }
        let leaders = asking.leaders
        for group in Dictionary(grouping: standing.map(\.place), by: { leaders[$0] ?? -1 }).values {
            // The request for the ends has reported this failure.
            guard let ends = try? asking.readCommitted().ends(of: group.sorted(), timeout: Self.patience) else {
                continue
            }
            board.note(stable: ends)
        }
    }

    /// Reads records that waited before the probe's first look: only their own timestamps tell their age.
    private func readTimestamps(_ asking: Asking, _ lags: [PartitionLag]) {
        let wanted = board.unknownArrivals(lags).sorted { $0.key < $1.key }.prefix(Self.mostReads)
        for (place, position) in wanted {
            guard (try? asking.all.assign([place: position])) != nil else { continue }
            let deadline = ContinuousClock.now + .seconds(1)
            reading: while .now < deadline {
                switch asking.all.poll(timeoutMilliseconds: 200) {
                case .message(let message):
                    defer { message.release() }
                    // A record of the partition read before may still arrive.
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
