import CRDKafka

extension ConsumedMessage {
    /// Whether the broker stamped the record when it arrived (`message.timestamp.type=LogAppendTime`) instead of keeping
    /// its producer's timestamp. False too when there is none.
    package var isLogAppendTime: Bool {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        _ = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME
    }
}
