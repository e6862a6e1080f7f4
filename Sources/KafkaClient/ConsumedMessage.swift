import CRDKafka

/// A consumed record. Wraps librdkafka's message, whose memory `key`, `value` and headers point into.
///
/// Not reference counted: its owner calls `release()` exactly once, before the consumer is closed. A `MessageBatch`
/// does so for its messages.
package struct ConsumedMessage {
    /// Index of the topic in the consumer's `topics`, so that no string is made per message.
    package let topicIndex: Int
    /// Counted from 0.
    package let partition: Int32
    /// The record's offset in its partition.
    package let offset: Int64
    /// nil is Kafka's null; an empty key is an empty buffer.
    package let key: UnsafeRawBufferPointer?
    /// nil is Kafka's null (a tombstone); an empty value is an empty buffer.
    package let value: UnsafeRawBufferPointer?
    /// Milliseconds since 1970; nil when the broker gave none.
    package let timestamp: Int64?
    let message: UnsafeMutablePointer<rd_kafka_message_t>

    init(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topicIndex: Int) {
        self.message = message
        self.topicIndex = topicIndex
        partition = message.pointee.partition
        offset = message.pointee.offset
        key = message.pointee.key.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.key_len) }
        value = message.pointee.payload.map { UnsafeRawBufferPointer(start: $0, count: message.pointee.len) }
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = rd_kafka_message_timestamp(message, &type)
        timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || milliseconds < 0 ? nil : milliseconds
    }

    /// The topic's name. Makes a string: for logs, not for the hot loop.
    package var topic: String {
        message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? ""
    }

    /// For logs and errors, not for the hot loop.
    package var topicPartition: TopicPartition { TopicPartition(topic: topic, partition: partition) }

    /// Bytes of key and value.
    package var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) }

    /// Whether the record has a header; looks at the message without copying any.
    package var hasHeaders: Bool { rawHeaders != nil }

    /// Calls `body` for each header in order, repeats included. The name's and value's bytes live as long as the
    /// message; a nil value is Kafka's null.
    package func forEachHeader(_ body: (_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
        guard let headers = rawHeaders else { return }
        var index = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(headers, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR {
            index += 1
            guard let name else { continue }
            var length = 0
            while name[length] != 0 { length += 1 }
            body(
                UnsafeRawBufferPointer(start: name, count: length),
                value.map { UnsafeRawBufferPointer(start: $0, count: size) })
        }
    }

    /// All headers, copied. For tests and commands, not for the hot loop.
    package var headers: [RecordHeader] {
        var result: [RecordHeader] = []
        forEachHeader { name, value in
            result.append(RecordHeader(name: String(decoding: name, as: UTF8.self), value: value.map(Array.init)))
        }
        return result
    }

    /// librdkafka's header list, owned by the message; nil when the record has none.
    var rawHeaders: OpaquePointer? {
        var headers: OpaquePointer?
        guard rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return headers
    }

    /// Frees the message. The message, its bytes and its headers must not be used afterwards.
    package func release() {
        rd_kafka_message_destroy(message)
    }
}
