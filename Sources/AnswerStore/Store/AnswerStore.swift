import Records

/// One partition's answers, votes, tallies and source positions: a cache of the partition's topics in LMDB.
///
/// Owned by one lane's thread and not Sendable. Made by `StateDirectory.openStore`. Lookups see every change that was applied.
/// A change is written to the file with the next `commit`, and survives the death of the process from there on; a power loss
/// makes the next opening rebuild the store (see `StoreSeal`).
///
/// Many batches share one of LMDB's transactions, because each transaction copies and writes whole pages for a few bytes of
/// each.
package final class AnswerStore {
    /// The store's life, with what belongs to each part of it. `AnswerStore+Transactions` holds the moves between them.
    enum State: ~Copyable {
        case closed
        /// Every further call throws the error.
        case failed(StoreError)
        /// Open; no transaction is on.
        case idle(StoreDatabase)
        /// The read transaction is on: rows that lookups gave are valid.
        case reading(Reading)
        /// A write transaction is on, and lookups read through it. It may be a load's.
        case writing(PendingWrites, StoreDatabase)
        /// The store is being filled for the first time (`beginLoad`); no transaction is on.
        case loading(Loading)

        struct Reading: ~Copyable {
            /// Nil where searches use LMDB alone.
            let trees: MappedTrees?
            let database: StoreDatabase
        }

        struct Loading: ~Copyable {
            let load: StoreLoad
            let database: StoreDatabase
        }
    }

    let directory: String
    let source: StoreSource
    private let initialMapSize: Int
    /// See `LMDBEnvironment.init`.
    let isScratch: Bool
    /// Lets the state directory open this partition again; nil once the store is closed.
    private var onClose: (@Sendable () -> Void)?
    /// Memory that uncommitted changes may take, in bytes.
    let pendingLimit: @Sendable () -> Int

    var state = State.closed

    /// The offsets of the next records to apply.
    package internal(set) var positions: TablePositions
    /// The same as of the last commit: where this store would go on after the death of the process.
    var committedPositions: TablePositions

    var versions = QuestionVersions()

    /// Where the questions are noted that a batch changes visibly; nil: nowhere.
    package var waiting: WaitingQuestions?
    /// Whether the questions noted are published even if later changes take these back: the changes before them may be others'.
    package var areChangesCertain = false
    /// Of the batch that is being written.
    let marks = ChangeMarks()

    // Scratch memory of `apply` and `lookup`; grows to what the largest batch and row needed.
    var order = GrowingBuffer<UInt32>()
    var tally = GrowingBuffer<UInt8>()
    let keyBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StoreLayout.longestKey, alignment: 8)

    /// The directory holds a verified data file or none; its seal says `open`.
    init(
        directory: String, source: StoreSource, meta: StoreMeta?, mapSize: Int, isScratch: Bool = false,
        pendingLimit: @escaping @Sendable () -> Int, onClose: @escaping @Sendable () -> Void
    ) throws(StoreError) {
        self.directory = directory
        self.source = source
        self.pendingLimit = pendingLimit
        self.onClose = onClose
        initialMapSize = mapSize
        self.isScratch = isScratch
        positions = meta?.positions ?? TablePositions()
        committedPositions = positions
        try open(mapSize: mapSize)
        if meta == nil { try writeAlone(TableBatch(), positions) }
    }

    deinit {
        // Without a close there is no seal: the next opening verifies the file, as after a crash.
        shut()
        onClose?()
        versions.free()
        order.free()
        tally.free()
        keyBuffer.deallocate()
    }

    private func open(mapSize: Int) throws(StoreError) {
        do {
            state = .idle(try StoreDatabase(directory: directory, mapSize: mapSize, isScratch: isScratch))
        } catch {
            throw fail(StoreError(error, doing: "opening", directory: directory), endsUse: true)
        }
    }

    // MARK: - Changes

    /// Applies a batch and notes the positions: both or neither.
    ///
    /// Ends the validity of the rows that `lookup` gave. Commits by itself when much has gathered.
    /// - Throws: `positions` tells then whether the changes since the last commit are undone.
    package func apply(_ batch: TableBatch, positions newPositions: TablePositions) throws(StoreError) {
        try checkOpen()
        guard batch.count > 0 || newPositions != positions else { return }
        guard let load else {
            try write(batch, newPositions)
            if let waiting { marks.note(in: waiting) }
            return
        }
        do {
            try load.add(batch, limit: pendingLimit())
        } catch {
            throw fail(error)
        }
        positions = newPositions
    }

    /// Whether a batch is better applied before more is added to it, though large batches cost less: its changes are on so
    /// many pages that they take about as much memory as may wait for a commit.
    package func isFilled(by batch: TableBatch) -> Bool {
        if load != nil { return false }
        let memory = look { view, database in database.memory(of: batch, view.transaction) }
        return memory.map { $0 >= pendingLimit() / 2 } ?? true
    }

    /// The number of further changes before `isFilled` is worth asking. Long answers take more pages than that.
    package var fewChanges: Int {
        let most = withDatabase { $0.mostBytesOfChange } ?? 1
        return max(1, pendingLimit() / most / 2)
    }

    /// Commits what has waited for long enough. To be called now and then, when nothing more may come.
    package func commitIfDue() throws(StoreError) {
        if writes({ $0.isOld }) ?? false { try commit() }
    }

    /// The size of the store; all 0 once it is closed.
    package var usage: StoreUsage {
        look { view, database in
            StoreUsage(
                bytes: database.environment.usedBytes,
                answerRows: view.transaction.rows(of: database.tables.answers),
                voteRows: view.transaction.rows(of: database.tables.voters),
                questionRows: view.transaction.rows(of: database.tables.questions))
        } ?? StoreUsage()
    }

    // MARK: - The file

    /// Empties the store and sets its positions to 0: its topics were made anew. Gives the disk space back.
    package func reset() throws(StoreError) {
        try checkOpen()
        shut()
        positions = TablePositions()
        committedPositions = positions
        do {
            try FileSystem.remove(directory + "/" + StoreInspection.dataFileName)
        } catch {
            throw fail(StoreError(error, doing: "emptying", directory: directory), endsUse: true)
        }
        try open(mapSize: initialMapSize)
        try writeAlone(TableBatch(), positions)
    }

    /// Gives back the memory that LMDB keeps of its largest transaction. To be called after a lot was written.
    package func giveMemoryBack() throws(StoreError) {
        try checkOpen()
        try commit()
        let mapSize = withDatabase { $0.environment.mapSize }
        shut()
        try open(mapSize: mapSize ?? initialMapSize)
    }

    /// Commits, syncs, seals and closes. Should that fail, the seal stays open, and the next opening verifies or rebuilds.
    package func close() {
        guard let onClose else { return }
        // A scratch store ends here: no process opens it again, so nothing of it is worth a write to the disk.
        guard !isScratch else {
            shut()
            onClose()
            self.onClose = nil
            return
        }
        // The topics hold whatever cannot be written now.
        try? commit()
        // A load that did not end is begun anew, so its store gets no seal.
        let isSynced = load == nil && withDatabase { (try? $0.environment.synchronize()) != nil } ?? false
        shut()
        if isSynced { sealClosed() }
        onClose()
        self.onClose = nil
    }

    private func sealClosed() {
        do {
            let file = try PageFile(path: directory + "/" + StoreInspection.dataFileName)
            let snapshot = try file.newestSnapshot()
            try StoreSeal.write(
                .closed(fileSize: file.size, transactionID: snapshot.transactionID), in: directory)
        } catch {
            // The old seal says that the store is open, which is always safe.
        }
    }
}
