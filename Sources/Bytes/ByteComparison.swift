#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// LMDB's default order (mdb_cmp_memn): bytewise, a prefix before longer keys.
@inlinable @inline(__always)
package func compareBytes(_ left: Bytes, _ right: Bytes) -> Int {
    let common = min(left.count, right.count)
    if common > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress {
        let order = memcmp(leftBase, rightBase, common)
        if order != 0 { return Int(order) }
    }
    return left.count - right.count
}

extension UnsafeRawBufferPointer {
    /// `count` bytes from `offset` on; the caller has checked the bounds.
    @inlinable @inline(__always)
    package func piece(_ offset: Int, _ count: Int) -> Bytes {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    @inlinable @inline(__always)
    /// For a short prefix, such as a key's.
    package func starts(with prefix: Bytes) -> Bool {
        count >= prefix.count && piece(0, prefix.count).isEqual(to: prefix)
    }

    /// For a prefix of up to thousands of bytes, where the call of memcmp pays off.
    package func starts(with prefix: [UInt8]) -> Bool {
        guard let base = baseAddress, prefix.count <= count else { return prefix.isEmpty }
        return prefix.withUnsafeBytes { $0.baseAddress.map { memcmp(base, $0, prefix.count) == 0 } ?? true }
    }

    /// Whether both hold the same bytes; their addresses may differ. Without memcmp, whose call costs more than it
    /// saves for ids; compares from the end, since ids of one kind differ there.
    @inlinable @inline(__always)
    package func isEqual(to other: Bytes) -> Bool {
        guard count == other.count else { return false }
        guard let left = baseAddress, let right = other.baseAddress else { return true }
        var rest = count
        while rest >= 8 {
            rest -= 8
            guard
                left.loadUnaligned(fromByteOffset: rest, as: UInt64.self)
                    == right.loadUnaligned(fromByteOffset: rest, as: UInt64.self)
            else { return false }
        }
        guard rest > 0 else { return true }
        if count >= 8 { return left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self) }
        while rest > 0 {
            rest -= 1
            guard
                left.load(fromByteOffset: rest, as: UInt8.self) == right.load(fromByteOffset: rest, as: UInt8.self)
            else { return false }
        }
        return true
    }

    /// Whether it comes before `other` in the order of `compareBytes`. For keys, too short for a call of memcmp to pay
    /// off.
    @inlinable @inline(__always)
    package func precedes(_ other: Bytes, orIsEqual: Bool) -> Bool {
        let common = Swift.min(count, other.count)
        guard let left = baseAddress, let right = other.baseAddress else {
            return count < other.count || count == other.count && orIsEqual
        }
        var place = 0
        while place &+ 8 <= common {
            let leftWord = left.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let rightWord = right.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            if leftWord != rightWord { return leftWord.bigEndian < rightWord.bigEndian }
            place &+= 8
        }
        if place < common, common >= 8 {
            // This word overlaps bytes already found equal, which changes nothing.
            let leftWord = left.loadUnaligned(fromByteOffset: common &- 8, as: UInt64.self)
            let rightWord = right.loadUnaligned(fromByteOffset: common &- 8, as: UInt64.self)
            if leftWord != rightWord { return leftWord.bigEndian < rightWord.bigEndian }
        } else {
            while place < common {
                let leftByte = left.load(fromByteOffset: place, as: UInt8.self)
                let rightByte = right.load(fromByteOffset: place, as: UInt8.self)
                if leftByte != rightByte { return leftByte < rightByte }
                place &+= 1
            }
        }
        return count < other.count || count == other.count && orIsEqual
    }
}
