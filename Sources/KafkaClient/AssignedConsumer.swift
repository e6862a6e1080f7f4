import CRDKafka
import Logging

/// A consumer of explicitly assigned partitions, from given positions. Joins no group, commits nothing, and reports the
/// end of a partition.
///
/// Not Sendable: every call is made on the one thread that polls.
package final class AssignedConsumer {
    /// The position before the first record that the broker still has.
    package static let beginning = Int64(RD_KAFKA_OFFSET_BEGINNING)
    /// The position after the last record.
    package static let end = Int64(RD_KAFKA_OFFSET_END)

    let client: ClientHandle
    let groupID: String
    private var table = TopicTable()
    private var ahead: FetchAhead

    /// - Parameter properties: the same that a group consumer takes. `group.id` serves for permissions only (librdkafka
    ///   looks for its coordinator); `group.instance.id` is not used.
    /// - Throws: when a property is unknown or refused.
    package init(properties: KafkaProperties, logger: Logger) throws(KafkaError) {
        var properties = properties.overlaid(
            by: KafkaProperties([
                "enable.auto.commit": "false", "enable.auto.offset.store": "false", "enable.partition.eof": "true",
            ]))
        properties["group.instance.id"] = nil
        // librdkafka's consumer needs a group id, though it joins no group.
        groupID = properties["group.id"] ?? "rejoinder"
        properties["group.id"] = groupID
        client = try ClientHandle(.consumer, label: "table consumer", properties: properties, logger: logger)
        ahead = FetchAhead(properties: properties)
        client.pollAsConsumer()
    }

    deinit { close() }

    /// The topics assigned so far, in the order of their `topicIndex`.
    package var topics: [String] { table.names }

    /// Adds partitions; each is read from its position: an offset, `beginning` or `end`.
    ///
    /// - Throws: when one of them is already assigned.
    package func assign(_ positions: [TopicPartition: Int64]) throws(KafkaError) {
        guard !positions.isEmpty else { return }
        let operation = "Starting to read \(positions.keys.listed)"
        let pointer = try client.open(operation)
        for partition in positions.keys.sorted() {
            table.add(partition.topic, pointer: try client.topic(partition.topic, operation))
        }
        try client.check(PartitionList(positions).lend { rd_kafka_incremental_assign(pointer, $0) }, operation)
    }

    /// Stops reading these partitions. `poll` returns none of their messages afterwards.
    package func unassign(_ partitions: [TopicPartition]) throws(KafkaError) {
        guard !partitions.isEmpty else { return }
        let operation = "Ending to read \(partitions.listed)"
        let pointer = try client.open(operation)
        try client.check(PartitionList(partitions).lend { rd_kafka_incremental_unassign(pointer, $0) }, operation)
    }

    /// The currently assigned partitions.
    package var assignment: [TopicPartition] { client.assignment }

    /// Returns the next event. Allocates nothing for a message.
    package func poll(timeoutMilliseconds: Int32) -> ConsumerEvent {
        client.poll(timeoutMilliseconds, topics: &table)
    }

    /// Keeps librdkafka fetching ahead of a reader that takes large batches. Call once a batch; sends requests to the
    /// brokers only when librdkafka would not fetch on by itself.
    /// - Parameters:
    ///   - records: the number of records in the batch, of `bytes`.
    ///   - isStarving: the batch was empty, though the broker has more records.
    package func keepFetching(records: Int, bytes: Int, isStarving: Bool) {
        client.keepFetching(&ahead, records: records, bytes: bytes, isStarving: isStarving)
    }

    /// Stops fetching these partitions, and returning their messages, until ``resume(_:)``.
    package func pause(_ partitions: [TopicPartition]) throws(KafkaError) { try client.pause(partitions) }

    /// Fetches the paused partitions from their last position.
    package func resume(_ partitions: [TopicPartition]) throws(KafkaError) { try client.resume(partitions) }

    /// First offset and high watermark as of the last fetch; makes no request. nil before the first fetch.
    package func cachedWatermarks(_ partition: TopicPartition) -> (low: Int64, high: Int64)? {
        client.cachedWatermarks(partition)
    }

    /// First offset and high watermark, asked from the broker.
    package func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try client.queryWatermarks(partition, timeout: timeout)
    }

    /// The first offset at or after each time (milliseconds since 1970). Absent where every record is older.
    package func offsets(
        at times: [TopicPartition: Int64], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        try client.offsets(at: times, timeout: timeout)
    }

    /// Answers that a broker's quota delayed since the last call.
    package func takeThrottles() -> ClientThrottles { client.context.takeThrottles() }

    /// librdkafka's last failure to reach a broker, even if it is over; nil when there was none.
    package var lastTrouble: ClientTrouble? { client.context.lastTrouble }

    /// Ends the consumer. Every message must have been released. Safe more than once.
    package func close() {
        guard let pointer = client.pointer else { return }
        rd_kafka_assign(pointer, nil)
        // It is in no group, so there is nothing to leave and no revocation to wait for.
        client.destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, within: .seconds(5))
    }
}
