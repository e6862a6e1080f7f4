import KafkaClient
import Logging
import Synchronization

/// Cancels a search from any thread, when its client has gone.
final class SearchCancellation: Sendable {
    private let given = Atomic(false)

    /// Not cancelled.
    init() {}

    /// For good; may be called more than once.
    func cancel() { given.store(true, ordering: .relaxed) }

    /// Read by the search between two records.
    var isCancelled: Bool { given.load(ordering: .relaxed) }
}

/// Finds a question's latest event in its partition, backwards from the end, with a consumer of its own that joins no
/// group. It blocks in librdkafka, so it needs a thread of its own, never a cooperative one.
struct QuestionSearch {
    enum Failure: Error, Equatable {
        /// Out of time, after searching this many offsets.
        case tooLong(events: Int64)
        case cancelled
        /// A store that keeps the questions has read all events but the newest, and none of them is left of the
        /// question; nor is one among the newest.
        case notStored
        case unreachable(String)
    }

    /// The first window in offsets; each further one is four times as long. Most questions looked up are recent.
    private static let firstWindow: Int64 = 5000

    let id: [UInt8]
    let place: TopicPartition
    let deadline: ContinuousClock.Instant
    let cancellation: SearchCancellation
    let consumer: AssignedConsumer

    /// - Parameters:
    ///   - start: the offset up to which to search back.
    ///   - properties: a `read_committed` consumer's.
    /// - Returns: nil when the partition has no event of the question from `start` on.
    static func latest(
        of id: [UInt8], in place: TopicPartition, from start: Int64 = 0, properties: KafkaProperties,
        deadline: ContinuousClock.Instant,
        cancellation: SearchCancellation, logger: Logger
    ) throws(Failure) -> QuestionEvent? {
        do {
            let consumer = try AssignedConsumer(properties: properties, logger: logger)
            defer { consumer.close() }
            return try QuestionSearch(
                id: id, place: place, deadline: deadline, cancellation: cancellation, consumer: consumer
            ).backwards(to: start)
        } catch let failure as Failure {
            throw failure
        } catch let error as KafkaError where error.isTimeout && deadline <= .now {
            throw .tooLong(events: 0)
        } catch {
            throw .unreachable("\(error)")
        }
    }

    private func backwards(to first: Int64) throws -> QuestionEvent? {
        var (low, high) = try consumer.queryWatermarks(place, timeout: max(.milliseconds(1), deadline - .now))
        low = max(low, first)
        var end = high
        var window = Self.firstWindow
        while end > low {
            let start = max(low, end - window)
            if let event = try last(from: start, to: end, of: high) { return event }
            end = start
            window *= 4
        }
        return nil
    }

    /// The question's last event from `start` up to but not including `end`.
    private func last(from start: Int64, to end: Int64, of high: Int64) throws -> QuestionEvent? {
        try consumer.assign([place: start])
        var found: QuestionEvent?
        reading: while true {
            if cancellation.isCancelled { throw Failure.cancelled }
            guard deadline > .now else { throw Failure.tooLong(events: high - end) }
            switch consumer.poll(timeoutMilliseconds: 100) {
            case .message(let message):
                defer { message.release() }
                // Offsets may be missing: a first offset at or after the end shows that all earlier records were read.
                guard message.offset < end else { break reading }
                if let key = message.key, key.elementsEqual(id) {
                    found = QuestionEvent(
                        place: place, offset: message.offset, timestamp: message.timestamp,
                        value: message.value.map(Array.init))
                }
                if message.offset == end - 1 { break reading }
            case .endOfPartition: break reading
            case .failure(let error):
                // librdkafka retries after transient errors, until the deadline.
                if error.isAuthorization || error.isFatal { throw error }
            case .rebalance, .nothing: break
            }
        }
        try consumer.unassign([place])
        return found
    }
}
