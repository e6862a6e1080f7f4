import Bytes
import KafkaClient

/// One partition of a window, with the records that have arrived and wait for their turn.
///
/// Owns the waiting messages until they are taken out.
final class MergeSource: MergeRun {
    enum State {
        /// More records are expected.
        case reading
        /// Enough records wait; fetching is paused.
        case paused
        /// All records up to the log's end have arrived, and more may follow. Only for followed topics.
        case caughtUp
        /// No more records are expected.
        case ended
    }

    private struct Entry {
        let message: ConsumedMessage
        /// Milliseconds of the reader's clock.
        let arrived: Int64
    }

    let partition: TopicPartition
    /// The topic's place among the window's topics by name.
    let topicRank: Int
    /// The first offset after the window.
    let end: Int64
    /// The first offset still to be read.
    var expected: Int64
    var state = State.reading
    /// When waiting for the next record began, in milliseconds of the reader's clock; valid while `isWaitedFor`.
    var waitingSince: Int64
    /// Bytes of the waiting messages.
    private(set) var byteCount = 0
    private var entries: [Entry] = []
    private var first = 0

    init(partition: TopicPartition, topicRank: Int, range: Range<Int64>, isFollowed: Bool, waitingSince: Int64 = 0) {
        self.waitingSince = waitingSince
        self.partition = partition
        self.topicRank = topicRank
        expected = range.lowerBound
        end = isFollowed ? .max : range.upperBound
    }

    deinit {
        for entry in entries[first...] { entry.message.release() }
    }

    /// librdkafka's own memory for a message besides its bytes, roughly.
    private static let overhead = 256

    var isEmpty: Bool { first == entries.count }

    /// The next record is still to come, so the next turn is not known before it.
    var isWaitedFor: Bool {
        if case .reading = state { isEmpty } else { false }
    }

    /// The timestamp of the next record; a record without one comes first.
    var headTimestamp: Int64 { entries[first].message.timestamp ?? -1 }

    var headArrived: Int64 { entries[first].arrived }

    func append(_ message: ConsumedMessage, arrived: Int64) {
        entries.append(Entry(message: message, arrived: arrived))
        byteCount += message.byteCount + Self.overhead
    }

    /// Takes the first message out; the caller releases it.
    func removeFirst() -> ConsumedMessage {
        let message = entries[first].message
        first += 1
        byteCount -= message.byteCount + Self.overhead
        if first == entries.count {
            entries.removeAll(keepingCapacity: true)
            first = 0
        } else if first >= 4_096, first * 2 >= entries.count {
            entries.removeFirst(first)
            first = 0
        }
        return message
    }

    /// The order that is the same in every run: timestamp, then topic, then partition.
    func precedes(_ other: MergeSource) -> Bool {
        (headTimestamp, topicRank, partition.partition)
            < (other.headTimestamp, other.topicRank, other.partition.partition)
    }
}
