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
        if case .ends(let matter, let advice) = ErrorVerdict.of(error) {
            self = .fatal(WorkerError(matter, "\(error); \(advice)"))
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
                "\(place) went back from offset \(next) to \(offset): its log was cut (an unclean election), or the topic was "
                    + "deleted and made anew while the worker ran. Start it again: it compares the group's offsets with the "
                    + "log, and offsets.onMismatch says what it does about them"))
    }
}
