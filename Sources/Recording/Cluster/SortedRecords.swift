import Bytes
import Worker

/// A sorter's records in order. Not Sendable.
final class SortedRecords {
    /// Keeps the memory or the file alive.
    private let owner: RecordSorter
    /// The frames of a sorter that has spilled nothing, and where they are in order.
    private let memory: (arena: UnsafeRawPointer, positions: [Int])?
    private var index = 0
    private var runs = MergeHeap<SpillReader>()

    /// The next record; nil after the last. Valid until `advance`.
    private(set) var head: SortedRecord?

    init(owner: RecordSorter, arena: UnsafeRawPointer, positions: [Int]) {
        self.owner = owner
        memory = (arena, positions)
        head = positions.first.map { Frame.read(arena + $0) }
    }

    init(owner: RecordSorter, runs: [SpillReader]) {
        self.owner = owner
        memory = nil
        self.runs = MergeHeap(runs)
        head = self.runs.first?.head
    }

    /// Moves to the next record.
    func advance() throws(WorkerError) {
        if let memory {
            index += 1
            head = index < memory.positions.count ? Frame.read(memory.arena + memory.positions[index]) : nil
        } else if let first = runs.first {
            try first.advance()
            if first.head == nil { runs.removeFirst() } else { runs.replaceFirst(with: first) }
            head = runs.first?.head
        }
    }
}
