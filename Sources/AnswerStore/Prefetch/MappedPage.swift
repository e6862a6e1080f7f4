import Bytes

/// A branch or leaf page in LMDB's map. The file was verified before LMDB mapped it (`PageScan`); even so, no read here
/// goes outside the page, even if it is damaged.
struct MappedPage {
    struct Row {
        var key: Bytes
        var value: Bytes
    }

    let base: UnsafeRawPointer
    let size: Int

    /// The number of nodes, from the page's header; nil if that is impossible.
    @inline(__always)
    var count: Int? {
        let lower = Int(base.load(fromByteOffset: 12, as: UInt16.self))
        guard lower > PageFormat.headerSize, lower <= size else { return nil }
        return (lower &- PageFormat.headerSize) / 2
    }

    /// - Parameter index: below `count`.
    @inline(__always)
    func node(_ index: Int) -> UnsafeRawPointer? {
        let offset = Int(base.load(fromByteOffset: PageFormat.headerSize &+ index &* 2, as: UInt16.self))
        return offset &+ PageFormat.nodeHeaderSize <= size ? base + offset : nil
    }

    /// - Parameter node: a node of this page.
    @inline(__always)
    func key(of node: UnsafeRawPointer) -> Bytes? {
        let count = Int(node.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        let start = node + PageFormat.nodeHeaderSize
        return start + count <= base + size ? Bytes(start: start, count: count) : nil
    }

    /// The page number in a branch page's node: 48 bits, the high ones stored where a row has its flags.
    /// - Parameter index: below `count`.
    @inline(__always)
    func child(_ index: Int) -> UInt64? {
        guard let node = node(index) else { return nil }
        let low = UInt64(node.loadUnaligned(as: UInt32.self))
        return low | UInt64(node.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) << 32
    }
}
