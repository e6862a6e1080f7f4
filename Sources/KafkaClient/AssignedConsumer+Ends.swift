import CRDKafka

/// Queries to the leaders about many partitions at a time. Every call keeps to its timeout, in librdkafka 2.0.2 too.
extension AssignedConsumer {
    /// The broker that leads each partition of these topics; absent where there is none.
    package func leaders(of topics: Set<String>, timeout: Duration) throws(KafkaError) -> [TopicPartition: Int32] {
        try client.listing("Asking for the leaders of partitions", timeout: timeout) { metadata in
            var leaders: [TopicPartition: Int32] = [:]
            for index in 0..<Int(metadata.topic_cnt) {
                let topic = metadata.topics[index]
                guard let name = topic.topic.map({ String(cString: $0) }), topics.contains(name) else { continue }
                for place in 0..<Int(topic.partition_cnt) {
                    let partition = topic.partitions[place]
                    guard partition.leader >= 0 else { continue }
                    leaders[TopicPartition(topic: name, partition: partition.id)] = partition.leader
                }
            }
            return leaders
        }
    }

    /// The end of each partition, in one request to each leader: the high watermark, or for a `read_committed` consumer
    /// the last stable offset. Absent where the leader gave an error.
    /// - Throws: when a leader did not answer. Ask about one leader's partitions at a time, so that one failure does
    ///   not hide the others' answers.
    package func ends(
        of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "Asking for the ends of \(partitions.listed)"
        let pointer = try client.open(operation)
        // The timestamp -1 stands for the end in Kafka's ListOffsets request.
        let list = PartitionList(
            Dictionary(partitions.map { ($0, Self.end) }, uniquingKeysWith: { first, _ in first }))
        let code = list.lend { rd_kafka_offsets_for_times(pointer, $0, timeout.milliseconds) }
        client.serveErrors()
        try client.check(code, operation)
        return list.elements.reduce(into: [:]) { ends, element in
            if element.error == RD_KAFKA_RESP_ERR_NO_ERROR, element.offset >= 0 {
                ends[element.partition] = element.offset
            }
        }
    }

    /// The offsets that the group of the client's `group.id` has committed; a partition without one is absent. Those of
    /// an open transaction do not count with `isolation.level=read_uncommitted`; else the call waits for them.
    package func committedOffsets(
        _ partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        var notes: [TopicPartition: String] = [:]
        return try client.committedOffsets(partitions, of: groupID, notes: &notes, timeout: timeout)
    }
}
