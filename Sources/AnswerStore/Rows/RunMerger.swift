import Bytes

/// Why a run could not be read.
enum RunFailure: Error, Equatable {
    case system(SystemFailure)
    /// The run is not as it was written.
    case damaged
}

/// Merges sorted runs of `ChangeFrame`s by question; frames of one question keep the order of their runs. Not Sendable.
///
/// Buffers at most `readAhead` bytes of each run but the first, however long its frames are.
final class RunMerger {
    private struct Run: MergeRun {
        let number: Int
        let cursor: SpillCursor
        /// The current frame's question, valid until the cursor's next `peek`.
        var question: Bytes

        func precedes(_ other: Run) -> Bool { question.precedes(other.question, orIsEqual: number < other.number) }
    }

    private var heap = MergeHeap<Run>()

    /// - Parameters:
    ///   - pieces: ranges of the file, each a run.
    ///   - readAhead: the number of bytes to read of a run at once.
    init(_ file: SpillFile?, _ pieces: [Range<Int>], readAhead: Int) throws(RunFailure) {
        guard let file else { return }
        var runs: [Run] = []
        for (number, piece) in pieces.enumerated() {
            let cursor = SpillCursor(file, piece, capacity: readAhead)
            guard let question = try Self.question(of: cursor) else { continue }
            runs.append(Run(number: number, cursor: cursor, question: question))
        }
        heap = MergeHeap(runs)
    }

    var isDone: Bool { heap.runs.isEmpty }

    /// The size of all buffers in bytes.
    var memory: Int { heap.runs.reduce(0) { $0 + $1.cursor.capacity } }

    /// The question of the first remaining frame; nil at the end.
    var question: Bytes? { heap.first?.question }

    /// Takes the first remaining frame, which must exist.
    /// - Parameter body: receives the frame, valid until it returns, and decides whether to take it.
    /// - Returns: the decision of `body`.
    func take(_ body: (Bytes) -> Bool) throws(RunFailure) -> Bool {
        guard var first = heap.first else { return false }
        let frame = try Self.frame(of: first.cursor)
        let isTaken = body(frame)
        if isTaken { first.cursor.pass(frame.count) }
        if let question = try Self.question(of: first.cursor) {
            first.question = question
            heap.replaceFirst(with: first)
        } else {
            heap.removeFirst()
        }
        return isTaken
    }

    /// The question of a run's next frame; nil at its end. Reads no more than that. The frame's checksum is verified
    /// later, when the frame is taken; a damaged question only changes when that happens.
    private static func question(of cursor: SpillCursor) throws(RunFailure) -> Bytes? {
        guard cursor.left > 0 else { return nil }
        let count = min(cursor.left, ChangeFrame.head + 1 + StoreLayout.idLengths.upperBound)
        guard count > ChangeFrame.head, let frame = try peek(cursor, count) else { throw .damaged }
        let question = ChangeFrame.question(at: frame)
        return Bytes(rebasing: question.prefix(count - ChangeFrame.head))
    }

    private static func frame(of cursor: SpillCursor) throws(RunFailure) -> Bytes {
        guard let head = try peek(cursor, ChangeFrame.head) else { throw .damaged }
        let size = ChangeFrame.size(at: head)
        guard size > ChangeFrame.head, let frame = try peek(cursor, size) else { throw .damaged }
        let bytes = Bytes(start: frame, count: size)
        guard ChangeFrame.isIntact(bytes) else { throw .damaged }
        return bytes
    }

    private static func peek(_ cursor: SpillCursor, _ count: Int) throws(RunFailure) -> UnsafeRawPointer? {
        do throws(SystemFailure) {
            return try cursor.peek(count)
        } catch {
            throw .system(error)
        }
    }
}
