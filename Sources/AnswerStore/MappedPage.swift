import Records

/// A branch or leaf page in LMDB's map. The file was verified before LMDB mapped it (`PageScan`); all the same what is read here
/// never lies outside of the page, whatever the page holds.
struct MappedPage {
    struct Row {
        var key: Bytes
        var value: Bytes
    }

    let base: UnsafeRawPointer
    let size: Int

    /// How many nodes the page has, by what its head says; nil if that cannot be.
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

    /// - Parameter node: of this page.
    @inline(__always)
    func key(of node: UnsafeRawPointer) -> Bytes? {
        let count = Int(node.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
        let start = node + PageFormat.nodeHeaderSize
        return start + count <= base + size ? Bytes(start: start, count: count) : nil
    }

    /// The page that a branch page's node stands for: 48 bits, the high ones where a row has its flags.
    /// - Parameter index: below `count`.
    @inline(__always)
    func child(_ index: Int) -> UInt64? {
        guard let node = node(index) else { return nil }
        let low = UInt64(node.loadUnaligned(as: UInt32.self))
        return low | UInt64(node.loadUnaligned(fromByteOffset: 4, as: UInt16.self)) << 32
    }

    /// A leaf page's row; nil for one whose value has pages of its own.
    /// - Parameter index: below `count`.
    @inline(__always)
    func row(_ index: Int) -> Row? {
        guard let node = node(index), let key = key(of: node),
            node.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == 0
        else { return nil }
        let value = Bytes(
            start: node + PageFormat.nodeHeaderSize + key.count, count: Int(node.loadUnaligned(as: UInt32.self)))
        return PageFormat.nodeHeaderSize + key.count + value.count <= base + size - node
            ? Row(key: key, value: value) : nil
    }
}
