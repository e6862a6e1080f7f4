import AnswerStore
import KafkaClient
import Records

/// A record that could not be processed, and why.
package struct DeadLetter {
    /// Where the original's headers are.
    enum Headers {
        case none
        case message(ConsumedMessage)
        case packed(PackedHeaders)
    }

    let key: Bytes?
    let value: Bytes?
    let original: Headers
    let topic: String
    let partition: Int32
    let offset: Int64
    let timestamp: Int64?
    let error: RecordError

    init(message: ConsumedMessage, topic: String, error: RecordError) {
        key = message.key
        value = message.value
        original = message.hasHeaders ? .message(message) : .none
        self.topic = topic
        (partition, offset, timestamp) = (message.partition, message.offset, message.timestamp)
        self.error = error
    }

    /// For a question's event that the store has kept.
    init(question: StoredQuestion, id: Bytes, partition: Int32, topic: String, error: RecordError) {
        key = id
        value = question.value
        original = question.headers.isEmpty ? .none : .packed(PackedHeaders(question.headers))
        self.topic = topic
        (self.partition, offset, timestamp) = (partition, question.offset, question.timestamp)
        self.error = error
    }

    /// The record, where it still has its headers.
    var message: ConsumedMessage? {
        if case .message(let message) = original { message } else { nil }
    }

    /// The headers, where the store kept them.
    var keptHeaders: [RecordHeader] {
        if case .packed(let packed) = original { packed.headers } else { [] }
    }

    var hasHeaders: Bool {
        if case .none = original { false } else { true }
    }

    /// What is carried of the original; the largest that the producer takes is published.
    package enum Form: CaseIterable, Sendable {
        case whole, withoutValue, withoutValueAndHeaders, withoutKeyToo

        package var carriesValue: Bool { self == .whole }
        package var carriesHeaders: Bool { self == .whole || self == .withoutValue }
        package var carriesKey: Bool { self != .withoutKeyToo }

        /// What says that a part which the original has is left out.
        package func omissions(hasKey: Bool, hasValue: Bool, hasHeaders: Bool) -> [RecordHeader] {
            var headers: [RecordHeader] = []
            if !carriesValue, hasValue { headers.append(RecordHeader("rejoinder.error.value-omitted", "true")) }
            if !carriesHeaders, hasHeaders { headers.append(RecordHeader("rejoinder.error.headers-omitted", "true")) }
            if !carriesKey, hasKey { headers.append(RecordHeader("rejoinder.error.key-omitted", "true")) }
            return headers
        }
    }

    /// The record's place for people: `answers [3] at offset 17`.
    var place: String { "\(topic) [\(partition)] at offset \(offset)" }

    /// What a dead letter says of a record: why it is one, and where it came from.
    package static func headers(
        error: RecordError, topic: String, partition: Int32, offset: Int64, timestamp: Int64?
    ) -> [RecordHeader] {
        [
            RecordHeader("rejoinder.error.code", error.code.rawValue),
            RecordHeader("rejoinder.error.message", error.message),
            RecordHeader("rejoinder.source.topic", topic),
            RecordHeader("rejoinder.source.partition", String(partition)),
            RecordHeader("rejoinder.source.offset", String(offset)),
            // -1 is Kafka's own word for a record without a time.
            RecordHeader("rejoinder.source.timestamp", String(timestamp ?? -1)),
        ]
    }

    /// The key in place of none, where the topic takes no record without a key: `questions/3@1234`.
    var standInKey: String { "\(topic)/\(partition)@\(offset)" }

    /// About how much of the producer's queue it takes.
    var byteCount: Int { (value?.count ?? 0) + (key?.count ?? 0) + 256 }

    /// The headers that are added to the original's.
    func headers(as form: Form) -> [RecordHeader] {
        Self.headers(
            error: error, topic: topic, partition: partition, offset: offset, timestamp: timestamp)
            + form.omissions(hasKey: key != nil, hasValue: value != nil, hasHeaders: hasHeaders)
    }
}
