import CRDKafka

extension AdminClient {
    /// A topic's settings by name, the broker's defaults included. Secret settings, whose values the broker withholds,
    /// are absent.
    package func topicSettings(_ name: String, timeout: Duration) throws(KafkaError) -> [String: String] {
        let operation = "Asking for the settings of the topic \(name)"
        return try perform(operation, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout) {
            (pointer, options, queue) throws(KafkaError) in
            var resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
            defer { rd_kafka_ConfigResource_destroy(resource) }
            rd_kafka_DescribeConfigs(pointer, &resource, 1, options, queue)
        } read: { (event) throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_DescribeConfigs_result(event),
                let resources = rd_kafka_DescribeConfigs_result_resources(result, &count), count > 0,
                let resource = resources[0]
            else { return [:] }
            let code = rd_kafka_ConfigResource_error(resource)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw failure(code, operation, rd_kafka_ConfigResource_error_string(resource))
            }
            var settings: [String: String] = [:]
            var entryCount = 0
            guard let entries = rd_kafka_ConfigResource_configs(resource, &entryCount) else { return [:] }
            for index in 0..<entryCount {
                guard let entry = entries[index], let name = rd_kafka_ConfigEntry_name(entry),
                    let value = rd_kafka_ConfigEntry_value(entry)
                else { continue }
                settings[String(cString: name)] = String(cString: value)
            }
            return settings
        }
    }

    /// Creates a topic and waits until the cluster has it.
    ///
    /// - Parameters:
    ///   - replicationFactor: nil is the broker's default.
    ///   - settings: the topic's own settings by Kafka's names: `cleanup.policy`, `retention.ms`.
    /// - Throws: `TOPIC_ALREADY_EXISTS` among others.
    package func createTopic(
        _ name: String, partitions: Int32, replicationFactor: Int32?, settings: [String: String] = [:],
        timeout: Duration
    ) throws(KafkaError) {
        let operation = "Making the topic \(name) with \(partitions) partitions"
        try perform(operation, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout) {
            (pointer, options, queue) throws(KafkaError) in
            var reason = [CChar](repeating: 0, count: 512)
            // The controller holds its answer until the topic is ready, or until this time is up.
            rd_kafka_AdminOptions_set_operation_timeout(
                options, max(1, timeout.milliseconds / 2), &reason, reason.count)
            var topic = rd_kafka_NewTopic_new(name, partitions, replicationFactor ?? -1, &reason, reason.count)
            guard topic != nil else {
                throw failure(RD_KAFKA_RESP_ERR__INVALID_ARG, operation, reason)
            }
            defer { rd_kafka_NewTopic_destroy(topic) }
            for (setting, value) in settings.sorted(by: { $0.key < $1.key }) {
                rd_kafka_NewTopic_set_config(topic, setting, value)
            }
            rd_kafka_CreateTopics(pointer, &topic, 1, options, queue)
        } read: { (event) throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_CreateTopics_result(event),
                let topics = rd_kafka_CreateTopics_result_topics(result, &count)
            else { return }
            try checkTopics(topics, count, operation)
        }
    }

    /// Deletes a topic with its records.
    package func deleteTopic(_ name: String, timeout: Duration) throws(KafkaError) {
        let operation = "Deleting the topic \(name)"
        try perform(operation, RD_KAFKA_ADMIN_OP_DELETETOPICS, timeout) {
            (pointer, options, queue) throws(KafkaError) in
            var topic = rd_kafka_DeleteTopic_new(name)
            defer { rd_kafka_DeleteTopic_destroy(topic) }
            rd_kafka_DeleteTopics(pointer, &topic, 1, options, queue)
        } read: { (event) throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_DeleteTopics_result(event),
                let topics = rd_kafka_DeleteTopics_result_topics(result, &count)
            else { return }
            try checkTopics(topics, count, operation)
        }
    }

    private func checkTopics(
        _ topics: UnsafeMutablePointer<OpaquePointer?>, _ count: Int, _ operation: String
    ) throws(KafkaError) {
        for index in 0..<count {
            guard let topic = topics[index] else { continue }
            let code = rd_kafka_topic_result_error(topic)
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw failure(code, operation, rd_kafka_topic_result_error_string(topic))
            }
        }
    }
}
