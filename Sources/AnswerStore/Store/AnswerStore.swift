import CLMDB
import Records

/// One partition's answers, votes, tallies and source positions: a cache of the partition's topics in LMDB.
///
/// Owned by one lane's thread and not Sendable. Made by `StateDirectory.openStore`. What is applied is seen by every lookup
/// from then on. It is written to the file with the next `commit`, and survives the death of the process from there on; a
/// power loss makes the next opening rebuild the store (see `StoreSeal`).
///
/// Many batches share one of LMDB's transactions, because each transaction copies and writes whole pages for what may be a
/// few bytes of each.
package final class AnswerStore {
    enum State {
        case open(LMDBEnvironment)
        /// Every further call throws this.
        case failed(StoreError)
    }

    let directory: String
    let source: StoreSource
    private let initialMapSize: Int
    /// See `LMDBEnvironment.open`.
    private let isScratch: Bool
    /// Lets the state directory open this partition again; nil once the store is closed.
    private var onClose: (@Sendable () -> Void)?

    private(set) var state: State
    /// The read transaction is on: what a lookup gave is valid.
    private var isReading = false
    /// Where the last commit's trees begin; nil until the next transaction begins.
    private(set) var trees: MappedTrees?
    /// What was applied since the last commit. While it is there lookups read through it.
    private(set) var pending: PendingWrites?
    /// While the store is filled for the first time. What it holds does not count until then: `beginLoad`.
    var load: StoreLoad?
    /// How much memory `pending` may take before it is committed, in bytes.
    let pendingLimit: @Sendable () -> Int

    /// The offsets of the next records to apply.
    package private(set) var positions: TablePositions
    /// The same as of the last commit: where this store would go on after the death of the process.
    private var committedPositions: TablePositions

    var versions = QuestionVersions()

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
        state = .failed(StoreError(kind: .closed, description: "the store in '\(directory)' is not open"))
        try open(mapSize: mapSize)
        if meta == nil { try writeAlone(TableBatch(), positions) }
    }

    deinit {
        // Without a close there is no seal: the next opening verifies what is there, as after a crash.
        shut()
        onClose?()
        versions.free()
        order.free()
        tally.free()
        keyBuffer.deallocate()
    }

    /// Applies a batch and notes the positions: both or neither.
    ///
    /// Ends the validity of what `lookup` gave. Commits by itself when much has gathered.
    /// - Throws: what was applied since the last commit may be undone then, which `positions` tells.
    package func apply(_ batch: TableBatch, positions newPositions: TablePositions) throws(StoreError) {
        guard batch.count > 0 || newPositions != positions else {
            if case .failed(let error) = state { throw error }
            return
        }
        let environment = try openEnvironment()
        if let load {
            do {
                try load.add(batch, limit: pendingLimit())
            } catch {
                throw failLoad(error)
            }
            positions = newPositions
        } else {
            try write(batch, newPositions, environment)
        }
    }

    /// - Parameter isAppended: its rows belong behind all that are there.
    func write(
        _ batch: TableBatch, _ newPositions: TablePositions, _ environment: LMDBEnvironment, isAppended: Bool = false
    ) throws(StoreError) {
        // How many pages an erasure touches nobody knows before: it is done where it can be done again in a larger map.
        guard !isScratch, !batch.hasErasures, try makeRoom(for: batch, environment) else {
            return try writeAlone(batch, newPositions)
        }
        do throws(LMDBFailure) {
            var writes = if let pending { pending } else { try begin(environment) }
            pending = writes
            try write(batch, writes)
            writes.count(batch, environment, isAppended: isAppended)
            pending = writes
        } catch {
            abandonPending()
            throw failed(error, doing: "writing to")
        }
        positions = newPositions
        if pending?.isDue(limit: pendingLimit()) ?? false { try commit() }
    }

    /// Whether a batch is better applied before more is added to it, though much that is applied together costs less than
    /// little: its changes are on so many pages that they take about as much memory as may wait for a commit.
    package func isFilled(by batch: TableBatch) -> Bool {
        if load != nil { return false }
        guard let environment = try? openEnvironment(), let view = try? view(environment) else { return true }
        return PendingWrites.memory(of: batch, view, environment) >= pendingLimit() / 2
    }

    /// How many changes a batch can have more before `isFilled` is worth asking. Long answers take more pages than that.
    package var fewChanges: Int { max(1, pendingLimit() / PendingWrites.mostBytesOfChange / 2) }

    /// Writes what was applied to the file. Nothing to do when nothing was.
    package func commit() throws(StoreError) {
        guard let pending, case .open(let environment) = state else { return }
        do {
            try finish(pending, environment, positions)
        } catch {
            abandonPending()
            let error = failed(error, doing: "writing to")
            throw load == nil ? error : failLoad(error)
        }
        self.pending = nil
    }

    /// Commits what has waited for long enough. To be called now and then, when nothing more may come.
    package func commitIfDue() throws(StoreError) {
        if pending?.isOld ?? false { try commit() }
    }

    /// Empties the store and sets its positions to 0: its topics were made anew. Gives the disk space back.
    package func reset() throws(StoreError) {
        _ = try openEnvironment()
        shut()
        positions = TablePositions()
        committedPositions = positions
        state = .failed(
            StoreError(kind: .system, description: "the store in '\(directory)' could not be emptied before"))
        do {
            try FileSystem.remove(directory + "/" + StoreInspection.dataFileName)
        } catch {
            throw fail(Self.error(LMDBFailure(code: error.code), doing: "emptying", directory: directory))
        }
        try open(mapSize: initialMapSize)
        try writeAlone(TableBatch(), positions)
    }

    /// Gives back the memory that LMDB keeps of the largest transaction it ever had. To be called after a lot was written.
    package func giveMemoryBack() throws(StoreError) {
        let environment = try openEnvironment()
        try commit()
        let mapSize = environment.mapSize
        shut()
        state = .failed(StoreError(kind: .closed, description: "the store in '\(directory)' is not open"))
        try open(mapSize: mapSize)
    }

    private func open(mapSize: Int) throws(StoreError) {
        do {
            state = .open(try LMDBEnvironment.open(directory: directory, mapSize: mapSize, isScratch: isScratch))
        } catch {
            throw fail(Self.error(error, doing: "opening", directory: directory))
        }
    }

    /// How much the store holds; all 0 once it is closed.
    package var usage: StoreUsage {
        guard let environment = try? openEnvironment(), let view = try? view(environment) else { return StoreUsage() }
        return StoreUsage(
            bytes: environment.usedBytes, answerRows: view.rows(of: environment.answers),
            voteRows: view.rows(of: environment.voters))
    }

    /// Commits, syncs, seals and closes. Should that fail, the seal stays open, and the next opening verifies or rebuilds.
    package func close() {
        guard let onClose else { return }
        // What cannot be written now is read from the topics again.
        try? commit()
        if case .open(let environment) = state {
            endReading(environment)
            // A load that did not end is begun anew: nothing of it is worth a seal.
            let isSynced = load == nil && mdb_env_sync(environment.environment, 1) == 0
            shut()
            if isSynced { sealClosed() }
        }
        state = .failed(StoreError(kind: .closed, description: "the store in '\(directory)' has been closed"))
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
            // The seal that is there says that the store is open, which is the safe thing to say.
        }
    }

    /// Gives LMDB's resources back; `state` is the caller's to set.
    func shut() {
        guard case .open(let environment) = state else { return }
        load = nil
        abandonPending()
        endReading(environment)
        environment.close()
    }
}

extension AnswerStore {
    @inline(__always)
    func openEnvironment() throws(StoreError) -> LMDBEnvironment {
        switch state {
        case .open(let environment): return environment
        case .failed(let error): throw error
        }
    }

    /// What lookups read: everything that was applied. The read transaction stays on until the next write: renewing costs
    /// more than a lookup's tree walk.
    @inline(__always)
    func view(_ environment: LMDBEnvironment) throws(StoreError) -> StoreView {
        if let pending { return pending.view }
        if !isReading { try beginReading(environment) }
        return environment.committed
    }

    private func beginReading(_ environment: LMDBEnvironment) throws(StoreError) {
        do {
            try environment.renewReading()
        } catch {
            mdb_txn_reset(environment.committed.transaction)
            throw failed(error, doing: "reading")
        }
        isReading = true
        trees = MappedTrees(environment.committed.transaction, environment)
    }

    private func endReading(_ environment: LMDBEnvironment) {
        trees = nil
        guard isReading else { return }
        mdb_txn_reset(environment.committed.transaction)
        isReading = false
    }

    /// Begins the transaction that batches to come are gathered in.
    private func begin(_ environment: LMDBEnvironment) throws(LMDBFailure) -> PendingWrites {
        // Without LMDB's reader table, a read transaction left on does not keep its pages from being overwritten.
        endReading(environment)
        let transaction = try environment.beginWriting()
        trees = MappedTrees(transaction, environment)
        do {
            return try PendingWrites(transaction, environment, isLoad: load != nil)
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
    }

    private func write(_ batch: TableBatch, _ writes: PendingWrites) throws(LMDBFailure) {
        if batch.answers.count > 0 { try applyAnswers(of: batch, writes) }
        if batch.votes.count > 0 { try applyVotes(of: batch, writes) }
    }

    /// Frees the transaction when it succeeds, and when the commit itself fails.
    private func finish(
        _ writes: PendingWrites, _ environment: LMDBEnvironment, _ positions: TablePositions
    ) throws(LMDBFailure) {
        // Rows at the positions of an empty store: that is how the next opening knows a load that did not end.
        let positions = load == nil ? positions : TablePositions()
        try writeMeta(environment, writes.view.transaction, positions)
        // Frees the transaction and its cursors, whatever comes of it.
        pending = nil
        trees = nil
        try check(mdb_txn_commit(writes.view.transaction))
        committedPositions = positions
    }

    /// Goes back to the last commit.
    private func abandonPending() {
        if let pending { mdb_txn_abort(pending.view.transaction) }
        pending = nil
        trees = nil
        positions = committedPositions
        versions.noteChangeOfAll()
    }

    /// Writes a batch in a transaction of its own, and again in a larger map when that is full.
    func writeAlone(_ batch: TableBatch, _ newPositions: TablePositions) throws(StoreError) {
        try commit()
        let environment = try openEnvironment()
        while true {
            do {
                let writes = try begin(environment)
                pending = writes
                try write(batch, writes)
                try finish(writes, environment, newPositions)
                positions = newPositions
                return
            } catch {
                abandonPending()
                guard error.isMapFull else { throw failed(error, doing: "writing to") }
                try growMap(environment)
            }
        }
    }

    /// Sees to it that the map will not be full in the middle of a transaction that others' batches are in: they would be
    /// lost with it. Commits and grows the map where it might be.
    /// - Returns: false when there is no telling.
    private func makeRoom(for batch: TableBatch, _ environment: LMDBEnvironment) throws(StoreError) -> Bool {
        let needed = PendingWrites.mostBytes(of: batch)
        if let pending, environment.freeBytes < needed + pending.mostBytes { try commit() }
        guard pending == nil else { return true }
        var growths = 0
        while environment.freeBytes < needed {
            guard growths < 8 else { return false }
            growths += 1
            endReading(environment)
            try growMap(environment)
        }
        return true
    }

    private func writeMeta(
        _ environment: LMDBEnvironment, _ transaction: OpaquePointer, _ positions: TablePositions
    ) throws(LMDBFailure) {
        let meta = StoreMeta(
            transactionID: UInt64(mdb_txn_id(transaction)), positions: positions, source: source)
        let code = meta.encoded().withUnsafeBytes { row in
            StaticKey.withBytes(StoreMeta.key) { name in
                var key = MDB_val(name)
                var value = MDB_val(row)
                return mdb_put(transaction, environment.meta, &key, &value, 0)
            }
        }
        try check(code)
    }

    /// No transaction is on: LMDB maps the file anew, maybe at another address.
    private func growMap(_ environment: LMDBEnvironment) throws(StoreError) {
        let (larger, overflow) = environment.mapSize.multipliedReportingOverflow(by: 2)
        let code = overflow ? SystemFailure.noMemory.code : mdb_env_set_mapsize(environment.environment, larger)
        guard code == 0 else {
            // The old map is gone: the environment can only be closed now.
            shut()
            throw fail(
                StoreError(
                    kind: .system,
                    description:
                        "the store in '\(directory)' has to grow, and mapping \(larger) bytes failed (\(LMDBFailure(code: code).text)); "
                        + "allow the process more address space (ulimit -v)"))
        }
        if isScratch {
            do {
                try LMDBEnvironment.allocateMap(environment.environment)
            } catch {
                shut()
                throw fail(Self.error(error, doing: "growing", directory: directory))
            }
        }
    }

    /// Turns a failure into an error; one that tells of damage ends the store's use, here and after a restart.
    func failed(_ failure: LMDBFailure, doing what: String) -> StoreError {
        let error = Self.error(failure, doing: what, directory: directory)
        guard error.kind == .damaged else { return error }
        shut()
        // Without a seal the next opening rebuilds. If even that cannot be done, it finds the damage by itself.
        try? FileSystem.remove(directory + "/" + StoreSeal.fileName)
        return fail(error)
    }

    func fail(_ error: StoreError) -> StoreError {
        state = .failed(error)
        return error
    }

    static func error(_ failure: LMDBFailure, doing what: String, directory: String) -> StoreError {
        let system = SystemFailure(code: failure.code)
        // A write that a full disk cuts short is an EIO to LMDB (mdb_page_flush).
        if system.isNoSpace || system.isIO {
            return StoreError(
                kind: .diskFull,
                description: "\(what) the store in '\(directory)' failed: "
                    + (system.isIO ? "no space is left there, or the disk fails" : "no space is left there")
                    + " (\(failure.text)); nothing was changed; "
                    + "make room or move the state directory (store.directory, --state-dir)")
        }
        if failure.isDamage {
            return StoreError(
                kind: .damaged,
                description:
                    "\(what) the store in '\(directory)' failed: it is damaged (\(failure.text)); "
                    + "it is rebuilt from the topics when the worker is started again")
        }
        return StoreError(
            kind: .system,
            description: "\(what) the store in '\(directory)' failed: \(failure.text); "
                + "check the disk and the permissions, then start the worker again")
    }
}
