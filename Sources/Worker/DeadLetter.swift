import AnswerStore
import Bytes
import KafkaClient
import Records

/// A record that could not be processed, and why.
package struct DeadLetter {
    /// The place of the original's headers.
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

    /// A dead letter for a question's event as the store keeps it.
    init(question: StoredQuestion, id: Bytes, partition: Int32, topic: String, error: RecordError) {
        key = id
        value = question.value
        original = question.headers.isEmpty ? .none : .packed(PackedHeaders(question.headers))
        self.topic = topic
        (self.partition, offset, timestamp) = (partition, question.offset, question.timestamp)
        self.error = error
    }

    /// The original record, where its headers are still in it.
    var message: ConsumedMessage? {
        if case .message(let message) = original { message } else { nil }
    }

    /// The original's headers, where the store kept them.
    var keptHeaders: [RecordHeader] {
        if case .packed(let packed) = original { packed.headers } else { [] }
    }

    var hasHeaders: Bool {
        if case .none = original { false } else { true }
    }

    /// Parts of the original that a dead letter carries.
    package enum Form: CaseIterable, Sendable {
        case whole, withoutValue, withoutValueAndHeaders, withoutKeyToo

        /// Whether the original's value stays in the letter.
        var carriesValue: Bool { self == .whole }
        /// Whether the original's own headers stay in the letter.
        var carriesHeaders: Bool { self == .whole || self == .withoutValue }
        /// Whether the original's key stays in the letter.
        var carriesKey: Bool { self != .withoutKeyToo }

        /// Headers for the parts of the original that this form leaves out.
        fileprivate func omissions(hasKey: Bool, hasValue: Bool, hasHeaders: Bool) -> [RecordHeader] {
            var headers: [RecordHeader] = []
            if !carriesValue, hasValue { headers.append(RecordHeader("rejoinder.error.value-omitted", "true")) }
            if !carriesHeaders, hasHeaders { headers.append(RecordHeader("rejoinder.error.headers-omitted", "true")) }
            if !carriesKey, hasKey { headers.append(RecordHeader("rejoinder.error.key-omitted", "true")) }
            return headers
        }
    }

    /// Offers a dead letter's forms, the largest first, until one is taken.
    /// - Parameters:
    ///   - headers: the original's.
    ///   - hasHeaders: whether the original has any; nil: as `headers` say.
    ///   - reasons: the headers that are added to them (``headers(error:topic:partition:offset:timestamp:)``).
    ///   - take: publishes a form's parts.
    /// - Returns: whether one was taken.
    package static func offer<Failure>(
        key: Bytes?, value: Bytes?, headers: [RecordHeader], hasHeaders: Bool? = nil, reasons: [RecordHeader],
        to take: (Form, _ key: Bytes?, _ value: Bytes?, _ headers: [RecordHeader]) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        for form in Form.allCases {
            let omissions = form.omissions(
                hasKey: key != nil, hasValue: value != nil, hasHeaders: hasHeaders ?? !headers.isEmpty)
            let isTaken = try take(
                form, form.carriesKey ? key : nil, form.carriesValue ? value : nil,
                (form.carriesHeaders ? headers : []) + reasons + omissions)
            if isTaken { return true }
        }
        return false
    }

    /// The original's place for people: `answers [3] at offset 17`.
    var place: String { "\(topic) [\(partition)] at offset \(offset)" }

    /// Headers that say why a record is a dead letter, and where it came from.
    package static func headers(
        error: RecordError, topic: String, partition: Int32, offset: Int64, timestamp: Int64?
    ) -> [RecordHeader] {
        [
            RecordHeader("rejoinder.error.code", error.code.rawValue),
            RecordHeader("rejoinder.error.message", error.message),
            RecordHeader("rejoinder.source.topic", topic),
            RecordHeader("rejoinder.source.partition", String(partition)),
            RecordHeader("rejoinder.source.offset", String(offset)),
            // -1 is Kafka's value for a record without a timestamp.
            RecordHeader("rejoinder.source.timestamp", String(timestamp ?? -1)),
        ]
    }

    /// The stand-in key for a topic that takes no record without a key: `questions/3@1234`.
    var standInKey: String { "\(topic)/\(partition)@\(offset)" }

    /// Bytes that the letter takes of the producer's queue, roughly.
    var byteCount: Int { (value?.count ?? 0) + (key?.count ?? 0) + 256 }

    /// The headers that are added to the original's.
    var reasons: [RecordHeader] {
        Self.headers(error: error, topic: topic, partition: partition, offset: offset, timestamp: timestamp)
    }
}
