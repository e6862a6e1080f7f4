import Bytes

/// The changes of a store that is filled for the first time, sorted so that the file is written once, from start to
/// end.
///
/// Records do not arrive in key order. In a tree with more pages than may be pending, nearly every record changes a
/// page of its own, which LMDB copies and writes again and again. Here records are gathered, sorted by question and
/// spilled to a file, as many at a time as memory allows (a run); then the runs are merged.
///
/// One question's changes keep their order, the only order that matters to the store's content. Used on the store's
/// thread.
final class StoreLoad {
    /// Changes per batch, few enough that their JSON nearly always fits. A batch may continue one question up to
    /// `mostChanges`, so that sorting its changes by answer and voter pays off.
    private static let changes = 1024
    private static let mostChanges = 32_768
    /// The size of the buffer that keeps a batch's JSON until the batch is applied.
    private static let jsonRoom = 1 << 20

    private let directory: String
    private let sorter: ExternalSorter
    private var scratch = GrowingBuffer<UInt8>()
    /// The sorted changes not yet taken; nil while changes are gathered.
    private var sorted: SortedItems?
    private var json = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The question of the last change taken.
    private var last = GrowingBuffer<UInt8>()
    let batch = TableBatch()

    /// The number of changes gathered.
    var gathered: Int { sorter.count }
    /// The number of changes taken for writing.
    private(set) var taken = 0

    /// - Parameter directory: the store's directory.
    init(directory: String) {
        self.directory = directory
        sorter = ExternalSorter(path: directory + "/changes", budget: 0)
    }

    deinit {
        scratch.free()
        last.free()
        json.deallocate()
    }

    // MARK: - Gathering

    /// Copies a batch's changes.
    /// - Parameter limit: memory for the gathered changes, in bytes. It may shrink, since the open stores share it.
    func add(_ batch: TableBatch, limit: Int) throws(StoreError) {
        sorter.budget = limit
        let keys = batch.keys
        do throws(SortFailure) {
            for index in 0..<batch.answers.count {
                let change = batch.answers[index]
                try SortedChange.append(change, key: keys.key(of: change), to: sorter)
            }
            for index in 0..<batch.votes.count {
                let change = batch.votes[index]
                try SortedChange.append(change, key: keys.key(of: change), voter: keys.voterID(of: change), to: sorter)
            }
            for index in 0..<batch.questions.count {
                let change = batch.questions[index]
                try SortedChange.append(
                    keys.question(of: change), key: keys.key(of: change), scratch: &scratch, to: sorter)
            }
        } catch {
            throw failure(error)
        }
    }

    // MARK: - Taking out

    /// Whether all changes were taken.
    var isDone: Bool { sorted?.isDone ?? false }

    /// Ends the gathering.
    func beginTaking() throws(StoreError) {
        guard sorted == nil else { return }
        do throws(SortFailure) {
            // The memory is needed for the transaction's pages.
            try sorter.spill()
            sorted = try sorter.sorted()
        } catch {
            throw failure(error)
        }
    }

    /// Replaces the contents of `batch` with the next changes: all of a question's, unless there are too many.
    /// - Returns: whether all keys come after those taken before, which holds unless a question is continued.
    func take() throws(StoreError) -> Bool {
        batch.removeAll()
        guard let sorted else { return true }
        let isContinued = sorted.key.map { $0.isEqual(to: last.bytes) } ?? false
        var used = 0
        do throws(SortFailure) {
            while let question = sorted.key {
                let isOfLast = question.isEqual(to: last.bytes)
                if batch.count >= (isOfLast ? Self.mostChanges : Self.changes) { break }
                if !isOfLast {
                    last.removeAll()
                    last.append(contentsOf: question)
                }
                guard let item = try sorted.first(), keep(item, &used) else {
                    // The next batch starts this question rather than continuing it.
                    if !isOfLast { last.removeAll() }
                    break
                }
                try sorted.pass()
            }
        } catch {
            throw failure(error)
        }
        taken += batch.count
        return !isContinued
    }

    /// Adds an item's change to the batch.
    /// - Parameter used: the number of bytes used in the JSON buffer.
    /// - Returns: false when its JSON does not fit beside that of the others.
    private func keep(_ item: SortItem, _ used: inout Int) -> Bool {
        if used + item.contents.count > json.count {
            guard used == 0 else { return false }
            json.deallocate()
            json = .allocate(byteCount: max(Self.jsonRoom, item.contents.count), alignment: 8)
        }
        SortedChange.add(item, to: batch) { bytes in
            let kept = UnsafeMutableRawBufferPointer(rebasing: json[used..<used + bytes.count])
            kept.copyMemory(from: bytes)
            used += bytes.count
            return Bytes(kept)
        }
        return true
    }

    // MARK: - Failures

    private func failure(_ failure: SortFailure) -> StoreError {
        switch failure {
        case .writing(let failure), .reading(let failure):
            StoreError(failure, doing: "sorting the first changes of", directory: directory)
        case .damaged:
            StoreError(
                kind: .system,
                description:
                    "sorting the first changes of the store in '\(directory)' failed: the rows put aside there do "
                    + "not read as it was written; check the disk, then start the worker again")
        }
    }
}
