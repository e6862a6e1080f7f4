import CRDKafka
import Dispatch
import Foundation

extension GroupConsumer {
    /// Moves the position of assigned partitions. librdkafka drops messages fetched before.
    ///
    /// A partition that was just assigned has no position yet: retried until `timeout`.
    package func seek(_ offsets: [TopicPartition: Int64], timeout: Duration) throws(KafkaError) {
        let deadline = ContinuousClock.now + timeout
        // librdkafka before 2.1.0 takes this timeout for microseconds.
        let factor: Int64 = rd_kafka_version() < 0x0201_0000 ? 1000 : 1
        var remaining = offsets
        while !remaining.isEmpty {
            let operation = "Moving to other offsets of \(remaining.keys.listed)"
            let pointer = try client.open(operation)
            let left = max(.milliseconds(1), deadline - .now)
            let list = PartitionList(remaining)
            try client.check(
                list.lend {
                    rd_kafka_seek_partitions(pointer, $0, Int32(clamping: Int64(left.milliseconds) * factor))
                }, operation)
            for element in list.elements {
                switch element.error {
                case RD_KAFKA_RESP_ERR_NO_ERROR:
                    remaining[element.partition] = nil
                case RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS, RD_KAFKA_RESP_ERR__IN_PROGRESS:
                    guard .now < deadline else {
                        throw client.error(
                            RD_KAFKA_RESP_ERR__TIMED_OUT, "Moving to offset \(element.offset) of \(element.partition)",
                            reason: "the partition was not ready within \(timeout)")
                    }
                default:
                    throw client.error(
                        element.error, "Moving to offset \(element.offset) of \(element.partition)")
                }
            }
            if !remaining.isEmpty { Thread.sleep(forTimeInterval: 0.01) }
        }
    }

    /// The group's committed offsets: the next record to process. A partition without one is absent.
    ///
    /// The partitions need not be assigned. With `isolation.level=read_committed` (the default) the call waits for
    /// offsets that are in an open transaction.
    package func committedOffsets(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        var notes: [TopicPartition: String] = [:]
        return try committedOffsets(partitions, notes: &notes, timeout: timeout)
    }

    /// The group's committed offsets with their notes.
    /// - Parameter notes: receives the texts that were committed with offsets (Kafka's metadata).
    package func committedOffsets(
        _ partitions: [TopicPartition], notes: inout [TopicPartition: String], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        try client.committedOffsets(partitions, of: groupID, notes: &notes, timeout: timeout)
    }

    /// Commits offsets (the next record to process) for the group and waits for the answer. The group need not
    /// subscribe to their topics.
    /// - Parameters:
    ///   - notes: texts to commit with some of the offsets (Kafka's metadata).
    ///   - mayWait: called ten times a second; false ends the wait before the timeout.
    package func commit(
        _ offsets: [TopicPartition: Int64], notes: [TopicPartition: String] = [:], timeout: Duration = .seconds(30),
        while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let operation = "Committing offsets of \(offsets.keys.listed) for group '\(groupID)'"
        let pointer = try client.open(operation)
        // librdkafka's own synchronous commit has no timeout.
        guard let queue = rd_kafka_queue_new(pointer) else {
            throw client.error(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, operation)
        }
        defer { rd_kafka_queue_destroy(queue) }
        try client.check(
            PartitionList(offsets, notes: notes).lend { rd_kafka_commit_queue(pointer, $0, queue, nil, nil) }, operation
        )
        let deadline = ContinuousClock.now + timeout
        var answer: OpaquePointer?
        repeat {
            answer = rd_kafka_queue_poll(queue, min(100, max(1, (deadline - .now).milliseconds)))
        } while answer == nil && .now < deadline && mayWait()
        guard let event = answer else { throw client.error(RD_KAFKA_RESP_ERR__TIMED_OUT, operation) }
        defer { rd_kafka_event_destroy(event) }
        try client.check(rd_kafka_event_error(event), operation)
        guard let answered = rd_kafka_event_topic_partition_list(event) else { return }
        for element in PartitionList.elements(of: answered) {
            try client.check(
                element.error, "Committing an offset of \(element.partition) for group '\(groupID)'")
        }
    }

    /// First offset and high watermark as of the last fetch; makes no request. nil before the first fetch.
    package func cachedWatermarks(_ partition: TopicPartition) -> (low: Int64, high: Int64)? {
        client.cachedWatermarks(partition)
    }
}
