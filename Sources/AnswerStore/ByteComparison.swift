import Records

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Orders as LMDB's default does (mdb_cmp_memn): byte by byte, a prefix before what it begins.
@inline(__always)
func compareBytes(_ left: Bytes, _ right: Bytes) -> Int {
    let common = min(left.count, right.count)
    if common > 0, let leftBase = left.baseAddress, let rightBase = right.baseAddress {
        let order = memcmp(leftBase, rightBase, common)
        if order != 0 { return Int(order) }
    }
    return left.count - right.count
}

extension UnsafeRawBufferPointer {
    /// `count` bytes from `offset` on; the caller has checked that they are there.
    @inline(__always)
    func piece(_ offset: Int, _ count: Int) -> Bytes {
        UnsafeRawBufferPointer(rebasing: self[offset..<offset + count])
    }

    @inline(__always)
    func starts(with prefix: Bytes) -> Bool {
        count >= prefix.count && compareBytes(piece(0, prefix.count), prefix) == 0
    }
}
