import CRDKafka

/// A broker's description of a topic.
package struct TopicDescription: Sendable, Equatable {
    /// The topic's name.
    package let name: String
    /// Partitions with or without a leader.
    package let partitionCount: Int32
    /// The lowest of all partitions.
    package let replicationFactor: Int
    /// Partitions that have no leader at the moment, and so can be neither read nor written.
    package let leaderlessPartitions: [Int32]

    init(_ topic: rd_kafka_metadata_topic, name: String) {
        let partitions = (0..<Int(topic.partition_cnt)).map { topic.partitions[$0] }
        self.name = name
        partitionCount = topic.partition_cnt
        replicationFactor = partitions.map { Int($0.replica_cnt) }.min() ?? 0
        leaderlessPartitions = partitions.filter { $0.leader < 0 }.map(\.id)
    }
}

/// librdkafka's error code as an error, for `Result`.
struct KafkaCode: Error {
    let value: rd_kafka_resp_err_t
}

extension rd_kafka_metadata {
    /// Descriptions of the named topics, as far as this metadata has them.
    func descriptions(of names: Set<String>) -> [String: Result<TopicDescription, KafkaCode>] {
        var result: [String: Result<TopicDescription, KafkaCode>] = [:]
        for index in 0..<Int(topic_cnt) {
            let topic = topics[index]
            guard let name = topic.topic.map({ String(cString: $0) }), names.contains(name) else { continue }
            result[name] =
                topic.err == RD_KAFKA_RESP_ERR_NO_ERROR
                ? .success(TopicDescription(topic, name: name)) : .failure(KafkaCode(value: topic.err))
        }
        return result
    }
}

extension ClientHandle {
    /// Asks a broker about one topic, or about all topics, and lends its answer.
    func listing<Answer>(
        _ operation: String, of topic: OpaquePointer? = nil, timeout: Duration, _ read: (rd_kafka_metadata) -> Answer
    ) throws(KafkaError) -> Answer {
        let client = try open(operation)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client, topic == nil ? 1 : 0, topic, &metadata, timeout.milliseconds)
        serveErrors()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw error(code, operation) }
        defer { rd_kafka_metadata_destroy(metadata) }
        return read(metadata.pointee)
    }

    /// Serves the errors that librdkafka has queued, so that the last failure is known. Only for clients whose main
    /// queue has callbacks: a producer reads its events itself, and a client that is polled as a consumer its messages.
    func serveErrors() {
        guard let pointer, rd_kafka_type(pointer) == RD_KAFKA_CONSUMER, !isPolledAsConsumer else { return }
        rd_kafka_poll(pointer, 0)
    }
}
