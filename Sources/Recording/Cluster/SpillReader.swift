import AnswerStore
import Bytes
import Worker

/// A sorted piece of a sorter's temporary file.
struct SortedRun {
    var start: Int
    var end: Int
    /// Rank and offset of its last record.
    var rank: Int64
    var offset: Int64
}

/// Reads one run, record by record. Not Sendable.
final class SpillReader: MergeRun {
    private let path: String
    private let cursor: SpillCursor
    private let number: Int

    /// Valid until `advance`; nil after the last.
    private(set) var head: SortedRecord?

    /// - Parameter number: of the run; records of the same rank and offset come in the order of their runs.
    init(_ file: SpillFile, _ run: SortedRun, number: Int) throws(WorkerError) {
        self.number = number
        path = file.path
        cursor = SpillCursor(file, run.start..<run.end, capacity: 1 << 17)
        try advance()
    }

    func precedes(_ other: SpillReader) -> Bool {
        guard let head, let otherHead = other.head else { return head != nil }
        return (head.rank, head.offset, number) < (otherHead.rank, otherHead.offset, other.number)
    }

    func advance() throws(WorkerError) {
        head = nil
        do throws(SystemFailure) {
            guard cursor.left > 0 else { return }
            if let frame = try cursor.peek(Frame.head) {
                let size = Frame.size(at: frame)
                if let frame = try cursor.peek(size) {
                    head = Frame.read(frame)
                    cursor.pass(size)
                    return
                }
            }
        } catch {
            throw error.ofTemporaryFile("reading", path)
        }
        throw WorkerError(.stateDirectory, "A temporary file of the replay ends too early; start the replay again")
    }
}

extension SystemFailure {
    /// - Parameter doing: the failed operation on the temporary file at `path`.
    func ofTemporaryFile(_ doing: String, _ path: String) -> WorkerError {
        WorkerError(
            .stateDirectory,
            "\(doing) the temporary file '\(path)' failed: \(text); make room there, or set TMPDIR to a directory with more"
        )
    }
}
