import AnswerStore
import KafkaClient

/// A fault that ends a step of a lane.
enum LaneFault: Error {
    /// The records produced since the last commit are void: rewind to the committed offsets and repeat the work.
    case aborted(KafkaError)
    /// The coordinator gave our transactional id a newer epoch: after a transaction that took too long, or because
    /// another process uses the id. A new producer is needed; then as for ``aborted``.
    case fenced(KafkaError)
    /// The lane has lost its place in the group: its partitions may have other owners. It joins again; then as for
    /// ``aborted``.
    case evicted(KafkaError)
    /// A store's map was full in the middle of a transaction. The map has grown, and the store is back at its last
    /// commit: its partition is taken over again, so that its records since then are read again; then as for
    /// ``aborted``.
    case undone(StoreError)
    /// The worker was told to stop and the broker does not answer: uncommitted work is left to the next owner.
    case stopped
    /// A retry would change nothing.
    case fatal(WorkerError)

    /// The cause of a fault whose step can be repeated, by this worker or the next; nil for the other faults.
    var repeatableCause: (any Error)? {
        if case .undone(let error) = self { error } else { kafkaCause }
    }

    /// As ``repeatableCause``, of faults that come of a broker's or the client's error.
    var kafkaCause: KafkaError? {
        switch self {
        case .aborted(let error), .fenced(let error), .evicted(let error): error
        case .undone, .stopped, .fatal: nil
        }
    }

    /// Whether the same request cannot succeed later, even where its repetition costs nothing.
    var isLasting: Bool {
        switch self {
        case .fatal, .evicted: true
        case .aborted, .fenced, .undone, .stopped: false
        }
    }

    /// Classifies an error of the producer or of a commit.
    init(_ error: KafkaError) {
        let verdict = ErrorVerdict.of(error)
        if case .ends(let matter, let advice) = verdict {
            self = .fatal(WorkerError(matter, "\(error); \(advice)"))
        } else if case .losesPlace = verdict {
            self = .evicted(error)
        } else if error.isFenced || (error.name == "_STATE" && !error.requiresAbort) {
            // "_STATE": librdkafka and this code disagree on the transaction's state. A new producer settles it.
            self = .fenced(error)
        } else if error.isFatal {
            // Fatal errors of transactional and idempotent producers concern that producer's sequence of batches; a new
            // producer starts a new one.
            self = .fenced(error)
        } else {
            self = .aborted(error)
        }
    }

    /// A failed store ends the worker, whose next start checks it, or fills it anew. A store that only lost changes
    /// does not.
    init(_ error: StoreError) { self = error.kind == .undone ? .undone(error) : .fatal(WorkerError(error)) }

    /// A partition's log goes on below the position. librdkafka hands out no earlier record after a seek, so the log
    /// was cut or the topic recreated, and offsets may mean other records now.
    static func wentBack(_ place: TopicPartition, from next: Int64, to offset: Int64) -> LaneFault {
        .fatal(
            WorkerError(
                .failed,
                "\(place) went back from offset \(next) to \(offset): its log was cut (an unclean election), or the "
                    + "topic was deleted and made anew while the worker ran. Start it again: it compares the group's "
                    + "offsets with the log, and offsets.onMismatch decides about them"))
    }
}

/// Calls a store, whose failure is the lane's fault.
func storing<Result>(_ body: () throws(StoreError) -> Result) throws(LaneFault) -> Result {
    do throws(StoreError) { return try body() } catch { throw LaneFault(error) }
}

/// Calls a broker, whose refusal is the lane's fault.
func asking<Result>(_ body: () throws(KafkaError) -> Result) throws(LaneFault) -> Result {
    do throws(KafkaError) { return try body() } catch { throw LaneFault(error) }
}
