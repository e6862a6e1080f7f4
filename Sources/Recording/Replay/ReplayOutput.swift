import KafkaClient
import Records

/// A record that a replay publishes; the bytes are valid while the sink has it.
package struct ReplayOutput {
    package enum Kind: Sendable {
        case enriched, deadLetter
    }

    package var kind: Kind
    package var topic: String
    package var partition: Int32
    /// Counted from 0 in each partition of each output topic.
    package var offset: Int64
    /// That of the record it came from, of a dead letter too: nothing in an output may depend on the clock.
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

/// Where a replay's outputs go.
package protocol ReplaySink: AnyObject {
    func take(_ output: ReplayOutput) throws
}

/// What a replay has done so far.
package struct ReplayCounts: Sendable, Equatable {
    package var questions = 0
    package var answers = 0
    package var votes = 0
    /// Records of topics that are no inputs.
    package var skipped = 0
    package var enriched = 0
    /// Of them, those that no question event led to.
    package var republished = 0
    package var deadLetters = 0

    /// Records of the three input topics.
    package var inputs: Int { questions + answers + votes }

    package init() {}
}
