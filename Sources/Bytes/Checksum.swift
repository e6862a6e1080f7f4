/// A fast hash and checksum, for detecting damaged rows in a store and damaged items in a temporary file.
///
/// Protects against accidents, not attackers: write access to the file suffices to forge it.
@usableFromInline package enum Checksum {
    // Computed, since another module reaches a stored one by a call.
    @inlinable static var first: UInt64 { 0x9E37_79B9_7F4A_7C15 }
    @inlinable static var second: UInt64 { 0xD6E8_FEB8_6659_FD93 }

    /// A row's checksum over the bytes and lengths of both parts.
    @inlinable
    package static func of(key: Bytes, value: Bytes) -> UInt32 {
        let hash = fold(value, into: fold(key, into: second))
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }

    /// A hash of bytes, seeded with another hash.
    @inlinable
    package static func hash(_ bytes: Bytes, seed: UInt64) -> UInt64 { fold(bytes, into: seed) }

    /// An unseeded hash of bytes.
    @inlinable
    package static func hash(_ bytes: Bytes) -> UInt64 { fold(bytes, into: second) }

    /// Consumes 16 bytes a step through one 64 x 64 -> 128 bit multiplication.
    @inlinable
    static func fold(_ bytes: Bytes, into seed: UInt64) -> UInt64 {
        var hash = mix(seed ^ first, UInt64(truncatingIfNeeded: bytes.count) &+ second)
        guard var place = bytes.baseAddress else { return hash }
        var left = bytes.count
        while left >= 16 {
            hash = mix(
                place.loadUnaligned(as: UInt64.self) ^ first,
                place.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ hash)
            place += 16
            left -= 16
        }
        guard left > 0 else { return hash }
        if left >= 8 {
            // The two words may overlap; together they cover every byte.
            return mix(
                place.loadUnaligned(as: UInt64.self) ^ second,
                place.loadUnaligned(fromByteOffset: left - 8, as: UInt64.self) ^ hash)
        }
        var tail: UInt64 = 0
        for index in 0..<left {
            tail = tail << 8 | UInt64(place.load(fromByteOffset: index, as: UInt8.self))
        }
        return mix(tail ^ second, hash)
    }

    @inlinable @inline(__always)
    static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
