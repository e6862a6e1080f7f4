import CRDKafka
import Dispatch
import Foundation
import Logging

/// Queries about a cluster, and the creation and deletion of topics. For commands and start-up checks, not for a lane.
///
/// Every call blocks its thread, up to its timeout. When no broker answers, the error names the servers that were asked
/// and the last failure that librdkafka has seen.
///
/// Unchecked Sendable: librdkafka's client is safe to use from any thread. The only mutable state, the client's, is
/// touched under `lock`.
package final class AdminClient: @unchecked Sendable {
    private let client: ClientHandle
    private let properties: KafkaProperties
    private let logger: Logger
    private let lock = DispatchQueue(label: "rejoinder.kafka.admin")

    /// - Parameter properties: the same that consumers and producers take.
    package init(properties: KafkaProperties, logger: Logger) throws(KafkaError) {
        var properties = properties.overlaid(by: KafkaProperties(["allow.auto.create.topics": "false"]))
        // Without a group librdkafka asks for no coordinator.
        properties["group.id"] = nil
        properties["group.instance.id"] = nil
        client = try ClientHandle(
            .administration, label: "administration client", properties: properties, logger: logger)
        self.properties = properties
        self.logger = logger
    }

    deinit { close() }

    /// The cluster's unique id.
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

    /// The number of brokers in the cluster.
    package func brokerCount(timeout: Duration) throws(KafkaError) -> Int {
        try serialized { () throws(KafkaError) in
            try client.listing("Asking for the cluster's brokers", timeout: timeout) { Int($0.broker_cnt) }
        }
    }

    /// Describes topics. A topic that does not exist is absent; asking creates none.
    ///
    /// - Throws: also when the user may not see one of the topics.
    package func describe(topics: [String], timeout: Duration) throws(KafkaError) -> [String: TopicDescription] {
        let deadline = ContinuousClock.now + timeout
        let operation = "Describing the topics \(topics.joined(separator: ", "))"
        let found = try serialized { () throws(KafkaError) in
            // Lists all topics: asked by name, a broker older than Kafka 0.11 (and the embedded one) would create a
            // missing topic.
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
                // The listing leaves out topics that the user may not see. A query for the settings tells a hidden
                // topic from a missing one, on brokers that support it (the embedded broker never answers).
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

    /// The number of partitions of each topic. Asks by name, so the answer does not grow with the cluster. A topic that
    /// does not exist is absent; asking creates none on brokers from Kafka 0.11 on.
    package func partitionCounts(of topics: [String], timeout: Duration) throws(KafkaError) -> [String: Int32] {
        let deadline = ContinuousClock.now + timeout
        return try serialized { () throws(KafkaError) in
            var counts: [String: Int32] = [:]
            for name in topics {
                let operation = "Asking for the partitions of the topic \(name)"
                let topic = try client.topic(name, operation)
                let found = try client.listing(operation, of: topic, timeout: max(.milliseconds(1), deadline - .now)) {
                    $0.descriptions(of: [name])[name]
                }
                switch found {
                case .success(let description): counts[name] = description.partitionCount
                case .failure(let code) where code.value != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
                    throw client.error(code.value, operation)
                default: break
                }
            }
            return counts
        }
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

    /// The first offset at or after each time (milliseconds since 1970). Absent where every record is older.
    package func offsets(
        at times: [TopicPartition: Int64], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        try serialized { () throws(KafkaError) in try client.offsets(at: times, timeout: timeout) }
    }

    /// The offsets that a group has committed for these partitions. Absent where it has committed none.
    ///
    /// Asks through a consumer of the group that never joins. librdkafka's own request (`ListConsumerGroupOffsets`)
    /// crashes the process in 2.0.2 when the group has no coordinator yet, as on a new cluster; this call waits for the
    /// coordinator.
    package func committedOffsets(
        group: String, of partitions: [TopicPartition], timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard !partitions.isEmpty else { return [:] }
        let operation = "Asking for the committed offsets of group '\(group)'"
        return try serialized { () throws(KafkaError) in
            _ = try client.open(operation)
            // `read_uncommitted`: for offsets in an open transaction, the broker returns the previously committed ones.
            let properties = properties.overlaid(
                by: KafkaProperties(["group.id": group, "isolation.level": "read_uncommitted"]))
            let member = try ClientHandle(
                .administration, label: "administration client", properties: properties, logger: logger)
            defer { member.destroy(flags: RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, within: .seconds(5)) }
            let pointer = try member.open(operation)
            let deadline = ContinuousClock.now + timeout
            var list = PartitionList(partitions)
            var code = list.lend { rd_kafka_committed(pointer, $0, timeout.milliseconds) }
            // librdkafka retries only some of the errors of a coordinator that moves or loads.
            while code.isCoordinatorsMove, ContinuousClock.now + .milliseconds(100) < deadline {
                Thread.sleep(forTimeInterval: 0.1)
                list = PartitionList(partitions)
                let left = max(.milliseconds(1), deadline - .now)
                code = list.lend { rd_kafka_committed(pointer, $0, left.milliseconds) }
            }
            member.serveErrors()
            // librdkafka waits on for a coordinator that the user may not look up, and tells the reason beside.
            if code == RD_KAFKA_RESP_ERR__TIMED_OUT, let refusal = member.takeAuthorizationError(operation) {
                throw refusal
            }
            try member.check(code, operation)
            var offsets: [TopicPartition: Int64] = [:]
            for element in list.elements {
                try member.check(element.error, "\(operation) for \(element.partition)")
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
    ///   - request: sends it. Receives the client, the options (timeout included) and the queue for the answer.
    ///   - read: reads the result event, which is freed afterwards.
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
            // librdkafka answers within the request's timeout; the extra second is for scheduling.
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
