import KafkaClient
import Records

/// A record that could not be processed, and why.
struct DeadLetter {
    let message: ConsumedMessage
    let topic: String
    let error: RecordError

    /// What is carried of the original; the largest that the producer takes is published.
    enum Form: CaseIterable {
        case whole, withoutValue, withoutValueAndHeaders, withoutKeyToo

        var carriesValue: Bool { self == .whole }
        var carriesHeaders: Bool { self == .whole || self == .withoutValue }
        var carriesKey: Bool { self != .withoutKeyToo }
    }

    /// The record's place for people: `answers [3] at offset 17`.
    var place: String { "\(topic) [\(message.partition)] at offset \(message.offset)" }

    /// About how much of the producer's queue it takes.
    var byteCount: Int { (message.value?.count ?? 0) + (message.key?.count ?? 0) + 256 }

    /// The headers that are added to the original's.
    func headers(as form: Form) -> [(name: String, value: String)] {
        var headers = [
            (name: "rejoinder.error.code", value: error.code.rawValue),
            (name: "rejoinder.error.message", value: error.message),
            (name: "rejoinder.source.topic", value: topic),
            (name: "rejoinder.source.partition", value: String(message.partition)),
            (name: "rejoinder.source.offset", value: String(message.offset)),
            // -1 is Kafka's own word for a record without a time.
            (name: "rejoinder.source.timestamp", value: String(message.timestamp ?? -1)),
        ]
        if !form.carriesValue { headers.append((name: "rejoinder.error.value-omitted", value: "true")) }
        if !form.carriesHeaders { headers.append((name: "rejoinder.error.headers-omitted", value: "true")) }
        if !form.carriesKey { headers.append((name: "rejoinder.error.key-omitted", value: "true")) }
        return headers
    }
}
