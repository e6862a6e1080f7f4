import Bytes
import Worker

/// A sorter's records in order. Not Sendable.
final class SortedRecords {
    private let items: SortedItems
    private let path: String

    /// The next record; nil after the last. Valid until `advance`.
    private(set) var head: SortedRecord?

    /// - Parameter path: of the sorter's temporary file.
    init(_ items: SortedItems, path: String) throws(SortFailure) {
        self.items = items
        self.path = path
        head = try items.first().map(SortedRecord.init)
    }

    /// Moves to the next record.
    func advance() throws(WorkerError) {
        head = nil
        do throws(SortFailure) {
            try items.pass()
            head = try items.first().map(SortedRecord.init)
        } catch {
            throw error.ofTemporaryFile(path)
        }
    }
}
