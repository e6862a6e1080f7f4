import CRDKafka
import Dispatch
import Logging

/// Questions about a cluster, and topics made and deleted. For commands and start-up checks, not for a lane.
///
/// Every call waits on the thread that makes it, up to its timeout. When no broker answers, the error says which
/// servers were asked and the last reason librdkafka has seen.
///
/// Unchecked Sendable: librdkafka's client is safe to use from any thread, and the one mutable thing here, the
/// client's state, is touched under `lock`.
package final class AdminClient: @unchecked Sendable {
    private let client: ClientHandle
    private let lock = DispatchQueue(label: "rejoinder.kafka.admin")

    /// - Parameter properties: the same that consumers and producers take.
    package init(properties: KafkaProperties, logger: Logger) throws(KafkaError) {
        var properties = properties.overlaid(by: KafkaProperties(["allow.auto.create.topics": "false"]))
        // As a member of no group librdkafka asks for no coordinator.
        properties["group.id"] = nil
        properties["group.instance.id"] = nil
        client = try ClientHandle(
            .administration, label: "administration client", properties: properties, logger: logger)
    }

    deinit { close() }

    /// The cluster's id, which tells it from every other cluster.
    package func clusterID(timeout: Duration) throws(KafkaError) -> String {
        let operation = "Asking for the cluster's id"
        return try serialized { () throws(KafkaError) in
            let pointer = try client.open(operation)
            guard let id = rd_kafka_clusterid(pointer, timeout.milliseconds) else {
                client.serveErrors()
                throw client.error(RD_KAFKA_RESP_ERR__TIMED_OUT, operation, reason: "no broker answered")
            }
            defer { rd_kafka_mem_free(pointer, id) }
            return String(cString: id)
        }
    }

    /// How many brokers the cluster has.
    package func brokerCount(timeout: Duration) throws(KafkaError) -> Int {
        try serialized { () throws(KafkaError) in
            try client.listing("Asking for the cluster's brokers", timeout: timeout) { Int($0.broker_cnt) }
        }
    }

    /// What the brokers say of these topics. One that does not exist is absent; none is created by asking.
    ///
    /// - Throws: also when the user may not see one of them.
    package func describe(topics: [String], timeout: Duration) throws(KafkaError) -> [String: TopicDescription] {
        let deadline = ContinuousClock.now + timeout
        let operation = "Describing the topics \(topics.joined(separator: ", "))"
        let found = try serialized { () throws(KafkaError) in
            // Asked by name, a broker older than Kafka 0.11 (and the embedded one) would make what is missing.
            try client.listing(operation, timeout: timeout) { $0.descriptions(of: Set(topics)) }
        }
        var result: [String: TopicDescription] = [:]
        var answersAboutSettings = true
        for name in topics {
            switch found[name] {
            case .success(let description): result[name] = description
            case .failure(let code) where code.value != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
                throw failure(code.value, "Describing the topic \(name)", nil)
            default:
                // The listing leaves out what the user may not see. Asking for settings tells the two apart, where
                // they can be asked for (the embedded broker never answers).
                guard answersAboutSettings else { continue }
                do throws(KafkaError) {
                    _ = try topicSettings(name, timeout: max(.milliseconds(1), min(.seconds(2), deadline - .now)))
                } catch {
                    if error.isAuthorization { throw error }
                    answersAboutSettings = !error.isTimeout
                }
            }
        }
        return result
    }

    /// First offset and high watermark of a partition.
    package func watermarks(
        of partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try serialized { () throws(KafkaError) in
            do throws(KafkaError) {
                return try client.queryWatermarks(partition, timeout: timeout)
            } catch {
                client.serveErrors()
                throw error
            }
        }
    }

    /// The first offset at or after each time (milliseconds since 1970). Absent where no record is that young.
    package func offsets(
        at times: [TopicPartition: Int64], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        try serialized { () throws(KafkaError) in try client.offsets(at: times, timeout: timeout) }
    }

    /// The offsets that a group has committed for these partitions. Absent where it has none.
    package func committedOffsets(
        group: String, of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "Asking for the committed offsets of group '\(group)'"
        return try perform(operation, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, timeout) {
            (pointer, options, queue) throws(KafkaError) in
            var request = PartitionList(partitions).lend { rd_kafka_ListConsumerGroupOffsets_new(group, $0) }
            defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
            rd_kafka_ListConsumerGroupOffsets(pointer, &request, 1, options, queue)
        } read: { (event) throws(KafkaError) in
            var count = 0
            guard let result = rd_kafka_event_ListConsumerGroupOffsets_result(event),
                let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count), count > 0
            else { return [:] }
            if let error = rd_kafka_group_result_error(groups[0]) {
                throw client.error(
                    rd_kafka_error_code(error), operation, reason: String(cString: rd_kafka_error_string(error)))
            }
            guard let list = rd_kafka_group_result_partitions(groups[0]) else { return [:] }
            var offsets: [TopicPartition: Int64] = [:]
            for element in PartitionList.elements(of: list) {
                try client.check(element.error, "\(operation) for \(element.partition)")
                if element.offset >= 0 { offsets[element.partition] = element.offset }
            }
            return offsets
        }
    }

    /// Ends the client. Safe more than once.
    package func close() {
        lock.sync { client.destroy(flags: 0, within: .seconds(5)) }
    }

    private func serialized<Result>(_ body: () throws(KafkaError) -> Result) throws(KafkaError) -> Result {
        let outcome: Swift.Result<Result, KafkaError> = lock.sync {
            do throws(KafkaError) { return .success(try body()) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Makes one of librdkafka's administration requests and waits for its result.
    ///
    /// - Parameters:
    ///   - request: sends it: the client, the options with the timeout in them, the queue to answer to.
    ///   - read: takes what is wanted out of the result event, which is freed after.
    func perform<Result>(
        _ operation: String, _ kind: rd_kafka_admin_op_t, _ timeout: Duration,
        request: (OpaquePointer, OpaquePointer?, OpaquePointer) throws(KafkaError) -> Void,
        read: (OpaquePointer) throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        try serialized { () throws(KafkaError) in
            let pointer = try client.open(operation)
            guard let queue = rd_kafka_queue_new(pointer) else {
                throw client.error(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, operation)
            }
            defer { rd_kafka_queue_destroy(queue) }
            let options = rd_kafka_AdminOptions_new(pointer, kind)
            defer { rd_kafka_AdminOptions_destroy(options) }
            var reason = [CChar](repeating: 0, count: 512)
            let milliseconds = max(1, timeout.milliseconds)
            rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, &reason, reason.count)
            try request(pointer, options, queue)
            // librdkafka answers within the request's timeout; the rest is for scheduling.
            let event = rd_kafka_queue_poll(queue, milliseconds + 1000)
            client.serveErrors()
            guard let event else { throw client.error(RD_KAFKA_RESP_ERR__TIMED_OUT, operation) }
            defer { rd_kafka_event_destroy(event) }
            let code = rd_kafka_event_error(event)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                throw client.error(
                    code, operation, reason: rd_kafka_event_error_string(event).map { String(cString: $0) })
            }
            return try read(event)
        }
    }

    /// The error of one element of a result.
    func failure(_ code: rd_kafka_resp_err_t, _ operation: String, _ reason: UnsafePointer<CChar>?) -> KafkaError {
        client.error(code, operation, reason: reason.map { String(cString: $0) })
    }
}
