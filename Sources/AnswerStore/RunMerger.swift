import Records

/// Why a run could not be read.
enum RunFailure: Error, Equatable {
    case system(SystemFailure)
    /// It is not what was written.
    case damaged
}

/// Merges sorted runs of `ChangeFrame`s: by question, and those of one question in the order of the runs. Not Sendable.
final class RunMerger {
    private struct Run {
        let number: Int
        let cursor: SpillCursor
        /// The frame that it stands at, valid until it goes on.
        var frame: Bytes

        func precedes(_ other: Run) -> Bool {
            guard let left = frame.baseAddress, let right = other.frame.baseAddress else { return false }
            return ChangeFrame.question(at: left)
                .precedes(ChangeFrame.question(at: right), orIsEqual: number < other.number)
        }
    }

    /// A heap: none comes after those at twice its place and one or two more.
    private var runs: [Run] = []

    /// - Parameters:
    ///   - pieces: of the file, each a run.
    ///   - readAhead: bytes that are read of a run at once.
    init(_ file: SpillFile?, _ pieces: [Range<Int>], readAhead: Int) throws(RunFailure) {
        guard let file else { return }
        for (number, piece) in pieces.enumerated() {
            let cursor = SpillCursor(file, piece, capacity: readAhead)
            guard let frame = try Self.frame(of: cursor) else { continue }
            runs.append(Run(number: number, cursor: cursor, frame: frame))
        }
        for place in stride(from: runs.count / 2 - 1, through: 0, by: -1) { sink(from: place) }
    }

    var isDone: Bool { runs.isEmpty }

    /// The first of all that are left, valid until `advance`; nil when there are none.
    var frame: Bytes? { runs.first?.frame }

    func advance() throws(RunFailure) {
        guard let first = runs.first else { return }
        if let frame = try Self.frame(of: first.cursor) {
            runs[0].frame = frame
        } else {
            let last = runs.removeLast()
            if runs.isEmpty { return }
            runs[0] = last
        }
        sink(from: 0)
    }

    /// Lets the run at `place` go down until none below comes before it.
    private func sink(from place: Int) {
        runs.withUnsafeMutableBufferPointer { runs in
            var place = place
            while true {
                var first = place
                for child in [2 * place + 1, 2 * place + 2] where child < runs.count {
                    if runs[child].precedes(runs[first]) { first = child }
                }
                if first == place { return }
                runs.swapAt(place, first)
                place = first
            }
        }
    }

    /// The next frame of a run, nil at its end. It is passed already.
    private static func frame(of cursor: SpillCursor) throws(RunFailure) -> Bytes? {
        guard cursor.left > 0 else { return nil }
        let frame: UnsafeRawPointer?
        do throws(SystemFailure) {
            frame = try cursor.peek(ChangeFrame.head).flatMap { head throws(SystemFailure) in
                try cursor.peek(max(ChangeFrame.head, ChangeFrame.size(at: head)))
            }
        } catch {
            throw .system(error)
        }
        guard let frame else { throw .damaged }
        let bytes = Bytes(start: frame, count: ChangeFrame.size(at: frame))
        guard ChangeFrame.isIntact(bytes) else { throw .damaged }
        cursor.pass(bytes.count)
        return bytes
    }
}
