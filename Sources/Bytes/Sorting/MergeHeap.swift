/// A sorted run in a merge, by its first remaining item.
@usableFromInline package protocol MergeRun {
    /// Whether this run's item comes before the other's. Never true both ways.
    func precedes(_ other: Self) -> Bool
}

/// The runs of a merge that have an item, with the next one on top: a binary heap, where no run comes after its
/// children, at twice its index plus one and plus two.
@usableFromInline package struct MergeHeap<Run: MergeRun> {
    /// In the heap's order: only the first is known to come before all others.
    @usableFromInline package var runs: [Run]

    /// - Parameter runs: in any order.
    @inlinable
    package init(_ runs: [Run] = []) {
        self.runs = runs
        for place in stride(from: runs.count / 2 - 1, through: 0, by: -1) { sink(from: place) }
    }

    /// The run whose item comes next; nil: none is left.
    @inlinable package var first: Run? { runs.first }

    /// Adds a run at its place, in logarithmic time.
    @inlinable
    package mutating func insert(_ run: Run) {
        runs.append(run)
        var place = runs.count - 1
        while place > 0, run.precedes(runs[(place - 1) / 2]) {
            runs.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Removes the run whose items are used up. There must be one.
    @inlinable
    package mutating func removeFirst() {
        runs.swapAt(0, runs.count - 1)
        runs.removeLast()
        sink(from: 0)
    }

    /// Puts the first run back into the order with its next item.
    @inlinable
    package mutating func replaceFirst(with run: Run) {
        runs[0] = run
        sink(from: 0)
    }

    /// Moves the run at `place` down until none of its children comes before it.
    @inlinable
    mutating func sink(from place: Int) {
        runs.withUnsafeMutableBufferPointer { runs in
            var place = place
            while true {
                var first = place
                for child in 2 * place + 1..<min(2 * place + 3, max(runs.count, 2 * place + 1)) {
                    if runs[child].precedes(runs[first]) { first = child }
                }
                if first == place { return }
                runs.swapAt(place, first)
                place = first
            }
        }
    }
}
