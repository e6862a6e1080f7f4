import CLMDB
import Records

/// One partition's answers, votes, tallies and source positions: a cache of the partition's topics in LMDB.
///
/// Owned by one lane's thread and not Sendable. Made by `StateDirectory.openStore`. What is applied survives the death
/// of the process; a power loss makes the next opening rebuild the store (see `StoreSeal`).
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

    /// The offsets of the next records to apply, as of the last transaction.
    package private(set) var positions: TablePositions

    // Scratch memory of `apply` and `lookup`; grows to what the largest batch and row needed.
    var order = GrowingBuffer<UInt32>()
    var oldTally = GrowingBuffer<UInt8>()
    var newTally = GrowingBuffer<UInt8>()
    let keyBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StoreLayout.longestKey, alignment: 8)

    /// The directory holds a verified data file or none; its seal says `open`.
    init(
        directory: String, source: StoreSource, meta: StoreMeta?, mapSize: Int, isScratch: Bool = false,
        onClose: @escaping @Sendable () -> Void
    ) throws(StoreError) {
        self.directory = directory
        self.source = source
        self.onClose = onClose
        initialMapSize = mapSize
        self.isScratch = isScratch
        positions = meta?.positions ?? TablePositions()
        state = .failed(StoreError(kind: .closed, description: "the store in '\(directory)' is not open"))
        do {
            state = .open(try LMDBEnvironment.open(directory: directory, mapSize: mapSize, isScratch: isScratch))
        } catch {
            throw Self.error(error, doing: "opening", directory: directory)
        }
        if meta == nil { try write { (_, _) throws(LMDBFailure) in } }
    }

    deinit {
        // Without a close there is no seal: the next opening verifies what is there, as after a crash.
        shut()
        onClose?()
        order.free()
        oldTally.free()
        newTally.free()
        keyBuffer.deallocate()
    }

    /// Applies a batch and notes the positions, all in one transaction: after an error none of it has happened.
    ///
    /// LMDB's map grows by itself. Ends the validity of what `lookup` gave.
    package func apply(_ batch: TableBatch, positions newPositions: TablePositions) throws(StoreError) {
        let oldPositions = positions
        guard batch.count > 0 || newPositions != oldPositions else {
            if case .failed(let error) = state { throw error }
            return
        }
        positions = newPositions
        do {
            try write { [self] (environment, transaction) throws(LMDBFailure) in
                if batch.answers.count > 0 { try applyAnswers(of: batch, environment, transaction) }
                if batch.votes.count > 0 { try applyVotes(of: batch, environment, transaction) }
            }
        } catch {
            positions = oldPositions
            throw error
        }
    }

    /// Empties the store and sets its positions to 0: its topics were made anew. Gives the disk space back.
    package func reset() throws(StoreError) {
        _ = try openEnvironment()
        shut()
        positions = TablePositions()
        state = .failed(
            StoreError(kind: .system, description: "the store in '\(directory)' could not be emptied before"))
        do {
            try FileSystem.remove(directory + "/" + StoreInspection.dataFileName)
        } catch {
            throw fail(Self.error(LMDBFailure(code: error.code), doing: "emptying", directory: directory))
        }
        do {
            state = .open(
                try LMDBEnvironment.open(
                    directory: directory, mapSize: initialMapSize, isScratch: isScratch))
        } catch {
            throw fail(Self.error(error, doing: "opening", directory: directory))
        }
        try write { (_, _) throws(LMDBFailure) in }
    }

    /// How much the store holds; all 0 once it is closed.
    package var usage: StoreUsage {
        guard let environment = try? readingEnvironment() else { return StoreUsage() }
        return StoreUsage(
            bytes: environment.usedBytes, answerRows: environment.rows(of: environment.answers),
            voteRows: environment.rows(of: environment.voters))
    }

    /// Syncs, seals and closes. Should syncing fail, the seal stays open, and the next opening verifies or rebuilds.
    package func close() {
        guard let onClose else { return }
        if case .open(let environment) = state {
            endReading(environment)
            let isSynced = mdb_env_sync(environment.environment, 1) == 0
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
    private func shut() {
        guard case .open(let environment) = state else { return }
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

    /// With the read transaction on. It stays on until the next write: renewing costs more than a lookup's tree walk.
    @inline(__always)
    func readingEnvironment() throws(StoreError) -> LMDBEnvironment {
        let environment = try openEnvironment()
        if !isReading { try beginReading(environment) }
        return environment
    }

    private func beginReading(_ environment: LMDBEnvironment) throws(StoreError) {
        do {
            try environment.renewReading()
        } catch {
            mdb_txn_reset(environment.readTransaction)
            throw failed(error, doing: "reading")
        }
        isReading = true
    }

    private func endReading(_ environment: LMDBEnvironment) {
        guard isReading else { return }
        mdb_txn_reset(environment.readTransaction)
        isReading = false
    }

    /// Runs `body` in a write transaction that also notes the positions, and again in a larger map when it is full.
    private func write(
        _ body: (LMDBEnvironment, OpaquePointer) throws(LMDBFailure) -> Void
    ) throws(StoreError) {
        let environment = try openEnvironment()
        // Without LMDB's reader table, a read transaction left on does not keep its pages from being overwritten.
        endReading(environment)
        while true {
            do {
                try attempt(environment, body)
                return
            } catch {
                guard error.isMapFull else { throw failed(error, doing: "writing to") }
                try growMap(environment)
            }
        }
    }

    private func attempt(
        _ environment: LMDBEnvironment, _ body: (LMDBEnvironment, OpaquePointer) throws(LMDBFailure) -> Void
    ) throws(LMDBFailure) {
        let transaction = try environment.beginWriting()
        do {
            try body(environment, transaction)
            try writeMeta(environment, transaction)
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        // Frees the transaction, whatever comes of it.
        try check(mdb_txn_commit(transaction))
    }

    private func writeMeta(_ environment: LMDBEnvironment, _ transaction: OpaquePointer) throws(LMDBFailure) {
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

    private func fail(_ error: StoreError) -> StoreError {
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
