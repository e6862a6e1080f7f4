/// Why a sorter's temporary file could not be used.
package enum SortFailure: Error, Equatable {
    case writing(SystemFailure)
    case reading(SystemFailure)
    /// An item does not read as it was written.
    case damaged
}

/// Sorts any number of items bytewise by their keys, in bounded memory. Items of equal keys keep their order. Not
/// Sendable.
///
/// Items beyond the budget go to a temporary file without a name, as sorted runs, which are merged while they are read
/// back. A run grows while the next items belong behind it, so items in order, a frequent case, make one run.
package final class ExternalSorter {
    /// Memory for an item's place in the order, in bytes, in addition to the item itself.
    private static let placeSize = 48
    /// Memory for the read buffers of all runs.
    private static let readAhead = 8 << 20
    /// The smallest and largest buffer for one run.
    private static let readPiece = (least: 4 << 10, most: 256 << 10)

    private let path: String
    /// Memory for the items that are not in the file, in bytes. A single larger item is held all the same.
    package var budget: Int

    private var frames = GrowingBuffer<UInt8>()
    private var starts = GrowingBuffer<Int>()
    private var order = GrowingBuffer<UInt32>()
    private var sorter = KeySorter()
    /// Whether the items in memory arrived in order.
    private var isMemoryInOrder = true

    private var file: SpillFile?
    private var runs: [Range<Int>] = []
    /// The last key of the last run.
    private var lastKey = GrowingBuffer<UInt8>()

    /// The number of items.
    package private(set) var count = 0
    /// Whether all items arrived in order.
    package private(set) var isInOrder = true

    /// - Parameter path: of the temporary file, which is created when it is needed.
    package init(path: String, budget: Int) {
        self.path = path
        self.budget = budget
    }

    deinit {
        frames.free()
        starts.free()
        order.free()
        sorter.free()
        lastKey.free()
    }

    // MARK: - Gathering

    /// Adds an item.
    /// - Parameters:
    ///   - keyCount: the key's length in bytes, below 65,536.
    ///   - contents: the contents' length in bytes, with the key.
    ///   - write: writes the contents, the key first.
    package func append(
        keyCount: Int, contents: Int, tag: UInt32, _ write: (UnsafeMutableRawBufferPointer) -> Void
    ) throws(SortFailure) {
        let size = SortFrame.size(ofContents: contents)
        if frames.count + size + (starts.count + 1) * Self.placeSize > budget { try spill() }
        let start = frames.count
        write(SortFrame.append(keyCount: keyCount, contents: contents, tag: tag, to: &frames))
        if isMemoryInOrder { noteOrder(of: SortFrame.key(at: frame(start))) }
        starts.append(start)
        count += 1
    }

    /// Compares a new item's key with the last one's.
    private func noteOrder(of key: Bytes) {
        if starts.count > 0 {
            let last = SortFrame.key(at: frame(starts[starts.count - 1]))
            if !last.precedes(key, orIsEqual: true) { (isMemoryInOrder, isInOrder) = (false, false) }
        } else if isInOrder, !runs.isEmpty {
            isInOrder = lastKey.bytes.precedes(key, orIsEqual: true)
        }
    }

    private func frame(_ start: Int) -> UnsafeRawPointer { UnsafeRawPointer(frames.address + start) }

    /// Moves the items in memory to the file, and frees memory beyond the budget.
    package func spill() throws(SortFailure) {
        guard starts.count > 0 else { return }
        sortMemory()
        let indices = order.elements
        let extends = !runs.isEmpty && lastKey.bytes.precedes(key(at: 0), orIsEqual: true)
        do throws(SystemFailure) {
            let file = if let file { file } else { try SpillFile(path: path) }
            self.file = file
            let start = file.size
            for index in indices {
                let frame = UnsafeMutableRawPointer(frames.address + starts[Int(index)])
                SortFrame.seal(frame)
                try file.append(Bytes(start: frame, count: SortFrame.size(at: frame)))
            }
            try file.flush()
            let first = extends ? runs.removeLast().lowerBound : start
            runs.append(first..<file.size)
        } catch {
            throw .writing(error)
        }
        lastKey.removeAll()
        lastKey.append(contentsOf: key(at: indices.count - 1))
        isMemoryInOrder = true
        forgetMemory(keepingRoomFor: budget)
    }

    private func sortMemory() {
        order.fillWithIndices(starts.count)
        guard !isMemoryInOrder else { return }
        frames.reserve(KeySorter.slack)
        let (starts, base) = (starts, frame(0))
        sorter.sort(order.elements, 0..<starts.count) { SortFrame.key(at: base + starts[Int($0)]) }
    }

    private func forgetMemory(keepingRoomFor bytes: Int) {
        frames.removeAll(keepingRoomFor: bytes)
        let most = bytes / Self.placeSize
        if starts.count > most { sorter.giveBack() }
        starts.removeAll(keepingRoomFor: most)
        order.removeAll(keepingRoomFor: most)
    }

    // MARK: - Taking out

    /// All items in order, from memory if there is no file. Call once, after the last item was added.
    package func sorted() throws(SortFailure) -> SortedItems {
        guard !runs.isEmpty else {
            sortMemory()
            return SortedItems(inMemoryOf: self)
        }
        try spill()
        // The runs have buffers of their own.
        forgetMemory(keepingRoomFor: 0)
        let piece = min(Self.readPiece.most, max(Self.readPiece.least, Self.readAhead / runs.count))
        return try SortedItems(file, runs, readAhead: piece)
    }

    /// The frame at a place of the order; nil at the end.
    func sortedFrame(_ place: Int) -> UnsafeRawPointer? {
        place < order.count ? frame(starts[Int(order[place])]) : nil
    }

    private func key(at place: Int) -> Bytes { SortFrame.key(at: frame(starts[Int(order[place])])) }
}
