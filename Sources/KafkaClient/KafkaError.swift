import CRDKafka

/// A failed call to Kafka: its cause, and the consequences for the caller.
package struct KafkaError: Error, Sendable, CustomStringConvertible {
    /// librdkafka's name of the error: `_TRANSPORT`, `TOPIC_AUTHORIZATION_FAILED`. A leading underscore marks an error
    /// that librdkafka raised itself; the others came from a broker.
    package let name: String
    /// librdkafka's number of the error: negative ones are its own, positive ones Kafka's.
    let rawCode: Int32
    /// The failed operation and its object: "committing the transaction of producer rejoinder-1".
    package let operation: String
    /// The cause, for people. Never holds a secret's value.
    package let reason: String
    /// The client is unusable: close it and make a new one.
    package let isFatal: Bool
    /// The same call may succeed when repeated.
    package let isRetriable: Bool
    /// The current transaction must be aborted before any other call. Without transactions: records are lost, and must
    /// be produced again.
    package let requiresAbort: Bool
    /// The partition that a consumer's error is about; nil for other errors, and for a whole topic's.
    package internal(set) var partition: TopicPartition?

    /// Another client with the same transactional or instance id has taken over.
    package var isFenced: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            true
        default: false
        }
    }

    /// No answer came in time.
    package var isTimeout: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT:
            true
        default: false
        }
    }

    /// The consumer's position is no longer in the log, and `auto.offset.reset` is `error`: records were deleted, or
    /// the log was truncated.
    package var isOffsetOutOfRange: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: true
        default: false
        }
    }

    /// The producer's queue is full: poll, then produce again.
    package var isQueueFull: Bool { rawCode == RD_KAFKA_RESP_ERR__QUEUE_FULL.rawValue }

    /// A record exceeds the producer's `message.max.bytes`.
    package var isTooLarge: Bool { rawCode == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE.rawValue }

    /// The topic does not exist, or has fewer partitions.
    package var isUnknownPartition: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            true
        default: false
        }
    }

    /// No broker could be reached.
    package var isUnreachable: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__AUTHENTICATION:
            true
        default: isTimeout
        }
    }

    /// The broker denies the user this operation.
    package var isAuthorization: Bool {
        switch rd_kafka_resp_err_t(rawCode) {
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            true
        default: false
        }
    }

    /// The names of all error codes that this librdkafka knows.
    package static var knownNames: [String] {
        var descriptions: UnsafePointer<rd_kafka_err_desc>?
        var count = 0
        rd_kafka_get_err_descs(&descriptions, &count)
        guard let descriptions else { return [] }
        return (0..<count).compactMap { descriptions[$0].name.map { String(cString: $0) } }
    }

    /// Operation, cause and librdkafka's name of the error, in a sentence without its end.
    package var description: String { "\(operation) failed: \(reason) (\(name))" }

    init(
        _ code: rd_kafka_resp_err_t, operation: String, reason: String? = nil,
        isFatal: Bool = false, isRetriable: Bool? = nil, requiresAbort: Bool = false
    ) {
        self.name = String(cString: rd_kafka_err2name(code))
        self.rawCode = code.rawValue
        self.operation = operation
        self.reason = reason.flatMap { $0.isEmpty ? nil : $0 } ?? String(cString: rd_kafka_err2str(code))
        self.isFatal = isFatal || code == RD_KAFKA_RESP_ERR__FATAL
        self.isRetriable = isRetriable ?? Self.isTransient(code)
        self.requiresAbort = requiresAbort
    }

    /// Takes over the error object that librdkafka gave us, and frees it.
    init(consuming error: OpaquePointer, operation: String) {
        let code = rd_kafka_error_code(error)
        self.init(
            code, operation: operation,
            reason: String(cString: rd_kafka_error_string(error)),
            isFatal: rd_kafka_error_is_fatal(error) != 0,
            isRetriable: rd_kafka_error_is_retriable(error) != 0,
            requiresAbort: rd_kafka_error_txn_requires_abort(error) != 0)
        rd_kafka_error_destroy(error)
    }

    /// The same error with an addition to its reason.
    func explained(_ more: String) -> KafkaError {
        KafkaError(
            rd_kafka_resp_err_t(rawCode), operation: operation, reason: "\(reason); \(more)",
            isFatal: isFatal, isRetriable: isRetriable, requiresAbort: requiresAbort)
    }

    /// Errors that pass by themselves. Calls that return an error object know better than this list.
    private static func isTransient(_ code: rd_kafka_resp_err_t) -> Bool {
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__STATE, RD_KAFKA_RESP_ERR__RETRY, RD_KAFKA_RESP_ERR__IN_PROGRESS,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR:
            true
        default: false
        }
    }
}

extension rd_kafka_resp_err_t {
    /// A group's or transaction's coordinator is being elected, moves or loads.
    var isCoordinatorsMove: Bool {
        switch self {
        case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR:
            true
        default: false
        }
    }
}

extension Duration {
    /// For librdkafka's timeouts: whole milliseconds, at least 0, so never its "for ever" (-1).
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        return Int32(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }
}
