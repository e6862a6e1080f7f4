import CRDKafka

/// What a broker says of a topic.
package struct TopicDescription: Sendable, Equatable {
    package let name: String
    package let partitionCount: Int32
    /// Of the partition that has the fewest.
    package let replicationFactor: Int
    /// Partitions that nobody leads at the moment, so that nothing can be read or written.
    package let leaderlessPartitions: [Int32]
}

extension ClientHandle {
    /// Asks a broker for one topic; never creates it. nil: there is no such topic.
    func describe(
        _ topic: OpaquePointer, name: String, timeout: Duration
    ) throws(KafkaError) -> TopicDescription? {
        let operation = "Describing the topic \(name)"
        let client = try open(operation)
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = rd_kafka_metadata(client, 0, topic, &metadata, timeout.milliseconds)
        serveErrors()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata else { throw error(code, operation) }
        defer { rd_kafka_metadata_destroy(metadata) }
        for index in 0..<Int(metadata.pointee.topic_cnt) {
            let found = metadata.pointee.topics[index]
            guard found.topic.map({ String(cString: $0) }) == name else { continue }
            switch found.err {
            case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return nil
            case RD_KAFKA_RESP_ERR_NO_ERROR: return Self.description(of: found, name: name)
            default: throw error(found.err, operation)
            }
        }
        return nil
    }

    private static func description(of topic: rd_kafka_metadata_topic, name: String) -> TopicDescription {
        let partitions = (0..<Int(topic.partition_cnt)).map { topic.partitions[$0] }
        return TopicDescription(
            name: name, partitionCount: topic.partition_cnt,
            replicationFactor: partitions.map { Int($0.replica_cnt) }.min() ?? 0,
            leaderlessPartitions: partitions.filter { $0.leader < 0 }.map(\.id))
    }

    /// Reads the errors that librdkafka has queued, so that the last reason is known. Only for clients whose main
    /// queue has callbacks; a producer reads its events itself.
    func serveErrors() {
        guard let pointer, rd_kafka_type(pointer) == RD_KAFKA_CONSUMER else { return }
        rd_kafka_poll(pointer, 0)
    }
}
