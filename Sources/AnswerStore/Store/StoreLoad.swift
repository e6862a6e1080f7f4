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
    /// Memory for the read buffers of all runs, for up to 2,000 runs.
    private static let readAhead = 8 << 20
    /// The smallest and largest buffer for one run.
    private static let readPiece = (least: 4 << 10, most: 256 << 10)
    /// Changes per batch, few enough that their JSON nearly always fits. A batch may continue one question up to
    /// `mostChanges`, so that sorting its changes by answer and voter pays off.
    private static let changes = 1024
    private static let mostChanges = 32_768
    /// The size of the buffer that keeps a batch's JSON until the batch is applied.
    private static let jsonRoom = 1 << 20
    /// Memory for sorting, in bytes per change, in addition to the change itself.
    private static let sortedEntry = 48

    private let directory: String
    // The gathered changes: frames, their offsets, and the sorter.
    private var frames = GrowingBuffer<UInt8>()
    private var starts = GrowingBuffer<Int>()
    private var scratch = GrowingBuffer<UInt8>()
    private var order = GrowingBuffer<UInt32>()
    private var sorter = KeySorter()
    private var file: SpillFile?
    private var runs: [Range<Int>] = []
    private var merger: RunMerger?
    private var json = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The question of the last change taken.
    private var last = GrowingBuffer<UInt8>()
    let batch = TableBatch()

    /// The numbers of changes gathered, and of those taken for writing.
    private(set) var gathered = 0
    private(set) var taken = 0

    /// - Parameter directory: the store's directory.
    init(directory: String) { self.directory = directory }

    deinit {
        frames.free()
        starts.free()
        scratch.free()
        order.free()
        sorter.free()
        last.free()
        json.deallocate()
    }

    // MARK: - Gathering

    /// Copies a batch's changes.
    /// - Parameter limit: memory for the gathered changes, in bytes.
    func add(_ batch: TableBatch, limit: Int) throws(StoreError) {
        let keys = batch.keys
        for index in 0..<batch.answers.count {
            let change = batch.answers[index]
            try begin(ChangeFrame.size(of: change), limit)
            ChangeFrame.append(change, key: keys.key(of: change), to: &frames)
        }
        for index in 0..<batch.votes.count {
            let change = batch.votes[index]
            try begin(ChangeFrame.size(of: change), limit)
            ChangeFrame.append(change, key: keys.key(of: change), voter: keys.voterID(of: change), to: &frames)
        }
        for index in 0..<batch.questions.count {
            let change = batch.questions[index]
            try begin(ChangeFrame.size(of: change), limit)
            ChangeFrame.append(keys.question(of: change), key: keys.key(of: change), scratch: &scratch, to: &frames)
        }
        gathered += batch.count
    }

    @inline(__always)
    private func begin(_ size: Int, _ limit: Int) throws(StoreError) {
        if frames.count + size + (starts.count + 1) * Self.sortedEntry > limit { try putAside(limit) }
        starts.append(frames.count)
    }

    /// Turns the gathered changes into a run.
    /// - Parameter limit: memory for the next changes; it may have shrunk, since the open stores share it.
    private func putAside(_ limit: Int) throws(StoreError) {
        guard starts.count > 0 else { return }
        frames.reserve(KeySorter.slack)
        let (bytes, starts) = (frames.bytes, starts)
        guard let base = bytes.baseAddress else { return }
        order.fillWithIndices(starts.count)
        sorter.sort(order.elements, 0..<starts.count) { ChangeFrame.question(at: base + starts[Int($0)]) }
        do throws(SystemFailure) {
            let file = try openFile()
            let start = file.size
            for index in order.elements {
                let frame = base + starts[Int(index)]
                try file.append(Bytes(start: frame, count: ChangeFrame.size(at: frame)))
            }
            try file.flush()
            runs.append(start..<file.size)
        } catch {
            throw failure(error)
        }
        frames.removeAll(keepingRoomFor: limit)
        let most = limit / Self.sortedEntry
        if starts.count > most { sorter.giveBack() }
        self.starts.removeAll(keepingRoomFor: most)
        order.removeAll(keepingRoomFor: most)
    }

    private func openFile() throws(SystemFailure) -> SpillFile {
        if let file { return file }
        let path = directory + "/changes"
        // Left by a process that died between creating the file and unlinking it.
        try FileSystem.remove(path)
        let file = try SpillFile(path: path)
        self.file = file
        return file
    }

    // MARK: - Taking out

    /// Whether all changes were taken.
    var isDone: Bool { merger?.isDone ?? false }

    /// Ends the gathering.
    func beginTaking() throws(StoreError) {
        guard merger == nil else { return }
        // The memory is needed for the runs' buffers.
        try putAside(0)
        let piece = min(Self.readPiece.most, max(Self.readPiece.least, Self.readAhead / max(1, runs.count)))
        do throws(RunFailure) {
            merger = try RunMerger(file, runs, readAhead: piece)
        } catch {
            throw failure(error)
        }
    }

    /// Replaces the contents of `batch` with the next changes: all of a question's, unless there are too many.
    /// - Returns: whether all keys come after those taken before, which holds unless a question is continued.
    func take() throws(StoreError) -> Bool {
        batch.removeAll()
        guard let merger else { return true }
        let isContinued = merger.question.map { $0.isEqual(to: last.bytes) } ?? false
        var used = 0
        do throws(RunFailure) {
            while let question = merger.question {
                let isOfLast = question.isEqual(to: last.bytes)
                if batch.count >= (isOfLast ? Self.mostChanges : Self.changes) { break }
                if !isOfLast {
                    last.removeAll()
                    last.append(contentsOf: question)
                }
                guard try merger.take({ keep($0, &used) }) else {
                    // The next batch starts this question rather than continuing it.
                    if !isOfLast { last.removeAll() }
                    break
                }
            }
        } catch {
            throw failure(error)
        }
        taken += batch.count
        return !isContinued
    }

    /// Adds a frame's change to the batch.
    /// - Parameter used: the number of bytes used in the JSON buffer.
    /// - Returns: false when its JSON does not fit beside that of the others.
    private func keep(_ frame: Bytes, _ used: inout Int) -> Bool {
        if used + frame.count > json.count {
            guard used == 0 else { return false }
            json.deallocate()
            json = .allocate(byteCount: max(Self.jsonRoom, frame.count), alignment: 8)
        }
        ChangeFrame.add(frame, to: batch) { bytes in
            let kept = UnsafeMutableRawBufferPointer(rebasing: json[used..<used + bytes.count])
            kept.copyMemory(from: bytes)
            used += bytes.count
            return Bytes(kept)
        }
        return true
    }

    // MARK: - Failures

    private func failure(_ failure: SystemFailure) -> StoreError {
        StoreError(failure, doing: "sorting the first changes of", directory: directory)
    }

    private func failure(_ failure: RunFailure) -> StoreError {
        switch failure {
        case .system(let failure): self.failure(failure)
        case .damaged:
            StoreError(
                kind: .system,
                description:
                    "sorting the first changes of the store in '\(directory)' failed: the rows put aside there do "
                    + "not read as it was written; check the disk, then start the worker again")
        }
    }
}
