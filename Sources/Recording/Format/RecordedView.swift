import Bytes
import KafkaClient

/// One record of a recording. Does not own its bytes: they are the reader's until the next record, or the caller's.
package struct RecordedView {
    /// A header of the record; the bytes live as long as the record's.
    package struct Header {
        /// UTF-8.
        package var name: Bytes
        /// nil is Kafka's null.
        package var value: Bytes?

        /// A header of bytes that the caller keeps alive.
        package init(name: Bytes, value: Bytes?) {
            self.name = name
            self.value = value
        }
    }

    /// The topic's name as UTF-8: under its recorded name, before any renaming.
    package var topic: Bytes
    /// The record's partition when it was recorded.
    package var partition: Int32
    /// The record's offset when it was recorded.
    package var offset: Int64
    /// The origin of the timestamp; `unknown` where there is none.
    package var timestampType: RecordedRecord.TimestampType
    /// Milliseconds since 1970; nil when the broker had none.
    package var timestamp: Int64?
    /// In their order, repeats included.
    package var headerBytes: UnsafeBufferPointer<Header>
    /// nil is Kafka's null.
    package var key: Bytes?
    /// nil is Kafka's null.
    package var value: Bytes?

    /// A view of bytes that the caller keeps alive and unchanged while the view is in use.
    package init(
        topic: Bytes, partition: Int32, offset: Int64, timestampType: RecordedRecord.TimestampType, timestamp: Int64?,
        headerBytes: UnsafeBufferPointer<Header> = UnsafeBufferPointer(start: nil, count: 0), key: Bytes?, value: Bytes?
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestampType = timestampType
        self.timestamp = timestamp
        self.headerBytes = headerBytes
        self.key = key
        self.value = value
    }

    /// Whether reading ``headers`` would copy anything.
    package var hasHeaders: Bool { !headerBytes.isEmpty }

    /// The headers, copied at each call.
    package var headers: [RecordHeader] {
        headerBytes.map {
            RecordHeader(name: String(decoding: $0.name, as: UTF8.self), value: $0.value.map(Array.init))
        }
    }

    /// An owned copy of the record.
    package func copy() -> RecordedRecord {
        RecordedRecord(
            topic: String(decoding: topic, as: UTF8.self), partition: partition, offset: offset,
            timestampType: timestampType, timestamp: timestamp, headers: hasHeaders ? headers : [],
            key: key.map(Array.init), value: value.map(Array.init))
    }
}
