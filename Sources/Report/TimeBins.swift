import Throughput

/// Columns of equal length over a span of time, which aggregate lines for plots and tables.
struct TimeBins: Sendable {
    /// A column's value.
    struct Bin: Sendable, Equatable {
        /// Weighted by the time of each line inside the column.
        var mean: Double
        /// The least value of a line in the column.
        var least: Double
        /// The largest value of a line in the column.
        var largest: Double
    }

    /// Seconds since 1970, or since a run's beginning.
    let start: Double
    /// Seconds of one column.
    let width: Double
    /// The number of columns, at least 1.
    let count: Int

    /// One column for each interval of the lines, at most `most`.
    static func fitting(_ runs: [WorkerRun], most: Int = 240) -> TimeBins {
        let start = runs.map(\.firstTime).min() ?? 0
        let end = max(runs.map(\.lastTime).max() ?? 0, start + 1)
        let finest = max(runs.map(\.typicalSeconds).max() ?? 10, 0.1)
        let count = min(most, max(1, Int(((end - start) / finest).rounded(.up))))
        return TimeBins(start: start, width: (end - start) / Double(count), count: count)
    }

    /// - Parameters:
    ///   - start: the beginning of the first column.
    ///   - width: seconds of one column.
    init(start: Double, width: Double, count: Int) {
        self.start = start
        self.width = width
        self.count = count
    }

    /// The end of the last column.
    var end: Double { start + width * Double(count) }
    /// The beginning of a column.
    func begin(_ index: Int) -> Double { start + width * Double(index) }
    /// The middle of a column, at which plots draw its value.
    func middle(_ index: Int) -> Double { start + width * (Double(index) + 0.5) }

    /// The lines' values by column: the mean over the time of lines with a value, the least and the largest. A column
    /// without any value is nil.
    /// - Parameter offset: subtracted from the lines' times.
    func values(
        _ samples: [WorkerRun.Sample], offset: Double = 0, _ value: (ThroughputLine) -> Double?
    ) -> [Bin?] {
        columns(samples, offset: offset, value).map(\.bin)
    }

    /// Sums over all workers. A column is nil where a worker has lines but no value: the sum is then unknown.
    func sum(_ runs: [WorkerRun], offset: Double = 0, _ value: (ThroughputLine) -> Double?) -> [Bin?] {
        var sums = [Column](repeating: .empty, count: count)
        for (_, runs) in Dictionary(grouping: runs, by: \.key) {
            let columns = columns(runs.flatMap(\.samples), offset: offset, value)
            for (index, column) in columns.enumerated() { sums[index].add(column) }
        }
        return sums.map(\.bin)
    }

    /// A column's value, of one worker or of several.
    private enum Column {
        /// No line falls into the column.
        case empty
        /// Lines fall into the column, none with a value.
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
                // An overlap of a clock's jitter does not count.
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

    /// The largest value of any run by column.
    func largest(_ runs: [WorkerRun], offset: Double = 0, _ value: (ThroughputLine) -> Double?) -> [Bin?] {
        values(runs.flatMap(\.samples), offset: offset, value).map { bin in
            bin.map { Bin(mean: $0.largest, least: $0.mean, largest: $0.largest) }
        }
    }

    /// Sums of the lines' counts by column. A line belongs to the column of its middle.
    func counts(_ runs: [WorkerRun], _ count: (ThroughputLine) -> Int) -> [Int] {
        var result = [Int](repeating: 0, count: self.count)
        for sample in runs.flatMap(\.samples) {
            let index = Int((((sample.began + sample.time) / 2 - start) / width).rounded(.down))
            result[min(max(index, 0), self.count - 1)] += count(sample.line)
        }
        return result
    }
}
