import Bytes
import Worker

/// Sorts any number of records by rank, then offset, in bounded memory (``ExternalSorter``). Not Sendable.
final class RecordSorter {
    private let path: String
    private let sorter: ExternalSorter

    var count: Int { sorter.count }
    /// Whether the records arrived in sorted order.
    var isInOrder: Bool { sorter.isInOrder }
    /// The highest rank; nil without records.
    private(set) var highestRank: Int64?

    /// - Parameters:
    ///   - path: of the temporary file, which is created when needed and removed with the sorter.
    ///   - budget: bytes of records that are held in memory.
    init(path: String, budget: Int) {
        self.path = path
        sorter = ExternalSorter(path: path, budget: budget)
    }

    /// Adds a record; its bytes are copied.
    func append(_ record: SortedRecord) throws(WorkerError) {
        do throws(SortFailure) {
            try sorter.append(
                keyCount: SortedRecord.sortKey, contents: record.size, tag: UInt32(record.tag), record.write(to:))
        } catch {
            throw error.ofTemporaryFile(path)
        }
        highestRank = max(highestRank ?? record.rank, record.rank)
    }

    /// All records in order. Call once, after the last record was added.
    func sorted() throws(WorkerError) -> SortedRecords {
        do throws(SortFailure) {
            return try SortedRecords(try sorter.sorted(), path: path)
        } catch {
            throw error.ofTemporaryFile(path)
        }
    }
}

extension SortFailure {
    /// - Parameter path: of the temporary file.
    func ofTemporaryFile(_ path: String) -> WorkerError {
        switch self {
        case .writing(let failure): Self.error("writing to", path, failure)
        case .reading(let failure): Self.error("reading", path, failure)
        case .damaged:
            WorkerError(
                .stateDirectory,
                "The temporary file '\(path)' does not read as it was written; check the disk, then start the command "
                    + "again"
            )
        }
    }

    private static func error(_ doing: String, _ path: String, _ failure: SystemFailure) -> WorkerError {
        WorkerError(
            .stateDirectory,
            "\(doing) the temporary file '\(path)' failed: \(failure.text); make room there, or set TMPDIR to a "
                + "directory with more"
        )
    }
}
