import Bytes
import KafkaClient

/// A record that a replay publishes. Its bytes are valid during the sink's call.
package struct ReplayOutput {
    /// The output topic's kind.
    package enum Kind: Sendable {
        case enriched, deadLetter
    }

    /// Decides, with the sink, where the record goes.
    package var kind: Kind
    /// The output topic's name, as the configuration has it.
    package var topic: String
    /// The input record's partition number.
    package var partition: Int32
    /// Counted from 0 in each partition of each output topic.
    package var offset: Int64
    /// The timestamp of the source record, or of the table change if that is later. For a dead letter too, as no output
    /// may depend on the clock.
    package var timestamp: Int64?
    /// Those of the input record, and those that a worker adds.
    package var headers: [RecordHeader]
    /// Valid during the sink's call; nil is Kafka's null.
    package var key: Bytes?
    /// Valid during the sink's call; nil is Kafka's null.
    package var value: Bytes?

    /// An owned copy.
    package func copy() -> RecordedRecord {
        RecordedRecord(
            topic: topic, partition: partition, offset: offset, timestampType: timestampType, timestamp: timestamp,
            headers: headers, key: key.map(Array.init), value: value.map(Array.init))
    }

    /// `create`, or `unknown` without a timestamp.
    package var timestampType: RecordedRecord.TimestampType { timestamp == nil ? .unknown : .create }
}

/// Receives a replay's outputs.
package protocol ReplaySink: AnyObject {
    func take(_ output: ReplayOutput) throws
}

/// Counts of a replay so far.
package struct ReplayCounts: Sendable, Equatable {
    /// Records of the questions topic, refused ones included.
    package var questions = 0
    /// Records of the answers topic, refused ones included.
    package var answers = 0
    /// Records of the votes topic, refused ones included.
    package var votes = 0
    /// Records of topics that are no input.
    package var skipped = 0
    /// Enriched records, those of deleted questions (null values) included.
    package var enriched = 0
    /// Those among `enriched` that a table change caused, not a question event.
    package var republished = 0
    /// Dead letters of all three inputs.
    package var deadLetters = 0

    /// Records of the three input topics.
    package var inputs: Int { questions + answers + votes }

    /// All zero.
    package init() {}
}
