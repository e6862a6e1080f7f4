#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Cuts a stream of bytes into lines: bytes go in piece by piece as they come, lines come out.
///
/// Memory is bounded by the longest line and a piece. Allocates nothing once its memory has grown. Not Sendable.
package final class LineQueue {
    /// A line without its line feed. Valid until more bytes go in.
    package struct Line {
        /// The first byte, in the queue's memory.
        package let start: Position
        /// A line feed stands here, unless the line ``isCut``.
        package let end: Position
        /// Whether the line feed was in the stream: the last line may lack it.
        package let isTerminated: Bool
        /// The line is longer than the queue allows: these are its first bytes, and the others are skipped.
        package let isCut: Bool

        /// The line's bytes, without a carriage return before the line feed.
        package var text: Bytes {
            let hasReturn = end > start && end[-1] == 0x0D
            return Bytes(from: start, to: hasReturn ? end - 1 : end)
        }
    }

    private let piece: Int
    private let longest: Int
    private let slack: Int
    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// The bytes in `memory` that have not come out yet.
    private var pending: Range<Int> = 0..<0
    /// The number of pending bytes that hold no line feed for sure.
    private var searched = 0
    private var isSkipping = false

    /// - Parameters:
    ///   - piece: bytes that ``room()`` asks for at least half of.
    ///   - longest: bytes above which a line is cut, once it has not come in one piece.
    ///   - slack: bytes of memory after each line that may be read; at least one.
    package init(piece: Int = 1 << 18, longest: Int = .max, slack: Int = 1) {
        self.piece = piece
        self.longest = longest
        self.slack = max(1, slack)
        capacity = piece
        memory = .allocate(capacity: capacity + self.slack)
    }

    deinit { memory.deallocate() }

    // MARK: - Out

    /// The next line; nil: its end has not come yet.
    package func next() -> Line? {
        while true {
            let start = memory + pending.lowerBound
            guard let found = memchr(start + searched, 0x0A, pending.count - searched) else { break }
            let end = Position(found.assumingMemoryBound(to: UInt8.self))
            pending = (end + 1 - Position(memory))..<pending.upperBound
            searched = 0
            if !isSkipping { return Line(start: start, end: end, isTerminated: true, isCut: false) }
            isSkipping = false
        }
        searched = pending.count
        if isSkipping { return passOver() }
        guard searched > longest else { return nil }
        let start = memory + pending.lowerBound
        isSkipping = true
        _ = passOver()
        return Line(start: start, end: start + longest, isTerminated: false, isCut: true)
    }

    /// At the stream's end: the bytes after the last line feed; nil: there are none. The slack takes a line feed.
    package func last() -> Line? {
        defer { removeAll() }
        guard !isSkipping, !pending.isEmpty else { return nil }
        let end = memory + pending.upperBound
        end.pointee = 0x0A
        return Line(start: memory + pending.lowerBound, end: end, isTerminated: false, isCut: false)
    }

    /// The number of bytes that have not come out yet.
    package var waiting: Int { pending.count }

    /// Where the bytes begin that have not come out yet, in the memory that the lines point into.
    package var rest: Position { Position(memory + pending.lowerBound) }

    /// Drops the bytes that have not come out, for a stream that starts over. Lines stay valid.
    package func removeAll() {
        _ = passOver()
        isSkipping = false
    }

    private func passOver() -> Line? {
        pending = pending.upperBound..<pending.upperBound
        searched = 0
        return nil
    }

    // MARK: - In

    /// Memory for the next bytes; ``filled(_:)`` says how many came.
    package func room() -> UnsafeMutableRawBufferPointer {
        if pending.isEmpty { pending = 0..<0 }
        if capacity - pending.upperBound < piece / 2 { makeRoom(piece / 2) }
        return UnsafeMutableRawBufferPointer(start: memory + pending.upperBound, count: capacity - pending.upperBound)
    }

    /// - Parameter count: bytes written at the start of the memory that ``room()`` gave.
    package func filled(_ count: Int) { pending = pending.lowerBound..<(pending.upperBound + count) }

    /// Copies bytes in.
    package func append(_ bytes: Bytes) {
        if pending.isEmpty { pending = 0..<0 }
        if capacity - pending.upperBound < bytes.count { makeRoom(bytes.count) }
        UnsafeMutableRawPointer(memory + pending.upperBound).copyMemory(
            from: bytes.baseAddress ?? UnsafeRawPointer(memory), byteCount: bytes.count)
        filled(bytes.count)
    }

    private func makeRoom(_ needed: Int) {
        let count = pending.count
        if count + needed > capacity || count > capacity / 2 {
            // Doubling keeps the copying of a long line linear.
            let target = max(capacity * 2, count + needed)
            let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: target + slack)
            larger.update(from: memory + pending.lowerBound, count: count)
            memory.deallocate()
            (memory, capacity) = (larger, target)
        } else {
            memmove(memory, memory + pending.lowerBound, count)
        }
        pending = 0..<count
    }
}
