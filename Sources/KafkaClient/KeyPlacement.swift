import CRDKafka

/// The partition that Java clients, and this program's producers, choose for a record's key.
package enum KeyPlacement {
    /// The partition of a key among `count`, by murmur2.
    package static func partition(of key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
        // librdkafka reads key and count alone; it hashes a null pointer as an empty key.
        rd_kafka_msg_partitioner_murmur2(nil, key.baseAddress, key.count, count, nil, nil)
    }
}
