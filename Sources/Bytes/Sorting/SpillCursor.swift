/// Reads a range of a `SpillFile` from beginning to end, a buffer at a time. Not Sendable.
final class SpillCursor {
    private let file: SpillFile
    private let end: Int
    /// The file offset of the buffer's end.
    private var position: Int
    private var buffer: UnsafeMutableRawPointer
    /// The buffer's size in bytes.
    private(set) var capacity: Int
    private let leastCapacity: Int
    private var filled = 0
    private var next = 0

    /// - Parameters:
    ///   - piece: a flushed range of the file.
    ///   - capacity: the size of the buffer, which grows only while more is needed at once.
    init(_ file: SpillFile, _ piece: Range<Int>, capacity: Int) {
        self.file = file
        position = piece.lowerBound
        end = piece.upperBound
        leastCapacity = max(1, min(capacity, piece.count))
        self.capacity = leastCapacity
        buffer = .allocate(byteCount: leastCapacity, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// The number of bytes of the range not yet passed.
    var left: Int { filled - next + end - position }

    /// The next `count` bytes, valid until the next call; nil when fewer are left.
    @inline(__always)
    func peek(_ count: Int) throws(SystemFailure) -> UnsafeRawPointer? {
        if filled - next < count, try !fill(count) { return nil }
        return UnsafeRawPointer(buffer + next)
    }

    /// Moves past `count` bytes already peeked; they stay valid until the next `peek`.
    @inline(__always)
    func pass(_ count: Int) { next += count }

    private func fill(_ needed: Int) throws(SystemFailure) -> Bool {
        guard left >= needed else { return false }
        let target = max(leastCapacity, needed, filled - next)
        if target != capacity {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: target, alignment: 8)
            memory.copyMemory(from: buffer + next, byteCount: filled - next)
            buffer.deallocate()
            (buffer, capacity) = (memory, target)
        } else {
            buffer.copyMemory(from: buffer + next, byteCount: filled - next)
        }
        filled -= next
        next = 0
        while filled < needed {
            let count = try file.read(
                at: position, into: buffer + filled, count: min(capacity - filled, end - position))
            guard count > 0 else { return false }
            position += count
            filled += count
        }
        return true
    }
}
