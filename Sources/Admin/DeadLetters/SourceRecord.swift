import KafkaClient
import Logging

/// A record as its topic holds it, for display.
struct SourceRecord: Sendable, Equatable {
    /// The record's own topic and partition.
    var place: TopicPartition
    /// The record's own offset.
    var offset: Int64
    /// Milliseconds since 1970; nil: the record has none.
    var timestamp: Int64?
    /// nil is Kafka's null.
    var key: [UInt8]?
    /// nil is Kafka's null.
    var value: [UInt8]?
    /// In their order, repeats included.
    var headers: [RecordHeader]

    /// A record whose bytes are copied already.
    init(
        place: TopicPartition, offset: Int64, timestamp: Int64?, key: [UInt8]?, value: [UInt8]?,
        headers: [RecordHeader]
    ) {
        self.place = place
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// Reads one record with a consumer of its own that joins no group. Blocks its thread until the record is read, the
    /// deadline passes, or the search is cancelled.
    ///
    /// - Parameter properties: a `read_committed` consumer's, with `auto.offset.reset` at `error`.
    /// - Returns: nil when the topic does not hold the record any more.
    /// - Throws: ``QuestionSearch/Failure``.
    static func read(
        _ place: TopicPartition, at offset: Int64, properties: KafkaProperties, deadline: ContinuousClock.Instant,
        cancellation: SearchCancellation, logger: Logger
    ) throws(QuestionSearch.Failure) -> SourceRecord? {
        do {
            let consumer = try AssignedConsumer(properties: properties, logger: logger)
            defer { consumer.close() }
            let (low, high) = try consumer.queryWatermarks(place, timeout: max(.milliseconds(1), deadline - .now))
            guard (low..<high).contains(offset) else { return nil }
            try consumer.assign([place: offset])
            while deadline > .now {
                if cancellation.isCancelled { throw QuestionSearch.Failure.cancelled }
                switch consumer.poll(timeoutMilliseconds: 100) {
                case .message(let message):
                    defer { message.release() }
                    // Where compaction removed the record, the next one is returned.
                    return message.offset == offset ? SourceRecord(message, of: place) : nil
                case .endOfPartition: return nil
                case .failure(let error):
                    if error.isAuthorization || error.isFatal { throw error }
                case .rebalance, .nothing: break
                }
            }
            throw QuestionSearch.Failure.tooLong(events: 0)
        } catch let failure as QuestionSearch.Failure {
            throw failure
        } catch {
            throw .unreachable("\(error)")
        }
    }

    private init(_ message: ConsumedMessage, of place: TopicPartition) {
        self.init(
            place: place, offset: message.offset, timestamp: message.timestamp, key: message.key.map(Array.init),
            value: message.value.map(Array.init), headers: message.headers)
    }
}
