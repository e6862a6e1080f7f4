import KafkaClient

/// What stops a step of a lane.
enum LaneFault: Error {
    /// What was produced since the last commit is void: rewind to the committed offsets and do it again.
    case aborted(KafkaError)
    /// The coordinator gave our transactional id a newer epoch: after a transaction that took too long, or because somebody
    /// else uses the id. A new producer has to be made; then as for ``aborted``.
    case fenced(KafkaError)
    /// The worker was told to stop and the broker does not answer: what is not committed is left to whoever comes next.
    case stopped
    /// Trying again would change nothing.
    case fatal(WorkerError)

    /// What was in the way of a step that can be done again, by this worker or the next; nil for the other faults.
    var repeatableCause: KafkaError? {
        switch self {
        case .aborted(let error), .fenced(let error): error
        case .stopped, .fatal: nil
        }
    }

    /// Sorts an error of the producer or of a commit.
    init(_ error: KafkaError) {
        if let advice = Self.advice[error.name] {
            self = .fatal(WorkerError(advice.matter, "\(error); \(advice.text)"))
        } else if error.isFenced || (error.name == "_STATE" && !error.requiresAbort) {
            // "_STATE": librdkafka and we differ on where the transaction stands. A new producer settles it.
            self = .fenced(error)
        } else if error.isFatal {
            // The transactional and idempotent producers' fatal errors concern that producer's sequence of batches; a new
            // producer starts a new one.
            self = .fenced(error)
        } else {
            self = .aborted(error)
        }
    }

    /// A partition's log goes on below where it was worked on. librdkafka hands out nothing of an earlier position after a
    /// seek, so the topic was made anew, and offsets mean other records now.
    static func wentBack(_ place: TopicPartition, from next: Int64, to offset: Int64) -> LaneFault {
        .fatal(
            WorkerError(
                .failed,
                "\(place) went back from offset \(next) to \(offset): the topic must have been deleted and created anew "
                    + "while the worker ran. Start it again: it begins where the new topic begins"))
    }

    /// Errors that come back however often the work is repeated, and what to do about each.
    private static let advice: [String: (matter: WorkerError.Matter, text: String)] = [
        "MSG_SIZE_TOO_LARGE": (
            .configuration,
            "the broker refuses a record of this size: raise the topic's max.message.bytes to the producer's "
                + "message.max.bytes, or set maxRecordBytes below it"
        ),
        "RECORD_LIST_TOO_LARGE": (
            .configuration,
            "the broker refuses a batch of this size: set batch.size in kafka.properties below the topic's segment.bytes"
        ),
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
        "INVALID_RECORD": (.configuration, "compare the output topic's settings with those that `topics create` gives"),
        "POLICY_VIOLATION": (.configuration, "the cluster's policy refuses the record: ask whoever keeps the cluster"),
        "_AUTO_OFFSET_RESET": (
            .configuration,
            "the group's committed offset is not in the topic any more and auto.offset.reset forbids to choose another: set "
                + "the group's offsets by hand, or auto.offset.reset to earliest"
        ),
        "FENCED_INSTANCE_ID": (
            .failed,
            "another member has this group.instance.id: give each worker a state directory of its own, which gives it an "
                + "identity of its own"
        ),
        "INVALID_REQUIRED_ACKS": (.configuration, "remove acks from kafka.properties"),
    ]
}
