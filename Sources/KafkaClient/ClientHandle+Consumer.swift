import CRDKafka

/// Calls on librdkafka's consumer that both kinds of consumers share.
extension ClientHandle {
    /// Takes one event from the consumer's queue.
    func poll(_ milliseconds: Int32, topics: inout TopicTable) -> ConsumerEvent {
        guard let pointer else {
            return .failure(
                KafkaError(
                    RD_KAFKA_RESP_ERR__DESTROY, operation: "Polling the \(label)", reason: "it is closed",
                    isRetriable: false))
        }
        if !context.hasRebalances, let message = rd_kafka_consumer_poll(pointer, milliseconds) {
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                return .message(ConsumedMessage(message, topicIndex: topics.index(of: message.pointee.rkt)))
            }
            return event(ofFailed: message)
        }
        return context.takeRebalance().map { .rebalance($0) } ?? .nothing
    }

    /// The first refusal of a permission in the queue of a consumer that is assigned nothing.
    func takeAuthorizationError(_ operation: String) -> KafkaError? {
        while let pointer, let message = rd_kafka_consumer_poll(pointer, 0) {
            defer { rd_kafka_message_destroy(message) }
            let failure = error(message.pointee.err, operation)
            if failure.isAuthorization { return failure }
        }
        return nil
    }

    /// librdkafka reports errors, and ends of partitions, as messages without a record.
    @inline(never)
    private func event(ofFailed message: UnsafeMutablePointer<rd_kafka_message_t>) -> ConsumerEvent {
        defer { rd_kafka_message_destroy(message) }
        let partition = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map {
            TopicPartition(topic: String(cString: $0), partition: message.pointee.partition)
        }
        if message.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF, let partition {
            return .endOfPartition(partition, offset: message.pointee.offset)
        }
        let place = partition.map { $0.partition < 0 ? $0.topic : $0.description }
        var failure = error(
            message.pointee.err, "Consuming \(place.map { "from \($0)" } ?? "with the \(label)")",
            reason: rd_kafka_message_errstr(message).map { String(cString: $0) })
        failure.partition = partition.flatMap { $0.partition < 0 ? nil : $0 }
        return .failure(failure)
    }

    func pause(_ partitions: [TopicPartition]) throws(KafkaError) {
        try onEach(partitions, "Pausing") { rd_kafka_pause_partitions($0, $1) }
    }

    func resume(_ partitions: [TopicPartition]) throws(KafkaError) {
        try onEach(partitions, "Resuming") { rd_kafka_resume_partitions($0, $1) }
    }

    /// Pauses or resumes partitions that are about to be assigned.
    /// - Returns: those that the client does not know, as it has not heard of new partitions.
    func setPaused(_ isPaused: Bool, ahead partitions: [TopicPartition]) throws(KafkaError) -> [TopicPartition] {
        let operation = "\(isPaused ? "Pausing" : "Resuming") \(partitions.listed) before their assignment"
        let client = try open(operation)
        let list = PartitionList(partitions)
        let call = isPaused ? rd_kafka_pause_partitions : rd_kafka_resume_partitions
        try check(list.lend { call(client, $0) }, operation)
        var unknown: [TopicPartition] = []
        for element in list.elements where element.error != RD_KAFKA_RESP_ERR_NO_ERROR {
            guard element.error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION else {
                throw error(element.error, operation)
            }
            unknown.append(element.partition)
        }
        return unknown
    }

    private func onEach(
        _ partitions: [TopicPartition], _ doing: String,
        _ call: (OpaquePointer, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> rd_kafka_resp_err_t
    ) throws(KafkaError) {
        guard !partitions.isEmpty else { return }
        let client = try open("\(doing) \(partitions.listed)")
        let list = PartitionList(partitions)
        try check(list.lend { call(client, $0) }, "\(doing) \(partitions.listed)")
        if let failed = list.firstFailure { throw error(failed.error, "\(doing) \(failed.partition)") }
    }

    /// See ``FetchAhead``. Usually does not block, and never for more than a millisecond or two.
    func keepFetching(_ ahead: inout FetchAhead, records: Int, bytes: Int, isStarving: Bool) {
        guard let pointer, let queue = rd_kafka_queue_get_consumer(pointer) else { return }
        let queued = rd_kafka_queue_length(queue)
        rd_kafka_queue_destroy(queue)
        if ahead.isDue(queued: queued, records: records, bytes: bytes, isStarving: isStarving, now: .now) {
            wakeBrokerThreads(pointer)
        }
    }

    /// Wakes the broker threads. librdkafka has no call for it, but a request wakes the thread that must send it. So
    /// this sends one to the leader of each assigned partition and ignores the answers.
    @inline(never)
    private func wakeBrokerThreads(_ pointer: OpaquePointer) {
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        guard rd_kafka_assignment(pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return }
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for index in 0..<Int(list.pointee.cnt) { list.pointee.elems[index].offset = Int64(RD_KAFKA_OFFSET_END) }
        _ = rd_kafka_offsets_for_times(pointer, list, 1)
    }

    /// The currently assigned partitions.
    var assignment: [TopicPartition] {
        guard let pointer else { return [] }
        var list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        guard rd_kafka_assignment(pointer, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        return PartitionList(owning: list).elements.map(\.partition)
    }

    func cachedWatermarks(_ partition: TopicPartition) -> (low: Int64, high: Int64)? {
        guard let pointer else { return nil }
        var low: Int64 = -1
        var high: Int64 = -1
        let code = rd_kafka_get_watermark_offsets(pointer, partition.topic, partition.partition, &low, &high)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, low >= 0, high >= 0 else { return nil }
        return (low, high)
    }

    /// First offset and end of a partition, asked from its leader. Avoids `rd_kafka_query_watermark_offsets`: before
    /// 2.3.0 it ignores its timeout while the leader is away.
    func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        let deadline = ContinuousClock.now + timeout
        let operation = "Asking for the first and last offset of \(partition)"
        func ask(_ position: Int32) throws(KafkaError) -> Int64 {
            let client = try open(operation)
            let list = PartitionList([partition: Int64(position)])
            let left = max(.milliseconds(1), deadline - .now)
            try check(list.lend { rd_kafka_offsets_for_times(client, $0, left.milliseconds) }, operation)
            guard let element = list.elements.first else { throw error(RD_KAFKA_RESP_ERR__FAIL, operation) }
            try check(element.error, operation)
            return element.offset
        }
        return (low: try ask(RD_KAFKA_OFFSET_BEGINNING), high: try ask(RD_KAFKA_OFFSET_END))
    }

    func offsets(
        at times: [TopicPartition: Int64], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard !times.isEmpty else { return [:] }
        let operation = "Asking for the offsets by time of \(times.keys.listed)"
        let client = try open(operation)
        let list = PartitionList(times)
        try check(list.lend { rd_kafka_offsets_for_times(client, $0, timeout.milliseconds) }, operation)
        var result: [TopicPartition: Int64] = [:]
        for element in list.elements {
            try check(element.error, "Asking for an offset by time of \(element.partition)")
            // -1: every record is older.
            if element.offset >= 0 { result[element.partition] = element.offset }
        }
        return result
    }

    /// The offsets that a group has committed; a partition without one is absent. Waits for those of an open
    /// transaction, unless the client reads uncommitted records.
    /// - Parameter group: the client's `group.id`.
    func committedOffsets(
        _ partitions: [TopicPartition], of group: String, notes: inout [TopicPartition: String], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "Asking for the offsets of \(partitions.listed) that group '\(group)' has committed"
        let client = try open(operation)
        let list = PartitionList(partitions)
        try check(list.lend { rd_kafka_committed(client, $0, timeout.milliseconds) }, operation)
        var result: [TopicPartition: Int64] = [:]
        for element in list.elements {
            try check(element.error, operation)
            guard element.offset >= 0 else { continue }
            result[element.partition] = element.offset
            if !element.note.isEmpty { notes[element.partition] = element.note }
        }
        return result
    }
}
