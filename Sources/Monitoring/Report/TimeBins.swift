/// Columns of equal length over a stretch of time, to draw or list what many lines say.
package struct TimeBins: Sendable {
    package struct Bin: Sendable, Equatable {
        package var mean: Double
        package var least: Double
        package var largest: Double
    }

    /// Seconds since 1970, or since a run's beginning.
    package let start: Double
    package let width: Double
    package let count: Int

    /// As fine as the lines themselves, but never more than `most` columns.
    package static func fitting(_ runs: [WorkerRun], most: Int = 240) -> TimeBins {
        let start = runs.map(\.firstTime).min() ?? 0
        let end = max(runs.map(\.lastTime).max() ?? 0, start + 1)
        let finest = max(runs.map(\.typicalSeconds).max() ?? 10, 0.1)
        let count = min(most, max(1, Int(((end - start) / finest).rounded(.up))))
        return TimeBins(start: start, width: (end - start) / Double(count), count: count)
    }

    package init(start: Double, width: Double, count: Int) {
        self.start = start
        self.width = width
        self.count = count
    }

    package var end: Double { start + width * Double(count) }
    package func begin(_ index: Int) -> Double { start + width * Double(index) }
    package func middle(_ index: Int) -> Double { start + width * (Double(index) + 0.5) }

    /// What lines say, by columns: the mean over the time of those that say something, the least and the largest. A column
    /// in which no line says anything is nil.
    /// - Parameter offset: is taken off the lines' times.
    package func values(
        _ samples: [WorkerRun.Sample], offset: Double = 0, _ value: (ThroughputLine) -> Double?
    ) -> [Bin?] {
        columns(samples, offset: offset, value).map(\.bin)
    }

    /// What all workers have together. A column in which a worker has lines of which none says anything is nil: a sum of which a
    /// part is not known is not known.
    package func sum(_ runs: [WorkerRun], offset: Double = 0, _ value: (ThroughputLine) -> Double?) -> [Bin?] {
        var sums = [Column](repeating: .empty, count: count)
        for (_, runs) in Dictionary(grouping: runs, by: \.key) {
            let columns = columns(runs.flatMap(\.samples), offset: offset, value)
            for (index, column) in columns.enumerated() { sums[index].add(column) }
        }
        return sums.map(\.bin)
    }

    /// What the lines of one worker, or of several together, say of a column.
    private enum Column {
        /// No line touches it.
        case empty
        /// Lines do, and none says anything.
        case unknown
        case known(Bin)

        var bin: Bin? {
            if case .known(let bin) = self { bin } else { nil }
        }

        mutating func add(_ other: Column) {
            switch (self, other) {
            case (_, .empty), (.unknown, _): break
            case (.empty, _), (_, .unknown): self = other
            case (.known(let one), .known(let other)):
                self = .known(
                    Bin(
                        mean: one.mean + other.mean, least: one.least + other.least,
                        largest: one.largest + other.largest))
            }
        }
    }

    private func columns(
        _ samples: [WorkerRun.Sample], offset: Double, _ value: (ThroughputLine) -> Double?
    ) -> [Column] {
        var isTouched = [Bool](repeating: false, count: count)
        var sums = [(weight: Double, sum: Double, least: Double, largest: Double)?](repeating: nil, count: count)
        for sample in samples {
            let value = value(sample.line)
            let from = sample.began - offset
            let to = max(sample.time - offset, from + 0.001)
            let first = max(0, Int(((from - start) / width).rounded(.down)))
            let last = min(count - 1, Int(((to - start) / width).rounded(.down)))
            guard first <= last else { continue }
            for index in first...last {
                let overlap = min(to, begin(index + 1)) - max(from, begin(index))
                // What lines only touch by a clock's jitter is not theirs.
                guard overlap > 0.02 * min(width, to - from) else { continue }
                isTouched[index] = true
                guard let value else { continue }
                var bin = sums[index] ?? (0, 0, value, value)
                bin.weight += overlap
                bin.sum += value * overlap
                bin.least = min(bin.least, value)
                bin.largest = max(bin.largest, value)
                sums[index] = bin
            }
        }
        return zip(sums, isTouched).map { sum, isTouched in
            guard let sum else { return isTouched ? .unknown : .empty }
            return .known(Bin(mean: sum.sum / sum.weight, least: sum.least, largest: sum.largest))
        }
    }

    /// The worst that any run has.
    package func largest(_ runs: [WorkerRun], offset: Double = 0, _ value: (ThroughputLine) -> Double?) -> [Bin?] {
        values(runs.flatMap(\.samples), offset: offset, value).map { bin in
            bin.map { Bin(mean: $0.largest, least: $0.mean, largest: $0.largest) }
        }
    }

    /// Counts: what the lines of a column count in all, each line counted in the column of its middle.
    package func counts(_ runs: [WorkerRun], _ count: (ThroughputLine) -> Int) -> [Int] {
        var result = [Int](repeating: 0, count: self.count)
        for sample in runs.flatMap(\.samples) {
            let index = Int((((sample.began + sample.time) / 2 - start) / width).rounded(.down))
            result[min(max(index, 0), self.count - 1)] += count(sample.line)
        }
        return result
    }
}
