import Records

// The moves between the store's states.
//
//     idle ──beginReading──► reading        idle, reading, loading ──beginWriting──► writing
//     writing ──commit, abandon──► idle, or loading while a load is on
//     any ──shut──► closed                  any ──fail──► failed
extension AnswerStore {
    /// Takes the state out of its place, for a move that puts the next one there.
    @inline(__always)
    private func takeState() -> State { exchange(&state, with: .closed) }

    /// - Throws: why the store answers no more.
    func checkOpen() throws(StoreError) {
        switch state {
        case .closed:
            throw StoreError(kind: .closed, description: "the store in '\(directory)' has been closed")
        case .failed(let error): throw error
        default: return
        }
    }

    /// The load that is on.
    var load: StoreLoad? {
        switch state {
        case .loading(let loading): loading.load
        case .writing(let writes, _): writes.load
        default: nil
        }
    }

    var isIdle: Bool {
        switch state {
        case .idle: true
        default: false
        }
    }

    // MARK: - Reading

    /// Turns the read transaction on where no transaction is: it stays on until the next write, as renewing it costs more than a
    /// lookup's tree walk.
    func beginReading() throws(StoreError) {
        switch takeState() {
        case .idle(let database):
            do {
                try database.committed.renew()
            } catch {
                state = .idle(database)
                throw fail(StoreError(error, doing: "reading", directory: directory))
            }
            let trees = MappedTrees(database.committed.transaction, database)
            state = .reading(State.Reading(trees: trees, database: database))
        case let other:
            state = other
        }
    }

    private func endReading() {
        switch takeState() {
        case .reading(let reading):
            reading.database.committed.reset()
            state = .idle(reading.database)
        case let other:
            state = other
        }
    }

    /// The open file; nil when the store is not open.
    func withDatabase<Result>(_ body: (borrowing StoreDatabase) -> Result) -> Result? {
        switch state {
        case .idle(let database): body(database)
        case .reading(let reading): body(reading.database)
        case .writing(_, let database): body(database)
        case .loading(let loading): body(loading.database)
        default: nil
        }
    }

    /// A look at the store as it is, between lookups; nil when it is not open.
    func look<Result>(_ body: (borrowing StoreView, borrowing StoreDatabase) -> Result) -> Result? {
        switch state {
        case .idle(let database): return Self.look(database, body)
        case .loading(let loading): return Self.look(loading.database, body)
        case .reading(let reading): return body(reading.database.committed, reading.database)
        case .writing(let writes, let database): return body(writes.view, database)
        default: return nil
        }
    }

    private static func look<Result>(
        _ database: borrowing StoreDatabase, _ body: (borrowing StoreView, borrowing StoreDatabase) -> Result
    ) -> Result? {
        guard (try? database.committed.renew()) != nil else { return nil }
        defer { database.committed.reset() }
        return body(database.committed, database)
    }

    // MARK: - Writing

    /// Writes a batch in the transaction that it shares with those before and after it.
    /// - Parameter isAppended: its rows belong behind all that are there.
    func write(
        _ batch: TableBatch, _ newPositions: TablePositions, isAppended: Bool = false
    ) throws(StoreError) {
        // Nothing bounds the pages of an erasure: it is done where it can be done again in a larger map.
        guard !isScratch, !batch.hasErasures, try makeRoom(for: batch) else {
            return try writeAlone(batch, newPositions)
        }
        let isFirst = writes { $0.isEmpty } ?? true
        do throws(LMDBFailure) {
            try beginWriting()
            try withWrites { writes, database throws(LMDBFailure) in
                try apply(batch, to: writes, database.tables)
                writes.count(batch, database.tables, isAppended: isAppended)
            }
        } catch {
            guard error.isMapFull, isFirst else { throw undo(error) }
            abandon()
            try growMap()
            return try writeAlone(batch, newPositions)
        }
        positions = newPositions
        if writes({ $0.isDue(limit: pendingLimit()) }) ?? false { try commit() }
    }

    /// Writes a batch in a transaction of its own, and again in a larger map when that is full.
    /// - Parameter isForgettingQuestions: empties their table before.
    func writeAlone(
        _ batch: TableBatch, _ newPositions: TablePositions, isForgettingQuestions: Bool = false
    ) throws(StoreError) {
        try commit()
        while true {
            do throws(LMDBFailure) {
                try beginWriting()
                try withWrites { writes, database throws(LMDBFailure) in
                    if isForgettingQuestions { try writes.view.transaction.empty(database.tables.questions) }
                    try apply(batch, to: writes, database.tables)
                }
                try finish(newPositions)
                positions = newPositions
                return
            } catch {
                abandon()
                guard error.isMapFull else {
                    throw fail(StoreError(error, doing: "writing to", directory: directory))
                }
                try growMap()
            }
        }
    }

    /// Writes what was applied to the file. Nothing to do when nothing was.
    /// - Throws: as `apply`.
    package func commit() throws(StoreError) {
        guard writes({ _ in true }) != nil else { return }
        do {
            try finish(positions)
        } catch {
            throw undo(error)
        }
    }

    /// A look at the write transaction; nil when none is on.
    func writes<Result>(_ body: (borrowing PendingWrites) -> Result) -> Result? {
        switch state {
        case .writing(let writes, _): body(writes)
        default: nil
        }
    }

    /// Begins the transaction that batches to come are gathered in, unless it is on.
    private func beginWriting() throws(LMDBFailure) {
        // LMDB does not keep this process's own read transaction from holding back pages.
        endReading()
        switch takeState() {
        case .idle(let database):
            do throws(LMDBFailure) {
                state = .writing(try PendingWrites(database, load: nil), database)
            } catch {
                state = .idle(database)
                throw error
            }
        case .loading(let loading):
            do throws(LMDBFailure) {
                state = .writing(try PendingWrites(loading.database, load: loading.load), loading.database)
            } catch {
                state = .loading(loading)
                throw error
            }
        case let other:
            state = other
        }
    }

    /// Works on the write transaction, which is on.
    private func withWrites(
        _ body: (inout PendingWrites, borrowing StoreDatabase) throws(LMDBFailure) -> Void
    ) throws(LMDBFailure) {
        switch takeState() {
        case .writing(var writes, let database):
            do throws(LMDBFailure) {
                try body(&writes, database)
            } catch {
                state = .writing(writes, database)
                throw error
            }
            state = .writing(writes, database)
        case let other:
            state = other
        }
    }

    private func apply(
        _ batch: TableBatch, to writes: borrowing PendingWrites, _ tables: StoreTables
    ) throws(LMDBFailure) {
        marks.begin(areCertain: areChangesCertain)
        if batch.answers.count > 0 { try applyAnswers(of: batch, writes) }
        if batch.votes.count > 0 { try applyVotes(of: batch, writes) }
        if batch.questions.count > 0 { try applyQuestions(of: batch, writes, tables) }
    }

    /// Commits the write transaction, which is on; it has ended then, whether it succeeds or not.
    private func finish(_ newPositions: TablePositions) throws(LMDBFailure) {
        // Rows at the positions of an empty store: so the next opening knows a load that did not end.
        let positions = load == nil ? newPositions : TablePositions()
        try withWrites { writes, database throws(LMDBFailure) in
            let transaction = writes.view.transaction.id
            let meta = StoreMeta(transactionID: transaction, positions: positions, source: source).encoded()
            let result = meta.withUnsafeBytes { row in
                StaticKey.withBytes(StoreMeta.key) { key in
                    Result { () throws(LMDBFailure) in
                        try writes.view.transaction.put(row, at: key, in: database.tables.meta)
                    }
                }
            }
            try result.get()
        }
        try end { writes throws(LMDBFailure) in try writes.commit() }
        committedPositions = positions
    }

    /// Ends the write transaction, if one is on.
    private func end(_ body: (consuming PendingWrites) throws(LMDBFailure) -> Void) throws(LMDBFailure) {
        switch takeState() {
        case .writing(let writes, let database):
            if let load = writes.load {
                state = .loading(State.Loading(load: load, database: database))
            } else {
                state = .idle(database)
            }
            try body(writes)
        case let other:
            state = other
        }
    }

    /// Goes back to the last commit.
    private func abandon() {
        try? end { _ in }
        positions = committedPositions
        versions.noteChangeOfAll()
    }

    /// Goes back to the last commit after a failure.
    private func undo(_ failure: LMDBFailure) -> StoreError {
        abandon()
        guard failure.isMapFull else {
            return fail(StoreError(failure, doing: "writing to", directory: directory))
        }
        do throws(StoreError) {
            try growMap()
        } catch {
            return error
        }
        return fail(
            StoreError(
                kind: .undone,
                description:
                    "the map of the store in '\(directory)' was full and has grown; the changes since its last "
                    + "commit are undone, and their records have to be read again"))
    }

    // MARK: - The first filling

    /// Pages that may wait for a commit take in several of each change up to this many, so that all goes faster as it comes.
    func changesWorthLoading() -> Int64 {
        let pageSize = withDatabase { $0.environment.pageSize } ?? 1
        return 10 * Int64(pendingLimit() / pageSize)
    }

    /// The store is new and no load is on.
    func startLoad() {
        endReading()
        switch takeState() {
        case .idle(let database):
            state = .loading(State.Loading(load: StoreLoad(directory: directory), database: database))
        case let other: state = other
        }
    }

    /// Everything was taken from the load: commits it with the positions that it comes to.
    func finishLoad() throws(StoreError) {
        try commit()
        switch takeState() {
        case .loading(let loading): state = .idle(loading.database)
        case let other: state = other
        }
        do {
            try writeAlone(TableBatch(), positions)
        } catch {
            throw fail(error, endsUse: true)
        }
    }

    // MARK: - The map

    /// Sees to it that the map will not be full in the middle of a transaction that others' batches are in: they would be
    /// lost with it. Commits and grows the map where it might be.
    /// - Returns: false when there is no telling.
    private func makeRoom(for batch: TableBatch) throws(StoreError) -> Bool {
        func isEnough() -> Bool {
            let taken = writes { $0.mostBytes } ?? 0
            return withDatabase { $0.environment.freeBytes >= $0.mostBytes(of: batch) + taken } ?? true
        }
        if isEnough() { return true }
        try commit()
        for _ in 0..<8 {
            if isEnough() { return true }
            try growMap()
        }
        return isEnough()
    }

    /// Makes the map twice as large. No write transaction is on.
    private func growMap() throws(StoreError) {
        endReading()
        let size = (withDatabase { $0.environment.mapSize } ?? 0).multipliedReportingOverflow(by: 2)
        do throws(LMDBFailure) {
            guard !size.overflow else { throw LMDBFailure(code: SystemFailure.noMemory.code) }
            switch state {
            case .idle(let database): try database.environment.setMapSize(size.partialValue, isScratch: isScratch)
            case .loading(let loading):
                try loading.database.environment.setMapSize(size.partialValue, isScratch: isScratch)
            default: break
            }
        } catch {
            // The old map is gone: the environment can only be closed now.
            guard !SystemFailure(code: error.code).isNoSpace else {
                throw fail(StoreError(error, doing: "growing", directory: directory), endsUse: true)
            }
            throw fail(
                StoreError(
                    kind: .system,
                    description:
                        "the store in '\(directory)' has to grow, and mapping \(size.partialValue) bytes failed "
                        + "(\(error.text)); allow the process more address space (ulimit -v)"), endsUse: true)
        }
    }

    // MARK: - The end

    /// Closes the file and gives up what was not committed. The store is closed then.
    func shut() {
        switch takeState() {
        case .closed: break
        case .failed: break
        case .idle(let database): database.close()
        case .reading(let reading): reading.database.close()
        case .loading(let loading): loading.database.close()
        case .writing(let writes, let database):
            _ = consume writes
            database.close()
        }
        positions = committedPositions
        versions.noteChangeOfAll()
    }

    /// Sorts an error. The store answers no more after damage, or while a load is on, as a part of it may be missing.
    /// - Parameter endsUse: whatever the error is, the file can only be closed.
    func fail(_ error: StoreError, endsUse: Bool = false) -> StoreError {
        guard endsUse || error.kind == .damaged || load != nil else { return error }
        shut()
        // Without a seal the next opening rebuilds. If even that cannot be done, it finds the damage by itself.
        if error.kind == .damaged { try? FileSystem.remove(directory + "/" + StoreSeal.fileName) }
        state = .failed(error)
        return error
    }
}
