import Bytes

/// A sorted key-value map in a file, with a position for each partition of its source topic.
///
/// Changes and positions share one transaction and are written with a sync (``commitIfDue()``), so that a crash of the
/// process or the machine returns the map to a state from which the topic can be followed. A map that is full grows.
/// Used on one thread.
package final class IndexStore {
    private enum State: ~Copyable {
        case open(Database)
        /// Closed, or failed: every further call throws this error.
        case unusable(StoreError)
    }

    struct Database: ~Copyable {
        let writes: Writes
        let environment: LMDBEnvironment

        /// Aborts the transaction.
        consuming func abandon() -> LMDBEnvironment { environment }
    }

    /// The open transaction, through which all is read.
    struct Writes: ~Copyable {
        let entries: LMDBCursor
        let transaction: LMDBTransaction

        init(_ environment: borrowing LMDBEnvironment, _ tables: Tables) throws(LMDBFailure) {
            let transaction = try LMDBTransaction(environment, isReadOnly: false)
            entries = try LMDBCursor(transaction, tables.entries)
            self.transaction = transaction
        }

        func set(_ table: LMDBTable, _ key: Bytes, _ value: Bytes?) throws(LMDBFailure) {
            guard let value else { return try transaction.delete(key, in: table) }
            try transaction.put(value, at: key, in: table)
        }

        func empty(_ tables: Tables) throws(LMDBFailure) {
            try transaction.empty(tables.entries)
            try transaction.empty(tables.meta)
        }

        consuming func commit() throws(LMDBFailure) { try transaction.commit() }
    }

    struct Tables {
        let entries: LMDBTable
        let meta: LMDBTable

        /// Opens the tables and creates missing ones.
        init(_ environment: borrowing LMDBEnvironment) throws(LMDBFailure) {
            let transaction = try LMDBTransaction(environment, isReadOnly: false)
            entries = try transaction.table("entries", isMade: true)
            meta = try transaction.table("meta", isMade: true)
            try transaction.commit()
        }
    }

    private static let mapSizes = [1 << 38, 1 << 36, 1 << 34, 1 << 32, 1 << 30]
    private static let changesPerCommit = 50_000
    private static let bytesPerCommit = 16 << 20
    private static let commitInterval = Duration.seconds(1)

    private let directory: String
    private let tables: Tables
    private var state: State
    /// The transaction's changes, to be repeated in a larger map.
    private var pending = PendingChanges()
    /// When the oldest of them was made.
    private var changed = ContinuousClock.now

    /// Opens a directory's store; creates it if there is none, and empties one with another source.
    /// - Parameters:
    ///   - source: the store's source, such as cluster and topic.
    ///   - mapSizes: sizes of the map to try, in bytes of address space, not of memory. A limit (ulimit -v) may leave
    ///     room only for less.
    /// - Throws: `StoreError` when the directory cannot be used.
    package init(directory: String, source: String, mapSizes: [Int] = mapSizes) throws(StoreError) {
        self.directory = directory
        do throws(SystemFailure) { try FileSystem.makeDirectories(directory) } catch {
            throw StoreError(error, doing: "opening", directory: directory)
        }
        do throws(LMDBFailure) {
            let environment = try Self.open(directory, mapSizes)
            tables = try Tables(environment)
            state = .open(Database(writes: try Writes(environment, tables), environment: environment))
        } catch {
            throw StoreError(error, doing: "opening", directory: directory)
        }
        guard try get(tables.meta, Self.sourceKey) != Array(source.utf8) else { return }
        try empty(source: Array(source.utf8))
    }

    private static func open(_ directory: String, _ mapSizes: [Int]) throws(LMDBFailure) -> LMDBEnvironment {
        var failure = LMDBFailure.panic
        for size in mapSizes {
            do throws(LMDBFailure) {
                return try LMDBEnvironment(directory: directory, mapSize: size, writes: .synchronized)
            } catch {
                failure = error
                guard error.code == SystemFailure.noMemory.code else { break }
            }
        }
        throw failure
    }

    /// As ``init(directory:source:mapSizes:)``, but deletes a damaged store and starts over.
    package static func openOrRebuild(directory: String, source: String) throws(StoreError) -> IndexStore {
        do throws(StoreError) {
            return try IndexStore(directory: directory, source: source)
        } catch {
            guard error.kind == .damaged else { throw error }
            do throws(SystemFailure) { try FileSystem.remove(directory) } catch {
                throw StoreError(error, doing: "rebuilding", directory: directory)
            }
            return try IndexStore(directory: directory, source: source)
        }
    }

    /// Closes the store and drops uncommitted changes.
    package func close() { state = .unusable(StoreError(closed: directory)) }

    // MARK: - Entries

    /// A copy of a key's value, uncommitted changes included; nil: there is no entry.
    package func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? { try get(tables.entries, key) }

    /// The same for a borrowed key.
    package func value(of key: Bytes) throws(StoreError) -> [UInt8]? { try get(tables.entries, key) }

    /// Sets a key's value; nil removes the entry.
    package func set(_ key: [UInt8], _ value: [UInt8]?) throws(StoreError) { try set(tables.entries, key, value) }

    /// Sets a key's value; nil removes the entry.
    package func set(_ key: Bytes, _ value: Bytes?) throws(StoreError) { try set(tables.entries, key, value) }

    /// Copies of all keys with the prefix, in bytewise order, uncommitted changes included.
    package func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        try use("reading") { writes throws(LMDBFailure) in
            try Bytes.lend(prefix) { (prefix) throws(LMDBFailure) in
                var keys: [[UInt8]] = []
                var row = try writes.entries.seek(prefix)
                while let key = row?.key, key.starts(with: prefix) {
                    keys.append(Array(key))
                    row = try writes.entries.next()
                }
                return keys
            }
        }
    }

    // MARK: - Positions

    /// The next offset of a partition to apply; 0 in a new store.
    package func position(ofPartition partition: Int32) throws(StoreError) -> Int64 {
        guard let bytes = try get(tables.meta, Self.positionKey(partition)), bytes.count == 8 else { return 0 }
        return bytes.reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Notes the next offset to apply, to be written with the next commit.
    package func setPosition(_ offset: Int64, ofPartition partition: Int32) throws(StoreError) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: offset >> Int64(56 - 8 * $0)) }
        try set(tables.meta, Self.positionKey(partition), bytes)
    }

    private static func positionKey(_ partition: Int32) -> [UInt8] { Array("position \(partition)".utf8) }

    /// The offset that a group was noted to have committed of a topic's partition; nil: none was.
    package func committed(_ topic: String, _ partition: Int32, group: String) throws(StoreError) -> Int64? {
        guard let bytes = try get(tables.meta, Self.committedKey(topic, partition)), bytes.count >= 8,
            bytes.dropFirst(8).elementsEqual(group.utf8)
        else { return nil }
        return bytes.prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Notes the offset that a group has committed, to be written with the next commit.
    package func noteCommitted(
        _ offset: Int64, _ topic: String, _ partition: Int32, group: String
    ) throws(StoreError) {
        guard try committed(topic, partition, group: group) != offset else { return }
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: offset >> Int64(56 - 8 * $0)) }
        try set(tables.meta, Self.committedKey(topic, partition), bytes + Array(group.utf8))
    }

    private static func committedKey(_ topic: String, _ partition: Int32) -> [UInt8] {
        Array("committed \(topic) \(partition)".utf8)
    }

    /// Empties the store, positions included.
    package func removeAll() throws(StoreError) {
        guard let source = try get(tables.meta, Self.sourceKey) else { return }
        try empty(source: source)
    }

    private static let sourceKey = Array("source".utf8)

    private func empty(source: [UInt8]) throws(StoreError) {
        pending.empty()
        try change("emptying") { writes throws(LMDBFailure) in try writes.empty(tables) }
        try set(tables.meta, Self.sourceKey, source)
        try commit()
    }

    // MARK: - Commits

    /// Commits when many changes are pending, or when the oldest is a second old.
    package func commitIfDue() throws(StoreError) {
        guard
            pending.count >= Self.changesPerCommit || pending.byteCount >= Self.bytesPerCommit
                || pending.count > 0 && .now - changed >= Self.commitInterval
        else { return }
        try commit()
    }

    /// Makes all changes durable, and begins the next transaction.
    /// - Throws: when the disk takes no writes; the changes since the last commit are then lost.
    package func commit() throws(StoreError) {
        while true {
            switch exchange(&state, with: .unusable(StoreError(closed: directory))) {
            case .open(let database):
                var failed: LMDBFailure?
                // The transaction ends even if the commit fails.
                do throws(LMDBFailure) { try database.writes.commit() } catch { failed = error }
                try begin(database.environment)
                if let failed, failed.isMapFull {
                    try grow()
                    continue
                }
                pending.removeAll()
                if let failed { throw StoreError(failed, doing: "writing", directory: directory) }
                return
            case .unusable(let error):
                state = .unusable(error)
                throw error
            }
        }
    }

    /// Begins the next transaction.
    private func begin(_ environment: consuming LMDBEnvironment) throws(StoreError) {
        do throws(LMDBFailure) {
            let writes = try Writes(environment, tables)
            state = .open(Database(writes: writes, environment: environment))
        } catch {
            throw fail(StoreError(error, doing: "writing", directory: directory))
        }
    }

    private func fail(_ error: StoreError) -> StoreError {
        state = .unusable(error)
        return error
    }

    /// Doubles the map until it holds the transaction's changes, which are made again.
    private func grow() throws(StoreError) {
        repeat {
            switch exchange(&state, with: .unusable(StoreError(closed: directory))) {
            case .open(let database):
                let environment = database.abandon()
                let size = environment.mapSize * 2
                do throws(LMDBFailure) {
                    try environment.setMapSize(size)
                } catch {
                    throw fail(StoreError(error, growing: directory, to: size))
                }
                try begin(environment)
            case .unusable(let error):
                throw fail(error)
            }
        } while try !fits("writing") { writes throws(LMDBFailure) in
            if pending.isEmptied { try writes.empty(tables) }
            try pending.replay { (table, key, value) throws(LMDBFailure) in try writes.set(table, key, value) }
        }
    }

    // MARK: - The transaction

    private func get(_ table: LMDBTable, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        try Bytes.lend(key) { (key) throws(StoreError) in try get(table, key) }
    }

    private func get(_ table: LMDBTable, _ key: Bytes) throws(StoreError) -> [UInt8]? {
        try use("reading") { writes throws(LMDBFailure) in
            try writes.transaction.row(of: key, in: table).map { Array($0) }
        }
    }

    private func set(_ table: LMDBTable, _ key: [UInt8], _ value: [UInt8]?) throws(StoreError) {
        try Bytes.lend(key) { (key) throws(StoreError) in
            try Bytes.lend(optional: value) { (value) throws(StoreError) in try set(table, key, value) }
        }
    }

    private func set(_ table: LMDBTable, _ key: Bytes, _ value: Bytes?) throws(StoreError) {
        try change("writing") { writes throws(LMDBFailure) in try writes.set(table, key, value) }
        if pending.count == 0 { changed = .now }
        pending.set(table, key, value)
    }

    /// Changes the transaction, in a larger map where that is full.
    private func change(
        _ doing: String, _ body: (borrowing Writes) throws(LMDBFailure) -> Void
    ) throws(StoreError) {
        while try !fits(doing, body) { try grow() }
    }

    /// - Returns: false where the map is full. The transaction cannot be used any more then.
    private func fits(
        _ doing: String, _ body: (borrowing Writes) throws(LMDBFailure) -> Void
    ) throws(StoreError) -> Bool {
        try use(doing) { writes throws(LMDBFailure) in
            do throws(LMDBFailure) {
                try body(writes)
                return true
            } catch {
                guard error.isMapFull else { throw error }
                return false
            }
        }
    }

    private func use<Result>(
        _ doing: String, _ body: (borrowing Writes) throws(LMDBFailure) -> Result
    ) throws(StoreError) -> Result {
        let result = look { writes in Swift.Result { () throws(LMDBFailure) in try body(writes) } }
        do throws(LMDBFailure) {
            if let result = try result?.get() { return result }
        } catch {
            throw StoreError(error, doing: doing, directory: directory)
        }
        throw reason
    }

    /// nil: the store is unusable.
    private func look<Result>(_ body: (borrowing Writes) -> Result) -> Result? {
        switch state {
        case .open(let database): body(database.writes)
        default: nil
        }
    }

    /// Why the store is unusable.
    private var reason: StoreError {
        switch state {
        case .unusable(let error): error
        default: StoreError(closed: directory)
        }
    }
}
