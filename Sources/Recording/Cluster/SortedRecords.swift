import Worker

/// A sorter's records in order. Not Sendable.
final class SortedRecords {
    private enum Source {
        case memory(UnsafeRawPointer, positions: [Int])
        case runs([SpillReader])
    }

    /// Keeps the memory or the file alive.
    private let owner: RecordSorter
    private let source: Source
    private var index = 0
    /// The index of the head's run.
    private var run = -1

    /// The next record; nil after the last. Valid until `advance`.
    private(set) var head: SortedRecord?

    init(owner: RecordSorter, arena: UnsafeRawPointer, positions: [Int]) {
        self.owner = owner
        source = .memory(arena, positions: positions)
        head = positions.first.map { Frame.read(arena + $0) }
    }

    init(owner: RecordSorter, runs: [SpillReader]) {
        self.owner = owner
        source = .runs(runs)
        head = smallest(runs)
    }

    /// Moves to the next record.
    func advance() throws(WorkerError) {
        switch source {
        case .memory(let arena, let positions):
            index += 1
            head = index < positions.count ? Frame.read(arena + positions[index]) : nil
        case .runs(let runs):
            guard runs.indices.contains(run) else { return }
            try runs[run].advance()
            head = smallest(runs)
        }
    }

    private func smallest(_ runs: [SpillReader]) -> SortedRecord? {
        var best: SortedRecord?
        for (index, reader) in runs.enumerated() {
            guard let candidate = reader.head else { continue }
            if let best, (best.rank, best.offset) <= (candidate.rank, candidate.offset) { continue }
            best = candidate
            run = index
        }
        return best
    }
}
