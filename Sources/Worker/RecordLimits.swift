import KafkaClient

/// Limits of a published record's length: the user's, and the producer's.
package struct RecordLimits: Sendable, Equatable {
    /// More bytes than the protocol adds to a record's key, value and headers (at most 36 in message format v2).
    private static let overhead = 64
    /// More bytes than the protocol adds to a header: the lengths of its name and value.
    private static let headerOverhead = 10
    /// librdkafka's own bound (RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD).
    private static let messageOverhead = 36

    /// Limit of a record's bytes, key, headers and the protocol's own included: `message.max.bytes`.
    package var maxMessageBytes: Int
    /// Limit of an enriched value's bytes.
    package var maxRecordBytes: Int

    /// - Parameters:
    ///   - maxMessageBytes: the producer's `message.max.bytes`.
    ///   - maxRecordBytes: the longest enriched value.
    package init(maxMessageBytes: Int, maxRecordBytes: Int) {
        self.maxMessageBytes = maxMessageBytes
        self.maxRecordBytes = maxRecordBytes
    }

    /// The limits of a worker of this configuration.
    package init(_ configuration: WorkerConfiguration) {
        self.init(
            properties: ClientProperties(configuration: configuration, identity: "", lane: 0),
            maxRecordBytes: configuration.maxRecordBytes)
    }

    /// - Parameter maxRecordBytes: nil: the room that `message.max.bytes` leaves.
    init(properties: ClientProperties, maxRecordBytes: Int?) {
        maxMessageBytes = properties.maxMessageBytes
        self.maxRecordBytes = maxRecordBytes ?? properties.defaultMaxRecordBytes
    }

    /// The longest value that can be published with such a key and headers. Negative: not even a null value fits.
    /// - Parameter headerRoom: the sum of ``room(ofHeader:value:)``.
    @inline(__always)
    package func longestValue(keyBytes: Int, headerRoom: Int) -> Int {
        min(maxRecordBytes, maxMessageBytes - Self.overhead - keyBytes - headerRoom)
    }

    /// The room that a header takes from the value.
    @inline(__always)
    package static func room(ofHeader nameBytes: Int, value valueBytes: Int) -> Int {
        nameBytes + valueBytes + headerOverhead
    }

    /// Whether the producer takes a record of these sizes; the rule is librdkafka's (rd_kafka_msg_new0).
    package func takes(keyBytes: Int, valueBytes: Int, headers: [RecordHeader]) -> Bool {
        var size = Self.messageOverhead + keyBytes + valueBytes
        for header in headers {
            let (name, value) = (header.name.utf8.count, header.value?.count ?? 0)
            size += name + value + Self.varintLength(name) + Self.varintLength(value)
        }
        return size <= maxMessageBytes
    }

    /// The bytes of a length as the protocol writes it: zigzag, seven bits a byte.
    private static func varintLength(_ length: Int) -> Int {
        max(1, (Int.bitWidth - (length << 1).leadingZeroBitCount + 6) / 7)
    }
}
