import KafkaClient
import Logging

/// One turn's take from a consumer: messages, ends of partitions, and an error that came between them. The same for
/// every consumer of a lane; reused from turn to turn. Lane thread only.
final class Gathering {
    /// The effect of a polled event on the turn.
    enum Step {
        /// The event was taken; more may be there.
        case more
        /// An error was noted: the turn goes on without waiting for more.
        case failed
        /// No event came in time.
        case dry
        /// The lane answers the rebalance once the turn's messages are worked on.
        case rebalance(Rebalance)
    }

    let messages: MessageBatch
    /// Ends that brokers reported, in the order of their arrival.
    private(set) var ends: [(place: TopicPartition, offset: Int64)] = []
    private var failure = ConsumerFailure()

    /// - Parameter capacity: the number of messages that fit before the batch has to grow.
    init(capacity: Int) { messages = MessageBatch(capacity: capacity) }

    /// The turn's error so far.
    var error: KafkaError? { failure.error }

    /// Takes a poll's result.
    @inline(__always)
    func take(_ event: ConsumerEvent) -> Step {
        switch event {
        case .message(let message):
            messages.append(message)
            return .more
        case .endOfPartition(let place, let offset):
            ends.append((place, offset))
            return .more
        case .failure(let error):
            failure.note(error)
            return .failed
        case .rebalance(let rebalance): return .rebalance(rebalance)
        case .nothing: return .dry
        }
    }

    /// Notes the error of another request of the same consumer.
    func note(_ error: KafkaError) { failure.note(error) }

    /// Ends the error's turn: logs one that passes.
    /// - Parameter reading: "questions", "tables".
    /// - Throws: `fatal` for an error that ends the worker, `evicted` for the loss of the place in the group.
    func settle(reading: String, _ logger: Logger) throws(LaneFault) {
        try failure.settle(reading: reading, logger)
    }

    func forgetError() { failure = ConsumerFailure() }

    /// Releases the messages and forgets the ends, for the next turn.
    func removeAll() {
        messages.removeAll()
        ends.removeAll(keepingCapacity: true)
    }
}
