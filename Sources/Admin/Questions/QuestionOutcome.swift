import Hummingbird
import KafkaClient
import Records

/// A question's latest event, as its topic holds it.
package struct QuestionEvent: Sendable, Equatable {
    /// The partition of the questions topic.
    package var place: TopicPartition
    /// The event's offset in ``place``.
    package var offset: Int64
    /// Milliseconds since 1970; nil: the record has none.
    package var timestamp: Int64?
    /// nil: the question was deleted.
    package var value: [UInt8]?

    /// - Parameter value: nil for the event of a deleted question.
    package init(place: TopicPartition, offset: Int64, timestamp: Int64?, value: [UInt8]?) {
        self.place = place
        self.offset = offset
        self.timestamp = timestamp
        self.value = value
    }
}

/// The result of looking up a question.
enum QuestionOutcome: Sendable, Equatable {
    case enriched([UInt8], QuestionEvent)
    case deleted(QuestionEvent)
    case refused(RecordErrorCode, String, QuestionEvent)
    case notFound(TopicPartition)
    /// The store keeps the questions and does not have this one.
    case notStored(TopicPartition)
    case notOwned(TopicPartition)
    case restoring(TopicPartition)
    /// Another question is being looked up.
    case busy
    /// `events`: the number of offsets searched.
    case tooLong(TopicPartition, events: Int64)
    /// No answer from the partition's lane.
    case noAnswer(TopicPartition)
    /// No answer from the cluster, or a refusal: a sentence.
    case unreachable(String)
    /// Not a possible id of a question.
    case noID
    /// The topic has no partition of this number.
    case noPartition(Int32)

    var status: HTTPResponse.Status {
        switch self {
        case .enriched: .ok
        case .noID, .noPartition: .badRequest
        case .notFound, .notStored: .notFound
        case .deleted: .gone
        case .notOwned: .misdirectedRequest
        case .refused: .unprocessableContent
        case .restoring, .busy, .unreachable: .serviceUnavailable
        case .tooLong, .noAnswer: .gatewayTimeout
        }
    }

    /// The wait before another request makes sense, in seconds.
    var retryAfter: Int? {
        switch self {
        case .busy: 1
        case .restoring, .unreachable, .noAnswer: 5
        default: nil
        }
    }

    /// An error code for programs.
    var word: String {
        switch self {
        case .enriched: "enriched"
        case .noID: "no-id"
        case .noPartition: "no-partition"
        case .notFound, .notStored: "not-found"
        case .deleted: "deleted"
        case .notOwned: "not-owned"
        case .refused: "dead-letter"
        case .restoring: "restoring"
        case .busy: "busy"
        case .unreachable: "unreachable"
        case .tooLong: "too-long"
        case .noAnswer: "no-answer"
        }
    }

    private static let placementAdvice =
        "If its producer does not place records by the key's murmur2 hash, as Java's does, name the partition: "
        + "?partition=N."

    /// For people. Contains nothing of records but a dead letter's reason.
    var sentence: String {
        switch self {
        case .enriched: "The worker would publish this now."
        case .noID: "A question's id has 1 to 200 bytes; give it as /questions/ID, or /questions?id=ID."
        case .noPartition(-1): "?partition= wants a number from 0 on."
        case .noPartition(let number): "The topic of the questions has no partition \(number)."
        case .notFound(let place):
            "No event of this question is in \(place), where its id belongs. \(Self.placementAdvice)"
        case .notStored(let place):
            "The store has no such question in \(place), where its id belongs: it was never asked, it was deleted, or "
                + "its events are dead letters. \(Self.placementAdvice)"
        case .deleted(let event): "The question was deleted by the event at offset \(event.offset) of \(event.place)."
        case .notOwned(let place):
            "The question belongs to \(place), which this worker does not have at present: ask the worker that has it."
        case .refused(let code, let reason, let event):
            "The question's latest event, at offset \(event.offset) of \(event.place), would be a dead letter: "
                + "\(code.rawValue), \(reason)."
        case .restoring(let place):
            "Answers and votes of partition \(place.partition) are still being restored; nothing of \(place) is "
                + "enriched before."
        case .busy: "Another question is being looked up; one at a time is. Try again in a second."
        case .tooLong(let place, let events):
            "The question's latest event is not among the last \(events) of \(place), and finding it further back "
                + "takes too long."
        case .noAnswer(let place): "The lane that has \(place) did not answer in time; it may be waiting for a broker."
        case .unreachable(let reason): "The topic of the questions could not be read: \(reason)."
        }
    }

    /// The question's event, where it was found.
    var event: QuestionEvent? {
        switch self {
        case .enriched(_, let event), .deleted(let event), .refused(_, _, let event): event
        default: nil
        }
    }

    /// The partition concerned.
    var place: TopicPartition? {
        switch self {
        case .enriched(_, let event), .deleted(let event), .refused(_, _, let event): event.place
        case .notFound(let place), .notStored(let place), .notOwned(let place), .restoring(let place),
            .tooLong(let place, _),
            .noAnswer(let place):
            place
        case .busy, .unreachable, .noID, .noPartition: nil
        }
    }
}
