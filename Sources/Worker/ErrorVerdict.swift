import KafkaClient

/// The consequence of an error code for a lane. `table` has every code of librdkafka and Kafka; a test walks
/// librdkafka's own list.
enum ErrorVerdict {
    /// Passes by itself: the transaction is aborted and the work repeated.
    case passes
    /// The broker refuses one record, however often it is sent: that record is set aside.
    case refusesRecord
    /// The group has given the member's place to another process, or to an earlier join of this member whose answer was
    /// lost: the lane joins again. The advice is for a place that is taken again and again.
    case losesPlace(String)
    /// Comes back however often the work is repeated: the worker ends with this advice.
    case ends(WorkerError.Matter, String)

    /// Looks up librdkafka's name of the code. A code that a newer librdkafka adds passes.
    static func of(_ error: KafkaError) -> ErrorVerdict { of(name: error.name) }

    static func of(name: String) -> ErrorVerdict { table[name] ?? .passes }

    static let table: [String: ErrorVerdict] = {
        var table: [String: ErrorVerdict] = [:]
        for name in passing { table[name] = .passes }
        for name in refusing { table[name] = .refusesRecord }
        table["FENCED_INSTANCE_ID"] = .losesPlace(
            "another member joins with this group.instance.id: a copy of the state directory may be in use; give each "
                + "worker a directory of its own")
        for (name, advice) in ending { table[name] = .ends(advice.matter, advice.text) }
        return table
    }()

    /// Kafka's codes for a record that it does not append.
    private static let refusing = [
        "INVALID_RECORD", "INVALID_TIMESTAMP", "INVALID_MSG_SIZE", "MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE",
        "POLICY_VIOLATION",
    ]

    private static let client =
        "librdkafka and the worker disagree: this is an error of the program; report it with this line and the one "
        + "before"
    private static let brokerVersion = "the brokers are too old: the worker needs Kafka 3.6 or newer"
    private static let security = "compare the security settings in kafka.properties with the brokers'"

    private static let ending: [String: (matter: WorkerError.Matter, text: String)] = [
        "TOPIC_AUTHORIZATION_FAILED": (
            .configuration, "give the worker's user the rights to read the input topics and write the output topics"
        ),
        "GROUP_AUTHORIZATION_FAILED": (.configuration, "give the worker's user the right to read the consumer group"),
        "CLUSTER_AUTHORIZATION_FAILED": (
            .configuration, "give the worker's user the right to write idempotently (cluster: IdempotentWrite)"
        ),
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": (
            .configuration,
            "give the worker's user the rights to describe and write transactional ids that begin with the group id"
        ),
        "INVALID_TRANSACTION_TIMEOUT": (
            .configuration,
            "set transaction.timeout.ms in kafka.properties below the brokers' transaction.max.timeout.ms"
        ),
        "INVALID_SESSION_TIMEOUT": (
            .configuration,
            "set session.timeout.ms in kafka.properties within the brokers' group.min.session.timeout.ms and "
                + "group.max.session.timeout.ms"
        ),
        "_AUTO_OFFSET_RESET": (
            .configuration,
            "the group's committed offset is not in the topic any more and auto.offset.reset forbids to choose "
                + "another: set the group's offsets by hand, or auto.offset.reset to earliest"
        ),
        "UNRELEASED_INSTANCE_ID": (
            .failed, "another member has this group.instance.id: give each worker a state directory of its own"
        ),
        "INVALID_REQUIRED_ACKS": (.configuration, "remove acks from kafka.properties"),
        "INCONSISTENT_GROUP_PROTOCOL": (
            .configuration,
            "other members of the group have another partition.assignment.strategy: give all workers the same, or this "
                + "one a kafka.groupId of its own"
        ),
        "UNSUPPORTED_ASSIGNOR": (
            .configuration, "set group.remote.assignor in kafka.properties to one that the brokers have"
        ),
        "INVALID_GROUP_ID": (.configuration, "set kafka.groupId to a name that Kafka takes"),
        "TOPIC_EXCEPTION": (.configuration, "set the topic's name to one that Kafka takes"),
        "UNSUPPORTED_FOR_MESSAGE_FORMAT": (.configuration, brokerVersion),
        "UNSUPPORTED_VERSION": (.configuration, brokerVersion),
        "_UNSUPPORTED_FEATURE": (.configuration, brokerVersion),
        "UNSUPPORTED_COMPRESSION_TYPE": (
            .configuration, "set compression.type in kafka.properties to one that the brokers take"
        ),
        "SECURITY_DISABLED": (.configuration, security),
        "UNSUPPORTED_SASL_MECHANISM": (.configuration, security),
        "ILLEGAL_SASL_STATE": (.configuration, security),
        "_INVALID_ARG": (.failed, client),
        "_NOT_CONFIGURED": (.failed, client),
        "_NOT_IMPLEMENTED": (
            .configuration, "this librdkafka was built without a feature that kafka.properties asks for"
        ),
        "_INVALID_TYPE": (.failed, client),
        "_CONFLICT": (.failed, client),
        "_EXISTING_SUBSCRIPTION": (.failed, client),
        "_UNKNOWN_PROTOCOL": (.failed, client),
        "_INVALID_DIFFERENT_RECORD": (.failed, client),
        "INVALID_REQUEST": (.failed, client),
        "INVALID_COMMIT_OFFSET_SIZE": (.failed, client),
        "OFFSET_METADATA_TOO_LARGE": (.failed, client),
        "_CRIT_SYS_RESOURCE": (
            .failed, "the system has no threads or file descriptors left: raise the process's limits"
        ),
        "_BAD_COMPRESSION": (
            .configuration,
            "a batch of the topic unpacks to more than receive.message.max.bytes or is damaged: raise "
                + "receive.message.max.bytes in kafka.properties (at most 2147483647). If that does not help, pass the "
                + "batch over. In a topic of questions or sources, set the group's offset behind it. Answers and "
                + "votes, and questions with publish.on: changes, are also read from the stores' own positions: delete "
                + "the partition's records up to the end of the batch (kafka-delete-records), start once with "
                + "offsets.onMismatch: continue, and publish the deleted ones again that still count"
        ),
    ]

    /// Errors of the network and of brokers that start, end, move leadership or balance groups; and codes that no
    /// request of the worker can meet.
    private static let passing: Set<String> = [
        "NO_ERROR", "UNKNOWN", "_BEGIN", "_END", "_BAD_MSG", "_DESTROY", "_FAIL", "_TRANSPORT", "_RESOLVE",
        "_MSG_TIMED_OUT", "_PARTITION_EOF", "_UNKNOWN_PARTITION", "_FS", "_UNKNOWN_TOPIC", "_ALL_BROKERS_DOWN",
        "_TIMED_OUT", "_QUEUE_FULL", "_ISR_INSUFF", "_NODE_UPDATE", "_SSL", "_WAIT_COORD", "_UNKNOWN_GROUP",
        "_IN_PROGRESS", "_PREV_IN_PROGRESS", "_ASSIGN_PARTITIONS", "_REVOKE_PARTITIONS", "_STATE", "_AUTHENTICATION",
        "_NO_OFFSET", "_OUTDATED", "_TIMED_OUT_QUEUE", "_WAIT_CACHE", "_INTR", "_KEY_SERIALIZATION",
        "_VALUE_SERIALIZATION", "_KEY_DESERIALIZATION", "_VALUE_DESERIALIZATION", "_PARTIAL", "_READ_ONLY", "_NOENT",
        "_UNDERFLOW", "_RETRY", "_PURGE_QUEUE", "_PURGE_INFLIGHT", "_FATAL", "_INCONSISTENT", "_GAPLESS_GUARANTEE",
        "_MAX_POLL_EXCEEDED", "_UNKNOWN_BROKER", "_NOOP", "_LOG_TRUNCATION", "_APPLICATION", "_ASSIGNMENT_LOST",
        "_FENCED", "_DESTROY_BROKER", "OFFSET_OUT_OF_RANGE", "INVALID_MSG", "UNKNOWN_TOPIC_OR_PART",
        "LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "BROKER_NOT_AVAILABLE",
        "REPLICA_NOT_AVAILABLE", "STALE_CTRL_EPOCH", "NETWORK_EXCEPTION", "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "TOPIC_ALREADY_EXISTS",
        "INVALID_PARTITIONS", "INVALID_REPLICATION_FACTOR", "INVALID_REPLICA_ASSIGNMENT", "INVALID_CONFIG",
        "NOT_CONTROLLER", "OUT_OF_ORDER_SEQUENCE_NUMBER", "DUPLICATE_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH",
        "INVALID_TXN_STATE", "INVALID_PRODUCER_ID_MAPPING", "CONCURRENT_TRANSACTIONS", "TRANSACTION_COORDINATOR_FENCED",
        "OPERATION_NOT_ATTEMPTED", "KAFKA_STORAGE_ERROR", "LOG_DIR_NOT_FOUND", "SASL_AUTHENTICATION_FAILED",
        "UNKNOWN_PRODUCER_ID", "REASSIGNMENT_IN_PROGRESS", "DELEGATION_TOKEN_AUTH_DISABLED",
        "DELEGATION_TOKEN_NOT_FOUND", "DELEGATION_TOKEN_OWNER_MISMATCH", "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED",
        "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "DELEGATION_TOKEN_EXPIRED", "INVALID_PRINCIPAL_TYPE",
        "NON_EMPTY_GROUP", "GROUP_ID_NOT_FOUND", "FETCH_SESSION_ID_NOT_FOUND", "INVALID_FETCH_SESSION_EPOCH",
        "LISTENER_NOT_FOUND", "TOPIC_DELETION_DISABLED", "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH",
        "STALE_BROKER_EPOCH", "OFFSET_NOT_AVAILABLE", "MEMBER_ID_REQUIRED", "PREFERRED_LEADER_NOT_AVAILABLE",
        "GROUP_MAX_SIZE_REACHED", "ELIGIBLE_LEADERS_NOT_AVAILABLE", "ELECTION_NOT_NEEDED",
        "NO_REASSIGNMENT_IN_PROGRESS", "GROUP_SUBSCRIBED_TO_TOPIC", "UNSTABLE_OFFSET_COMMIT",
        "THROTTLING_QUOTA_EXCEEDED", "PRODUCER_FENCED", "RESOURCE_NOT_FOUND", "DUPLICATE_RESOURCE",
        "UNACCEPTABLE_CREDENTIAL", "INCONSISTENT_VOTER_SET", "INVALID_UPDATE_VERSION", "FEATURE_UPDATE_FAILED",
        "PRINCIPAL_DESERIALIZATION_FAILURE", "UNKNOWN_TOPIC_ID", "FENCED_MEMBER_EPOCH", "STALE_MEMBER_EPOCH",
        "UNKNOWN_SUBSCRIPTION_ID", "TELEMETRY_TOO_LARGE", "REBOOTSTRAP_REQUIRED", "TRANSACTION_ABORTABLE",
        "INCONSISTENT_TOPIC_ID", "INVALID_REGISTRATION", "FENCED_STATE_EPOCH", "INVALID_RECORD_STATE",
        "INVALID_REGULAR_EXPRESSION", "INVALID_SHARE_SESSION_EPOCH", "SHARE_SESSION_LIMIT_REACHED",
        "SHARE_SESSION_NOT_FOUND", "INVALID_VOTER_KEY", "DUPLICATE_VOTER", "VOTER_NOT_FOUND",
        "MISMATCHED_ENDPOINT_TYPE", "UNSUPPORTED_ENDPOINT_TYPE", "UNKNOWN_CONTROLLER_ID", "STREAMS_INVALID_TOPOLOGY",
        "STREAMS_INVALID_TOPOLOGY_EPOCH", "STREAMS_TOPOLOGY_FENCED",
    ]
}
