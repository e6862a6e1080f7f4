import CRDKafka

/// librdkafka's mock cluster: brokers inside this process that speak Kafka's protocol on 127.0.0.1, for the demo and
/// for tests. Groups, headers and timestamps work; transactions are accepted but mean nothing; each partition keeps
/// about 5 MiB.
///
/// Unchecked Sendable: the pointers never change after init, librdkafka locks its mock cluster, and `close` is the
/// owner's last call.
package final class EmbeddedBroker: @unchecked Sendable {
    /// The requests that errors can be injected into, by Kafka's number for them.
    package enum Request: Int16, Sendable, CaseIterable {
        case produce = 0
        case fetch = 1
        case listOffsets = 2
        case metadata = 3
        case offsetCommit = 8
        case offsetFetch = 9
        case findCoordinator = 10
        case joinGroup = 11
        case heartbeat = 12
        case leaveGroup = 13
        case syncGroup = 14
        case initProducerID = 22
        case addPartitionsToTransaction = 24
        case addOffsetsToTransaction = 25
        case endTransaction = 26
        case transactionOffsetCommit = 28
    }

    private let handle: OpaquePointer
    private let cluster: OpaquePointer
    private var isClosed = false
    /// Brokers of the cluster, which count from 1.
    package let brokerCount: Int
    /// For `bootstrap.servers`: "127.0.0.1:40001,127.0.0.1:40002".
    package let bootstrapServers: String

    /// Starts the brokers on free ports.
    package init(brokerCount: Int = 1) throws(KafkaError) {
        let operation = "Starting an embedded broker"
        let configuration = try KafkaProperties().makeConfiguration()
        // The cluster needs a client to live in. Its log stays silent: it would only say that no bootstrap servers are
        // set.
        rd_kafka_conf_set_log_cb(configuration, nil)
        var reason = [CChar](repeating: 0, count: 512)
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &reason, reason.count) else {
            rd_kafka_conf_destroy(configuration)
            throw KafkaError(rd_kafka_last_error(), operation: operation)
        }
        guard let cluster = rd_kafka_mock_cluster_new(handle, Int32(clamping: max(1, brokerCount))),
            let servers = rd_kafka_mock_cluster_bootstraps(cluster)
        else {
            rd_kafka_destroy(handle)
            throw KafkaError(
                RD_KAFKA_RESP_ERR__FAIL, operation: operation, reason: "no port of 127.0.0.1 could be listened on")
        }
        self.handle = handle
        self.cluster = cluster
        self.brokerCount = max(1, brokerCount)
        bootstrapServers = String(cString: servers)
    }

    deinit { close() }

    /// Creates a topic, replicated to every broker. Without this call a topic is created on its first use, with 4
    /// partitions.
    package func createTopic(_ name: String, partitions: Int32) throws(KafkaError) {
        try check(
            rd_kafka_mock_topic_create(cluster, name, partitions, Int32(clamping: brokerCount)),
            "Making the topic \(name) with \(partitions) partitions in the embedded broker")
    }

    /// Makes the next requests of this kind fail with these errors, one each. Names are those of `KafkaError.name`,
    /// like `REQUEST_TIMED_OUT`; `_TRANSPORT` closes the connection instead.
    package func inject(_ errors: [String], into request: Request) throws(KafkaError) {
        var codes: [rd_kafka_resp_err_t] = []
        for name in errors {
            guard let code = Self.code(named: name) else {
                throw KafkaError(
                    RD_KAFKA_RESP_ERR__INVALID_ARG, operation: "Injecting an error into \(request) requests",
                    reason: "librdkafka knows no error '\(name)'")
            }
            codes.append(code)
        }
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, codes.count, codes)
    }

    /// Drops the unused injected errors of this kind.
    package func clearErrors(of request: Request) {
        rd_kafka_mock_clear_request_errors(cluster, request.rawValue)
    }

    /// Takes a broker off the net: closes its connections and refuses new ones. Brokers count from 1.
    package func stopBroker(_ id: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_down(cluster, id), "Stopping embedded broker \(id)")
    }

    /// Brings a stopped broker back to the net, with its records. Brokers count from 1.
    package func startBroker(_ id: Int32) throws(KafkaError) {
        try check(rd_kafka_mock_broker_set_up(cluster, id), "Starting embedded broker \(id)")
    }

    /// Delays this broker's answers.
    package func setRoundTrip(_ delay: Duration, ofBroker id: Int32) throws(KafkaError) {
        try check(
            rd_kafka_mock_broker_set_rtt(cluster, id, delay.milliseconds), "Slowing down embedded broker \(id)")
    }

    /// Moves a partition to another broker.
    package func setLeader(of partition: TopicPartition, to id: Int32) throws(KafkaError) {
        try check(
            rd_kafka_mock_partition_set_leader(cluster, partition.topic, partition.partition, id),
            "Moving \(partition) to embedded broker \(id)")
    }

    /// Ends the brokers. Close their clients first. Safe more than once.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(handle)
    }

    private func check(_ code: rd_kafka_resp_err_t, _ operation: String) throws(KafkaError) {
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw KafkaError(code, operation: operation) }
    }

    private static func code(named name: String) -> rd_kafka_resp_err_t? {
        var descriptions: UnsafePointer<rd_kafka_err_desc>?
        var count = 0
        rd_kafka_get_err_descs(&descriptions, &count)
        guard let descriptions else { return nil }
        for index in 0..<count {
            guard let known = descriptions[index].name, String(cString: known) == name else { continue }
            return descriptions[index].code
        }
        return nil
    }
}
