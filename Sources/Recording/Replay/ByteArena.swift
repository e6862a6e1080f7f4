import Bytes

/// A pool of memory blocks that a replay's arenas share.
final class BlockPool {
    static let blockSize = 1 << 16
    private var free: [UnsafeMutableRawPointer] = []

    deinit { for block in free { block.deallocate() } }

    func take() -> UnsafeMutableRawPointer {
        free.popLast() ?? .allocate(byteCount: Self.blockSize, alignment: 16)
    }

    func give(_ block: UnsafeMutableRawPointer) { free.append(block) }
}

/// Keeps copies of bytes at stable addresses until all are freed at once. A batch of table changes points to its bytes
/// until it is applied, longer than a recording's line lives.
final class ByteArena {
    private let pool: BlockPool
    private var blocks: [UnsafeMutableRawPointer] = []
    /// Values too large for a block, each in its own memory.
    private var large: [UnsafeMutableRawPointer] = []
    private var used = BlockPool.blockSize
    /// Bytes copied since the last `removeAll`.
    private(set) var byteCount = 0

    init(pool: BlockPool) { self.pool = pool }

    deinit { removeAll() }

    /// - Returns: the copy, valid until `removeAll`.
    func copy(_ bytes: Bytes) -> Bytes {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return bytes }
        let target = room(for: bytes.count)
        target.copyMemory(from: source, byteCount: bytes.count)
        byteCount += bytes.count
        return Bytes(start: target, count: bytes.count)
    }

    private func room(for count: Int) -> UnsafeMutableRawPointer {
        if let block = blocks.last, BlockPool.blockSize - used >= count {
            defer { used += count }
            return block + used
        }
        guard count <= BlockPool.blockSize / 4 else {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 16)
            large.append(memory)
            return memory
        }
        let block = pool.take()
        blocks.append(block)
        used = count
        return block
    }

    func removeAll() {
        for block in blocks { pool.give(block) }
        blocks.removeAll(keepingCapacity: true)
        for memory in large { memory.deallocate() }
        large.removeAll()
        used = BlockPool.blockSize
        byteCount = 0
    }
}
