import KafkaClient
import Records

/// A record that could not be processed, and why.
package struct DeadLetter {
    let message: ConsumedMessage
    let topic: String
    let error: RecordError

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
    var place: String { "\(topic) [\(message.partition)] at offset \(message.offset)" }

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
    var standInKey: String { "\(topic)/\(message.partition)@\(message.offset)" }

    /// About how much of the producer's queue it takes.
    var byteCount: Int { (message.value?.count ?? 0) + (message.key?.count ?? 0) + 256 }

    /// The headers that are added to the original's.
    func headers(as form: Form) -> [RecordHeader] {
        Self.headers(
            error: error, topic: topic, partition: message.partition, offset: message.offset,
            timestamp: message.timestamp)
            + form.omissions(
                hasKey: message.key != nil, hasValue: message.value != nil, hasHeaders: message.hasHeaders)
    }
}
