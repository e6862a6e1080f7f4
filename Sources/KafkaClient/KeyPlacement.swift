import CRDKafka

/// Where Java clients, and this program's producers, place records by their keys.
package enum KeyPlacement {
    /// The partition of a key among so many, by murmur2.
    package static func partition(of key: UnsafeRawBufferPointer, count: Int32) -> Int32 {
        // librdkafka looks at key and count alone; a null pointer would be hashed as an empty key just the same.
        rd_kafka_msg_partitioner_murmur2(nil, key.baseAddress, key.count, count, nil, nil)
    }
}
