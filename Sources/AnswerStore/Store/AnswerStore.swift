import Bytes

/// One partition's answers, votes, tallies and source positions: a cache of the partition's topics in LMDB.
///
/// Owned by one lane's thread and not Sendable. Created by `StateDirectory.openStore`. Lookups see every change
/// applied. The next `commit` writes changes to the file; from then on they survive the death of the process. After a
/// power loss the next opening rebuilds the store (see `StoreSeal`).
///
/// Many batches share one LMDB transaction, because each transaction copies and writes whole pages for a few changed
/// bytes.
package final class AnswerStore {
    /// The store's state, with the objects of each state. `AnswerStore+Transactions` contains all transitions.
    enum State: ~Copyable {
        case closed
        /// Every further call throws this error.
        case failed(StoreError)
        /// Open, without a transaction.
        case idle(StoreDatabase)
        /// The read transaction is open: rows returned by lookups are valid.
        case reading(Reading)
        /// A write transaction is open, and lookups read through it. It may belong to a load.
        case writing(PendingWrites, StoreDatabase)
        /// The store is being filled for the first time (`beginLoad`); no transaction is open.
        case loading(Loading)

        struct Reading: ~Copyable {
            /// Nil if searches use only LMDB.
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
    /// See `LMDBEnvironment.Writes`.
    let isScratch: Bool
    /// Allows the state directory to open this partition again; nil once the store is closed.
    private var onClose: (@Sendable () -> Void)?
    /// The longest time that a change waits for its commit, as long as `apply` or `commitIfDue` is called.
    let longestWait: Duration
    /// The limit for uncommitted changes in memory, in bytes.
    let pendingLimit: @Sendable () -> Int

    var state = State.closed

    /// Whether changes were lost with a transaction that filled the map (`StoreError.Kind.undone`). The store is at its
    /// last commit, below records that lookups have shown, so its owner closes it and reads them again.
    package internal(set) var isUndone = false
    /// The size of the map in bytes; of a closed or failed store, its last.
    package internal(set) var mapSize: Int

    /// The offsets of the next records to apply.
    package internal(set) var positions: TablePositions
    /// The positions as of the last commit, from which the store continues if the process dies.
    var committedPositions: TablePositions

    var versions = QuestionVersions()

    /// Receives the questions that a batch changes visibly; nil: they are not recorded.
    package var waiting: WaitingQuestions?
    /// Whether recorded questions are published even if later changes cancel out: an earlier owner of the partition may
    /// have published a state in between.
    package var areChangesCertain = false
    /// The visible changes of the batch being written.
    let marks = ChangeMarks()

    // Scratch memory of `apply` and `lookup`; grows to the needs of the largest batch and row.
    var order = GrowingBuffer<UInt32>()
    var tally = GrowingBuffer<UInt8>()
    let keyBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StoreLayout.longestKey, alignment: 8)

    /// The directory must hold a verified data file or none; its seal, which scratch stores lack, must be `open`.
    init(
        directory: String, source: StoreSource, meta: StoreMeta?, mapSize: Int, isScratch: Bool = false,
        longestWait: Duration = .milliseconds(250), pendingLimit: @escaping @Sendable () -> Int,
        onClose: @escaping @Sendable () -> Void
    ) throws(StoreError) {
        self.directory = directory
        self.source = source
        self.pendingLimit = pendingLimit
        self.onClose = onClose
        self.longestWait = longestWait
        initialMapSize = mapSize
        self.mapSize = mapSize
        self.isScratch = isScratch
        positions = meta?.positions ?? TablePositions()
        committedPositions = positions
        try open(mapSize: mapSize)
        if meta == nil { try writeAlone(TableBatch(), positions) }
    }

    deinit {
        // Without `close` there is no seal: the next opening verifies the file, as after a crash.
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
        self.mapSize = withDatabase { $0.environment.mapSize } ?? mapSize
    }

    // MARK: - Changes

    /// Applies a batch and sets the positions, both or neither.
    ///
    /// Invalidates the rows returned by `lookup`. Commits by itself when many changes are pending.
    /// - Throws: after a failure, `positions` shows whether the changes since the last commit are undone.
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

    /// Whether to apply a batch before adding more, although large batches cost less: its changes touch so many pages
    /// that they take about as much memory as may be pending.
    package func isFilled(by batch: TableBatch) -> Bool {
        if load != nil { return false }
        let memory = look { view, database in database.memory(of: batch, view.transaction) }
        return memory.map { $0 >= pendingLimit() / 2 } ?? true
    }

    /// The number of further changes before calling `isFilled` is useful. Long answers may fill the batch sooner.
    package var fewChanges: Int {
        let most = withDatabase { $0.mostBytesOfChange } ?? 1
        return max(1, pendingLimit() / most / 2)
    }

    /// Commits changes that have been pending long enough. Call regularly while no changes arrive.
    package func commitIfDue() throws(StoreError) {
        if writes({ $0.isOld(longestWait: longestWait) }) ?? false { try commit() }
    }

    /// The store's size; all 0 once it is closed.
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

    /// Empties the store and sets its positions to 0, because its topics were recreated. Frees the disk space.
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

    /// Frees the memory that LMDB keeps from its largest transaction, by reopening the file. Call after large writes.
    package func giveMemoryBack() throws(StoreError) {
        try checkOpen()
        try commit()
        shut()
        try open(mapSize: mapSize)
    }

    /// Commits, syncs, seals and closes. If that fails, the seal stays `open`, and the next opening verifies or
    /// rebuilds.
    package func close() {
        guard let onClose else { return }
        // A scratch store ends here: no process opens it again, so nothing is worth writing to the disk.
        guard !isScratch else {
            shut()
            onClose()
            self.onClose = nil
            return
        }
        // After a failure the topics still hold the unwritten changes.
        try? commit()
        // An unfinished load starts over, so its store gets no seal.
        var transactionID: UInt64?
        if load == nil {
            transactionID = withDatabase { database in
                (try? database.environment.synchronize()).map { database.environment.lastTransaction }
            }.flatMap(\.self)
        }
        shut()
        if let transactionID { sealClosed(transactionID) }
        onClose()
        self.onClose = nil
    }

    private func sealClosed(_ transactionID: UInt64) {
        do {
            let file = try FileSystem.size(of: directory + "/" + StoreInspection.dataFileName)
            try StoreSeal.write(
                .closed(size: file.size, stamp: file.stamp, transactionID: transactionID), in: directory)
        } catch {
            // The old seal is still `open`, which is always safe.
        }
    }
}
