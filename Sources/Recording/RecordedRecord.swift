import KafkaClient

/// One record of a recording: a line of the file, losslessly.
package struct RecordedRecord: Sendable, Equatable {
    /// The origin of a record's timestamp: the producer, the broker, or none. The raw values are the `tstype` of `kcat
    /// -J`.
    package enum TimestampType: String, Sendable {
        case create, logappend, unknown
    }

    /// The topic's recorded name, before any renaming.
    package var topic: String
    /// The record's partition when it was recorded.
    package var partition: Int32
    /// The record's offset when it was recorded.
    package var offset: Int64
    /// The origin of the timestamp; `unknown` where there is none.
    package var timestampType: TimestampType
    /// Milliseconds since 1970; nil when the broker had none.
    package var timestamp: Int64?
    /// In their order, repeats included.
    package var headers: [RecordHeader]
    /// nil is Kafka's null.
    package var key: [UInt8]?
    /// nil is Kafka's null.
    package var value: [UInt8]?

    /// - Parameter timestamp: milliseconds since 1970; nil when the broker had none.
    package init(
        topic: String, partition: Int32, offset: Int64, timestampType: TimestampType = .create, timestamp: Int64?,
        headers: [RecordHeader] = [], key: [UInt8]?, value: [UInt8]?
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampType = timestampType
        self.timestamp = timestamp
        self.headers = headers
        self.key = key
        self.value = value
    }
}
