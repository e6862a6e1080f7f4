import CRDKafka

extension ConsumedMessage {
    /// Whether the broker stamped the record at its arrival (`message.timestamp.type=LogAppendTime`) instead of keeping
    /// the producer's timestamp. False also when there is no timestamp.
    package var isLogAppendTime: Bool {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        _ = rd_kafka_message_timestamp(message, &type)
        return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME
    }
}
