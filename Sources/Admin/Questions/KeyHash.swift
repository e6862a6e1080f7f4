/// A key's partition in Java clients (`DefaultPartitioner`) and in librdkafka with `partitioner=murmur2`.
enum KeyHash {
    /// - Parameter count: the topic's number of partitions, at least 1.
    static func partition(of key: [UInt8], of count: Int32) -> Int32 {
        // Java masks the sign bit; it does not take the absolute value.
        Int32(bitPattern: murmur2(key) & 0x7fff_ffff) % count
    }

    /// MurmurHash2 with 32 bits by Austin Appleby, with Kafka's seed.
    static func murmur2(_ bytes: [UInt8]) -> UInt32 {
        let factor: UInt32 = 0x5bd1_e995
        var hash: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: bytes.count)
        var index = 0
        while index + 4 <= bytes.count {
            var word =
                UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16
                | UInt32(bytes[index + 3]) << 24
            word = word &* factor
            word ^= word >> 24
            word = word &* factor
            hash = hash &* factor ^ word
            index += 4
        }
        let rest = bytes[index...]
        if !rest.isEmpty {
            for (position, byte) in rest.enumerated() { hash ^= UInt32(byte) << UInt32(8 * position) }
            hash = hash &* factor
        }
        hash ^= hash >> 13
        hash = hash &* factor
        return hash ^ hash >> 15
    }
}
