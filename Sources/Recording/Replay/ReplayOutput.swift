import Bytes
import KafkaClient

/// A record that a replay publishes. Its bytes are valid during the sink's call.
package struct ReplayOutput {
    package enum Kind: Sendable {
        case enriched, deadLetter
    }

    package var kind: Kind
    package var topic: String
    package var partition: Int32
    /// Counted from 0 in each partition of each output topic.
    package var offset: Int64
    /// The timestamp of the source record, or of the table change if that is later. For a dead letter too, as no output
    /// may depend on the clock.
    package var timestamp: Int64?
    package var headers: [RecordHeader]
    package var key: Bytes?
    package var value: Bytes?

    /// An owned copy.
    package func copy() -> RecordedRecord {
        RecordedRecord(
            topic: topic, partition: partition, offset: offset, timestampType: timestampType, timestamp: timestamp,
            headers: headers, key: key.map(Array.init), value: value.map(Array.init))
    }

    package var timestampType: RecordedRecord.TimestampType { timestamp == nil ? .unknown : .create }
}

/// Receives a replay's outputs.
package protocol ReplaySink: AnyObject {
    func take(_ output: ReplayOutput) throws
}

/// Counts of a replay so far.
package struct ReplayCounts: Sendable, Equatable {
    package var questions = 0
    package var answers = 0
    package var votes = 0
    /// Records of topics that are no input.
    package var skipped = 0
    package var enriched = 0
    /// Those among `enriched` that a table change caused, not a question event.
    package var republished = 0
    package var deadLetters = 0

    /// Records of the three input topics.
    package var inputs: Int { questions + answers + votes }

    package init() {}
}
