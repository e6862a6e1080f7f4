import Bytes

// The transitions between the store's states.
//
//     idle ──beginReading──► reading        idle, reading, loading ──beginWriting──► writing
//     writing ──commit, abandon──► idle, or loading while a load is on
//     any ──shut──► closed                  any ──fail──► failed
extension AnswerStore {
    /// Moves the state out, for a transition that sets the next one.
    @inline(__always)
    private func takeState() -> State { exchange(&state, with: .closed) }

    /// - Throws: the reason why the store is unusable.
    func checkOpen() throws(StoreError) {
        switch state {
        case .closed:
            throw StoreError(closed: directory)
        case .failed(let error): throw error
        default: return
        }
    }

    /// The current load.
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

    /// Opens the read transaction if none is open. It stays open until the next write, because renewing it costs more
    /// than a lookup's tree walk.
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

    /// Calls `body` with the open file; nil when the store is not open.
    func withDatabase<Result>(_ body: (borrowing StoreDatabase) -> Result) -> Result? {
        switch state {
        case .idle(let database): body(database)
        case .reading(let reading): body(reading.database)
        case .writing(_, let database): body(database)
        case .loading(let loading): body(loading.database)
        default: nil
        }
    }

    /// Reads the store's current content, between lookups; nil when it is not open.
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

    /// Writes a batch in the shared transaction.
    /// - Parameter isAppended: the rows come after all existing ones.
    func write(
        _ batch: TableBatch, _ newPositions: TablePositions, isAppended: Bool = false
    ) throws(StoreError) {
        // An erasure changes an unbounded number of pages, so it gets its own transaction, which can be retried in a
        // larger map.
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
        if writes({ $0.isDue(limit: pendingLimit(), longestWait: longestWait) }) ?? false { try commit() }
    }

    /// Writes a batch in a transaction of its own, and retries in a larger map when the map is full.
    /// - Parameter isForgettingQuestions: empties the questions table first.
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

    /// Writes the applied changes to the file, if there are any.
    /// - Throws: as `apply`.
    package func commit() throws(StoreError) {
        guard writes({ _ in true }) != nil else { return }
        do {
            try finish(positions)
        } catch {
            throw undo(error)
        }
    }

    /// Calls `body` with the write transaction; nil when none is open.
    func writes<Result>(_ body: (borrowing PendingWrites) -> Result) -> Result? {
        switch state {
        case .writing(let writes, _): body(writes)
        default: nil
        }
    }

    /// Opens the shared write transaction, unless it is open.
    private func beginWriting() throws(LMDBFailure) {
        // Without a reader table (MDB_NOLOCK) an open read transaction does not stop LMDB from reusing its pages.
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

    /// Calls `body` with the write transaction, which must be open.
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

    /// Commits the open write transaction and ends it, even if the commit fails.
    private func finish(_ newPositions: TablePositions) throws(LMDBFailure) {
        // During a load the positions stay those of an empty store: rows at these positions show the next opening that
        // the load did not finish.
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

    /// Ends the write transaction, if one is open.
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

    /// Returns to the last commit.
    private func abandon() {
        try? end { _ in }
        positions = committedPositions
        versions.noteChangeOfAll()
    }

    /// Returns to the last commit after a failure.
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
        isUndone = true
        return fail(
            StoreError(
                kind: .undone,
                description:
                    "the map of the store in '\(directory)' was full and has grown; the changes since its last "
                    + "commit are undone, and their records have to be read again"))
    }

    // MARK: - The first filling

    /// The number of changes from which a load pays off. With fewer, the pages pending in memory take several changes
    /// each, and writing directly is faster.
    func changesWorthLoading() -> Int64 {
        let pageSize = withDatabase { $0.environment.pageSize } ?? 1
        return 10 * Int64(pendingLimit() / pageSize)
    }

    /// Starts a load. The store must be new and not loading.
    func startLoad() {
        endReading()
        switch takeState() {
        case .idle(let database):
            state = .loading(State.Loading(load: StoreLoad(directory: directory), database: database))
        case let other: state = other
        }
    }

    /// Commits a load whose changes are all taken, together with its final positions.
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

    /// Makes sure that the map cannot fill up during the shared transaction, which would lose the batches already in
    /// it. Commits and grows the map if needed.
    /// - Returns: false when even the grown map may be too small.
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

    /// Doubles the map. No write transaction may be open.
    private func growMap() throws(StoreError) {
        endReading()
        let size = (withDatabase { $0.environment.mapSize } ?? 0).multipliedReportingOverflow(by: 2)
        do throws(LMDBFailure) {
            guard !size.overflow else { throw LMDBFailure(code: SystemFailure.noMemory.code) }
            switch state {
            case .idle(let database): try database.environment.setMapSize(size.partialValue)
            case .loading(let loading): try loading.database.environment.setMapSize(size.partialValue)
            default: break
            }
            mapSize = size.partialValue
        } catch {
            // The old map is gone: the environment can only be closed.
            throw fail(StoreError(error, growing: directory, to: size.partialValue), endsUse: true)
        }
    }

    // MARK: - The end

    /// Closes the file, drops uncommitted changes and leaves the store closed.
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

    /// Classifies an error. Damage makes the store fail for good, and so does any error during a load, which may have
    /// lost changes.
    /// - Parameter endsUse: the file can only be closed, for any kind of error.
    func fail(_ error: StoreError, endsUse: Bool = false) -> StoreError {
        guard endsUse || error.kind == .damaged || load != nil else { return error }
        shut()
        // Without a seal the next opening rebuilds. If the seal cannot be removed either, that opening detects the
        // damage itself.
        if error.kind == .damaged { try? FileSystem.remove(directory + "/" + StoreSeal.fileName) }
        state = .failed(error)
        return error
    }
}
