import AnswerStore
import Bytes
import KafkaClient
import Logging
import Sources

/// Applies the index topic to a lane's index store: all partitions, as any row may be looked up. Lane thread only.
final class SourceIndexFollower {
    private static let maxGathered = 4096

    private let topic: String
    private let index: SourceIndex
    private let store: IndexStore
    private let consumer: AssignedConsumer
    /// Reads the partitions' ends, uncommitted records included: no earlier owner's record can come after them.
    private let heads: AssignedConsumer
    /// Memory of the gathered records, reused from step to step.
    private let messages = MessageBatch(capacity: SourceIndexFollower.maxGathered)
    /// The error of this consumer and of the requests for ends, until it is settled.
    private var failure = ConsumerFailure()
    private let askPartitionCount: () throws(KafkaError) -> Int32
    /// Partitions of the index topic when the lane began to read it.
    private(set) var partitionCount: Int32 = 1
    private var positions: [Int32: Int64] = [:]
    /// The ends to reach; nil: not queried yet.
    private var targets: [Int32: Int64]?
    /// Whether the last ``advance(wait:applied:)`` took as many records as it may, so that more may be there.
    private(set) var hasMore = false

    /// - Parameter store: the index's.
    init(
        topic: String, properties: ClientProperties, index: SourceIndex, store: IndexStore, logger: Logger
    ) throws(KafkaError) {
        self.topic = topic
        self.index = index
        self.store = store
        consumer = try AssignedConsumer(properties: properties.follower, logger: logger)
        var uncommitted = properties.follower
        uncommitted["isolation.level"] = "read_uncommitted"
        heads = try AssignedConsumer(properties: uncommitted, logger: logger)
        askPartitionCount = { () throws(KafkaError) in
            let admin = try AdminClient(properties: properties.admin, logger: logger)
            defer { admin.close() }
            return try admin.describe(topics: [topic], timeout: .seconds(10))[topic]?.partitionCount ?? 0
        }
    }

    /// Begins to read at the store's positions.
    /// - Throws: `LaneFault` when the topic is missing; `KafkaError` when no broker answers.
    func start() throws {
        let count = try askPartitionCount()
        guard count > 0 else {
            throw LaneFault.fatal(
                WorkerError(
                    .configuration,
                    "The cluster has no topic '\(topic)', which the sources keep their index in; create it with "
                        + "`rejoinder topics create`, or name another under topics.sourceIndex"))
        }
        partitionCount = count
        var assignment: [TopicPartition: Int64] = [:]
        for partition in 0..<count {
            let position = try store.position(ofPartition: partition)
            positions[partition] = position
            assignment[TopicPartition(topic: topic, partition: partition)] =
                position == 0 ? AssignedConsumer.beginning : position
        }
        try startAnewIfTheTopicDid()
        for (place, _) in assignment where positions[place.partition] == 0 {
            assignment[place] = AssignedConsumer.beginning
        }
        try consumer.assign(assignment)
    }

    /// Empties the store where a partition ends below the store's position: the topic was recreated.
    private func startAnewIfTheTopicDid() throws {
        for (partition, position) in positions where position > 0 {
            let place = TopicPartition(topic: topic, partition: partition)
            guard try heads.queryWatermarks(place, timeout: .seconds(10)).high < position else { continue }
            try store.removeAll()
            for partition in positions.keys { positions[partition] = 0 }
            return
        }
    }

    /// Applies the records that have come to the store.
    /// - Parameter applied: called with each entry that was set.
    func advance(wait: Int32, applied: (_ key: Bytes, _ value: Bytes) throws -> Void) throws {
        let gathering = Gathering(into: messages, upTo: (Self.maxGathered, .max), wait: wait) {
            consumer.poll(timeoutMilliseconds: $0)
        }
        hasMore = if case .full = gathering.end { true } else { false }
        if case .failed(let error) = gathering.end { failure.note(error) }
        let gathered = gathering.messages
        consumer.keepFetching(records: gathered.count, bytes: gathered.byteCount, isStarving: false)
        var touched: Set<Int32> = []
        for position in 0..<gathered.count {
            let message = gathered[position]
            // LMDB's limits; only a foreign record breaks them.
            if let key = message.key, 1...511 ~= key.count { try index.follow(key, message.value) }
            // The records of a fetch are of one partition: one note for all of them.
            let isLast = position + 1 == gathered.count || gathered[position + 1].partition != message.partition
            guard isLast else { continue }
            positions[message.partition] = message.offset + 1
            touched.insert(message.partition)
        }
        for end in gathering.ends where end.offset > positions[end.place.partition] ?? 0 {
            positions[end.place.partition] = end.offset
            touched.insert(end.place.partition)
        }
        for partition in touched { try store.setPosition(positions[partition] ?? 0, ofPartition: partition) }
        // After all of them, so that every lookup sees the same state.
        for position in 0..<gathered.count {
            if let key = gathered[position].key, let value = gathered[position].value { try applied(key, value) }
        }
        try store.commitIfDue()
    }

    /// Forgets the ends, so that they are queried again.
    func restartCatchUp() { targets = nil }

    /// Whether the store has reached the topic's ends as of the first call after ``restartCatchUp()``.
    func hasCaughtUp(patience: Duration) throws -> Bool {
        if targets == nil {
            var ends: [Int32: Int64] = [:]
            do throws(KafkaError) {
                for partition in positions.keys {
                    ends[partition] = try heads.queryWatermarks(
                        TopicPartition(topic: topic, partition: partition), timeout: patience
                    ).high
                }
            } catch {
                failure.note(error)
                return false
            }
            targets = ends
        }
        return targets?.allSatisfy { (positions[$0.key] ?? 0) >= $0.value } ?? false
    }

    /// Logs a passing error of the last calls.
    /// - Throws: the error that ends the worker.
    func settleFailure(_ logger: Logger) throws(LaneFault) {
        try failure.settle(reading: "index of the sources", logger)
    }

    /// Records in the store, and records to reach; nil: not known yet.
    var progress: (done: Int64, of: Int64?) {
        guard let targets else { return (positions.values.reduce(0, +), nil) }
        let done = targets.reduce(0) { $0 + min(positions[$1.key] ?? 0, $1.value) }
        return (done, targets.values.reduce(0, +))
    }

    func takeThrottles() -> ClientThrottles { consumer.takeThrottles() }

    func close() {
        try? store.commit()
        consumer.close()
        heads.close()
        store.close()
    }
}
