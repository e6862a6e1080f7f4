import KafkaClient
import Records

/// A dead letter read for its return: its source, its error, and the parts that go back.
package struct ReturnedLetter: Sendable, Equatable {
    /// A reason why a letter cannot go back.
    package enum Obstacle: String, Sendable, CaseIterable {
        /// The value was left out when the letter was written, since with the headers it was too large.
        case valueOmitted = "value-omitted"
        /// The record's own headers were left out.
        case headersOmitted = "headers-omitted"
        /// The key was left out.
        case keyOmitted = "key-omitted"
        /// The headers do not name the source record.
        case sourceUnknown = "source-unknown"
        /// It is a source's record, which is none of the worker's own inputs: the sources read it again from its topic.
        case sourceRecord = "source-record"
        /// It came from a topic that is none of the worker's inputs.
        case foreignTopic = "foreign-topic"
        /// The source topic no longer has its partition.
        case partitionGone = "partition-gone"
    }

    /// The letter's own partition.
    package let letter: TopicPartition
    /// The letter's offset in the dead-letter topic.
    package let letterOffset: Int64
    /// The source record's partition; nil when the headers do not name it.
    package let source: TopicPartition?
    /// The source record's offset; nil when the headers do not name it.
    package let sourceOffset: Int64?
    /// `rejoinder.error.code`; empty without one.
    package let code: String
    /// `rejoinder.error.message`: field and reason for people; empty without one.
    package let message: String
    /// nil is Kafka's null.
    package let key: [UInt8]?
    /// How often the record has come back before, by its mark.
    package let returnedBefore: Int
    /// nil: the letter can go back.
    package internal(set) var obstacle: Obstacle?

    /// Milliseconds since 1970; nil when the record had no timestamp.
    let timestamp: Int64?
    /// The record's own headers, and the mark.
    let headers: [RecordHeader]

    /// The header that counts how often a record has come back.
    package static let mark = "rejoinder.returned"

    init(
        _ place: TopicPartition, offset: Int64, key: [UInt8]?, headers all: [RecordHeader], inputs: [String]
    ) {
        func last(_ name: String) -> String? {
            // The worker adds its headers at the end, so the last of a name is the latest.
            all.last { $0.name == name }?.value.map { String(decoding: $0, as: UTF8.self) }
        }
        letter = place
        letterOffset = offset
        self.key = key
        code = last("rejoinder.error.code") ?? ""
        message = last("rejoinder.error.message") ?? ""
        returnedBefore = max(0, last(Self.mark).flatMap { Int($0) } ?? 0)
        let partition = last("rejoinder.source.partition").flatMap { Int32($0) }.flatMap { $0 >= 0 ? $0 : nil }
        let topic = last("rejoinder.source.topic")
        if let topic, let partition {
            source = TopicPartition(topic: topic, partition: partition)
        } else {
            source = nil
        }
        sourceOffset = last("rejoinder.source.offset").flatMap { Int64($0) }
        let time = last("rejoinder.source.timestamp").flatMap { Int64($0) }
        timestamp = time.flatMap { $0 < 0 ? nil : $0 }
        headers =
            all.filter { header in
                header.name != Self.mark && !header.name.hasPrefix("rejoinder.error.")
                    && !header.name.hasPrefix("rejoinder.source.")
            } + [RecordHeader(Self.mark, String(returnedBefore &+ 1))]
        obstacle =
            if code == RecordErrorCode.source.rawValue {
                .sourceRecord
            } else if last("rejoinder.error.value-omitted") == "true" {
                .valueOmitted
            } else if last("rejoinder.error.headers-omitted") == "true" {
                .headersOmitted
            } else if last("rejoinder.error.key-omitted") == "true" {
                .keyOmitted
            } else if source == nil || time == nil {
                .sourceUnknown
            } else if let topic, !inputs.contains(topic) {
                .foreignTopic
            } else {
                nil
            }
    }
}
