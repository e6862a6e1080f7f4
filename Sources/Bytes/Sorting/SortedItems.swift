/// The items of an ``ExternalSorter`` in order. Not Sendable.
///
/// Buffers at most the read-ahead of each run but the first, however long its items are.
package final class SortedItems {
    private struct Run: MergeRun {
        let number: Int
        let cursor: SpillCursor
        /// The next item's key, valid until the cursor's next `peek`.
        var key: Bytes

        /// Items of equal keys come in the order of their runs.
        func precedes(_ other: Run) -> Bool { key.precedes(other.key, orIsEqual: number < other.number) }
    }

    /// The sorter whose memory holds all items; nil when they are in runs.
    private let memory: ExternalSorter?
    /// The next item's place in memory.
    private var place = 0
    private var heap = MergeHeap<Run>()
    /// The size of the first run's next frame; 0 before it was read.
    private var frameSize = 0

    init(inMemoryOf sorter: ExternalSorter) { memory = sorter }

    /// - Parameters:
    ///   - pieces: ranges of the file, each a run.
    ///   - readAhead: the number of bytes to read of a run at once.
    init(_ file: SpillFile?, _ pieces: [Range<Int>], readAhead: Int) throws(SortFailure) {
        memory = nil
        guard let file else { return }
        var runs: [Run] = []
        for (number, piece) in pieces.enumerated() {
            let cursor = SpillCursor(file, piece, capacity: readAhead)
            guard let key = try Self.nextKey(of: cursor) else { continue }
            runs.append(Run(number: number, cursor: cursor, key: key))
        }
        heap = MergeHeap(runs)
    }

    /// Whether no item remains.
    package var isDone: Bool { key == nil }

    /// The size of all runs' buffers in bytes.
    var bufferSize: Int { heap.runs.reduce(0) { $0 + $1.cursor.capacity } }

    /// The key of the first remaining item; nil at the end. Valid until the next call of `first` or `pass`.
    package var key: Bytes? {
        if let memory { return memory.sortedFrame(place).map { SortFrame.key(at: $0) } }
        return heap.first?.key
    }

    /// The first remaining item, valid until `pass`; nil at the end.
    package func first() throws(SortFailure) -> SortItem? {
        if let memory { return memory.sortedFrame(place).map { SortFrame.item(at: $0) } }
        guard var run = heap.first else { return nil }
        let frame = try Self.nextFrame(of: run.cursor)
        frameSize = SortFrame.size(at: frame)
        // Reading may have moved the buffer.
        run.key = SortFrame.key(at: frame)
        heap.runs[0] = run
        return SortFrame.item(at: frame)
    }

    /// Moves past the first remaining item.
    package func pass() throws(SortFailure) {
        if memory != nil {
            place += 1
            return
        }
        if frameSize == 0 { _ = try first() }
        guard var run = heap.first else { return }
        run.cursor.pass(frameSize)
        frameSize = 0
        if let key = try Self.nextKey(of: run.cursor) {
            run.key = key
            heap.replaceFirst(with: run)
        } else {
            heap.removeFirst()
        }
    }

    /// The key of a run's next item; nil at its end. Reads no more than that. The checksum is verified when the item is
    /// read; a damaged key only changes when that happens.
    private static func nextKey(of cursor: SpillCursor) throws(SortFailure) -> Bytes? {
        guard cursor.left > 0 else { return nil }
        guard let head = try peek(cursor, SortFrame.head),
            let frame = try peek(cursor, SortFrame.keyEnd(at: head))
        else { throw .damaged }
        return SortFrame.key(at: frame)
    }

    private static func nextFrame(of cursor: SpillCursor) throws(SortFailure) -> UnsafeRawPointer {
        guard let head = try peek(cursor, SortFrame.head) else { throw .damaged }
        let size = SortFrame.size(at: head)
        guard size >= SortFrame.head, let frame = try peek(cursor, size),
            SortFrame.isIntact(Bytes(start: frame, count: size))
        else { throw .damaged }
        return frame
    }

    private static func peek(_ cursor: SpillCursor, _ count: Int) throws(SortFailure) -> UnsafeRawPointer? {
        do throws(SystemFailure) {
            return try cursor.peek(count)
        } catch {
            throw .reading(error)
        }
    }
}
