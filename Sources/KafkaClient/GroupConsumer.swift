import CRDKafka
import Logging

/// A member of a consumer group.
///
/// Not Sendable: every call is made on the one thread that polls. No rebalance is answered inside librdkafka's
/// callback: `poll` returns it, and the caller answers with `assign` or `unassign` when it is ready.
package final class GroupConsumer {
    private(set) var client: ClientHandle
    private let properties: KafkaProperties
    private let logger: Logger
    /// `group.id`.
    package let groupID: String
    /// A static member keeps its place in the group when it closes.
    package let isStatic: Bool
    private var table = TopicTable()
    /// The topics of the last `subscribe`.
    private var subscription: [String] = []
    private var ahead: FetchAhead
    /// An assignment has arrived, even an empty one.
    var sawAssignment = false
    /// The rebalance that poll has returned and neither assign nor unassign has answered. `close` answers it, or
    /// librdkafka would wait for ever.
    private(set) var unanswered: Rebalance?
    /// Assigned partitions that are paused.
    private var paused: Set<TopicPartition> = []

    /// - Parameter properties: `group.id` is needed; `partition.assignment.strategy` is librdkafka's default unless
    ///   given. Automatic commits are forced off: offsets are committed by `commit` or in transactions.
    /// - Throws: when a property is unknown, refused, or missing.
    package init(properties: KafkaProperties, logger: Logger) throws(KafkaError) {
        guard let groupID = properties["group.id"], !groupID.isEmpty else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__INVALID_ARG, operation: "Making a group consumer",
                reason: "the property 'group.id' is missing")
        }
        self.groupID = groupID
        isStatic = properties["group.instance.id"].map { !$0.isEmpty } ?? false
        self.properties = properties
        self.logger = logger
        client = try Self.makeClient(groupID, properties, logger)
        ahead = FetchAhead(properties: properties)
    }

    private static func makeClient(
        _ groupID: String, _ properties: KafkaProperties, _ logger: Logger
    ) throws(KafkaError) -> ClientHandle {
        let client = try ClientHandle(
            .consumer, label: "consumer of group '\(groupID)'",
            properties: properties.overlaid(
                by: KafkaProperties(["enable.auto.commit": "false", "enable.auto.offset.store": "false"])),
            logger: logger)
        // Errors, logs and messages then share the one queue that poll serves.
        client.pollAsConsumer()
        return client
    }

    deinit {
        close(timeout: .seconds(5))
    }

    /// The topics subscribed to so far, in the order of their `topicIndex`.
    package var topics: [String] { table.names }

    /// Subscribes to these topics instead of the earlier ones. `poll` returns the assignment.
    package func subscribe(_ topics: [String]) throws(KafkaError) {
        let operation = "Subscribing to \(topics.joined(separator: ", ")) in group '\(groupID)'"
        let pointer = try client.open(operation)
        for topic in topics where !topic.hasPrefix("^") {
            table.add(topic, pointer: try client.topic(topic, operation))
        }
        let list = PartitionList(topics.map { TopicPartition(topic: $0, partition: RD_KAFKA_PARTITION_UA) })
        try client.check(list.lend { rd_kafka_subscribe(pointer, $0) }, operation)
        subscription = topics
    }

    /// Replaces librdkafka's consumer after a fatal error (`FENCED_INSTANCE_ID`), and subscribes to the same topics.
    /// The new one has no partitions. Every message must have been released. Takes up to `timeout`.
    package func renew(timeout: Duration) throws(KafkaError) {
        close(timeout: timeout)
        client = try Self.makeClient(groupID, properties, logger)
        table = TopicTable()
        ahead = FetchAhead(properties: properties)
        (sawAssignment, unanswered, paused) = (false, nil, [])
        try subscribe(subscription)
    }

    /// Returns the next event: a message, a rebalance, the end of a partition (with `enable.partition.eof`), an error.
    ///
    /// Must be called at least every `max.poll.interval.ms`. Allocates nothing for a message.
    package func poll(timeoutMilliseconds: Int32) -> ConsumerEvent {
        let event = client.poll(timeoutMilliseconds, topics: &table)
        if case .rebalance(let rebalance) = event {
            unanswered = rebalance
            if case .assigned = rebalance { sawAssignment = true }
        }
        return event
    }

    /// Answers that a broker's quota delayed since the last call.
    package func takeThrottles() -> ClientThrottles { client.context.takeThrottles() }

    /// Keeps librdkafka fetching ahead of a reader that takes large batches. Call once a batch; sends requests to the
    /// brokers only when librdkafka would not fetch on by itself.
    /// - Parameters:
    ///   - records: the number of records in the batch, of `bytes`.
    ///   - isStarving: the batch was empty, though the broker has more records.
    package func keepFetching(records: Int, bytes: Int, isStarving: Bool) {
        client.keepFetching(&ahead, records: records, bytes: bytes, isStarving: isStarving)
    }

    /// Answers `.assigned`. A partition is fetched from its entry in `positions`, or else from its committed offset (or
    /// by `auto.offset.reset`).
    ///
    /// librdkafka starts to fetch a partition in its own thread, once it has read the committed offset, and forgets to
    /// start it when a pause, a resume or a seek overtakes it there (versions of `rd_kafka_toppar_t`, in 2.0 and still
    /// in 2.14): no record of that partition comes until it is assigned again. So this pauses before it assigns.
    /// - Parameter paused: `poll` returns none of their messages until `resume`.
    package func assign(
        _ partitions: [TopicPartition], at positions: [TopicPartition: Int64] = [:], paused: Bool = false
    ) throws(KafkaError) {
        unanswered = nil
        // librdkafka may have kept the pause of an earlier assignment.
        let unknown = try prepare(partitions, paused: paused)
        let operation = "Taking over \(partitions.listed)"
        let pointer = try client.open(operation)
        var offsets: [TopicPartition: Int64] = [:]
        for partition in partitions { offsets[partition] = positions[partition] ?? Int64(RD_KAFKA_OFFSET_INVALID) }
        let list = PartitionList(offsets)
        if isCooperative {
            try client.check(list.lend { rd_kafka_incremental_assign(pointer, $0) }, operation)
        } else {
            try client.check(list.lend { rd_kafka_assign(pointer, $0) }, operation)
        }
        if paused {
            try client.pause(unknown)
            self.paused.formUnion(partitions)
        }
    }

    /// Pauses or resumes partitions before they are assigned.
    /// - Returns: those that are still unknown after the client has asked a broker about them.
    private func prepare(_ partitions: [TopicPartition], paused: Bool) throws(KafkaError) -> [TopicPartition] {
        guard !partitions.isEmpty else { return [] }
        let unknown = try client.setPaused(paused, ahead: partitions)
        guard paused, !unknown.isEmpty else { return [] }
        let operation = "Asking for the new partitions \(unknown.listed)"
        do throws(KafkaError) {
            for name in Set(unknown.map(\.topic)) {
                try client.listing(operation, of: try client.topic(name, operation), timeout: .seconds(2)) { _ in }
            }
        } catch {
            logger.debug("new partitions not asked for", metadata: ["cause": "\(error)"])
        }
        return try client.setPaused(true, ahead: unknown)
    }

    /// Answers `.revoked` and `.lost`.
    package func unassign(_ partitions: [TopicPartition]) throws(KafkaError) {
        unanswered = nil
        paused.subtract(partitions)
        let operation = "Giving up \(partitions.listed)"
        let pointer = try client.open(operation)
        if isCooperative {
            try client.check(
                PartitionList(partitions).lend { rd_kafka_incremental_unassign(pointer, $0) }, operation)
        } else {
            try client.check(rd_kafka_assign(pointer, nil), operation)
        }
    }

    /// Stops returning messages of these partitions until `resume`, those already fetched included. What is paused
    /// stays as it is.
    package func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        let running = partitions.filter { !paused.contains($0) }
        try client.pause(running)
        paused.formUnion(running)
    }

    /// Returns messages of these partitions again, from the place at which they were paused.
    package func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        try client.resume(partitions)
        paused.subtract(partitions)
    }

    /// The currently assigned partitions.
    package var assignment: [TopicPartition] { client.assignment }

    /// Whether the assigned partitions already have another owner.
    package var isAssignmentLost: Bool { client.pointer.map { rd_kafka_assignment_lost($0) != 0 } ?? false }

    /// This member's id in the group; nil before the group has given one.
    var memberID: String? {
        guard let pointer = client.pointer, let id = rd_kafka_memberid(pointer) else { return nil }
        defer { rd_kafka_mem_free(pointer, id) }
        let text = String(cString: id)
        return text.isEmpty ? nil : text
    }

    /// librdkafka's last failure to reach a broker, even if it is over; nil when there was none.
    package var lastTrouble: ClientTrouble? { client.context.lastTrouble }

    /// Whether the group has settled on cooperative (incremental) rebalancing.
    var isCooperative: Bool {
        guard let pointer = client.pointer, let name = rd_kafka_rebalance_protocol(pointer) else { return false }
        return String(cString: name) == "COOPERATIVE"
    }
}
