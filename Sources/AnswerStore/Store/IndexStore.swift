import Bytes
import CLMDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A sorted key-value map in a file, with a position for each partition of its source topic.
///
/// Changes and positions share one transaction and are written with a sync (``commitIfDue()``), so that a crash of the
/// process or the machine returns the map to a state from which the topic can be followed. Used on one thread.
package final class IndexStore {
    private static let mapSizes = [1 << 38, 1 << 36, 1 << 34, 1 << 32, 1 << 30]
    private static let changesPerCommit = 50_000
    private static let commitInterval = Duration.seconds(1)

    private let directory: String
    private let environment: OpaquePointer
    private let entries: MDB_dbi
    private let meta: MDB_dbi
    private var transaction: OpaquePointer
    private var cursor: OpaquePointer
    private var changes = 0
    private var changed = ContinuousClock.now
    private var isOpen = true

    /// Opens a directory's store; creates it if there is none, and empties one with another source.
    /// - Parameter source: the store's source, such as cluster and topic.
    /// - Throws: `StoreError` when the directory cannot be used.
    package init(directory: String, source: String) throws(StoreError) {
        self.directory = directory
        do throws(SystemFailure) { try FileSystem.makeDirectories(directory) } catch {
            throw StoreError(error, doing: "opening", directory: directory)
        }
        do throws(LMDBFailure) {
            (environment, entries, meta, transaction, cursor) = try Self.open(directory)
        } catch {
            throw StoreError(error, doing: "opening", directory: directory)
        }
        let key = Array("source".utf8)
        guard try get(meta, key) != Array(source.utf8) else { return }
        do throws(LMDBFailure) {
            for table in [entries, meta] { try check(mdb_drop(transaction, table, 0)) }
        } catch {
            throw failure(error, "emptying")
        }
        try put(meta, key, Array(source.utf8))
        try commit()
    }

    deinit { close() }

    /// As ``init(directory:source:)``, but deletes a damaged store and starts over.
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
    package func close() {
        guard isOpen else { return }
        isOpen = false
        mdb_cursor_close(cursor)
        mdb_txn_abort(transaction)
        mdb_env_close(environment)
    }

    // MARK: - Entries

    /// A copy of a key's value, uncommitted changes included; nil: there is no entry.
    package func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? { try get(entries, key) }

    /// The same for a borrowed key.
    package func value(of key: Bytes) throws(StoreError) -> [UInt8]? { try get(entries, key) }

    /// Sets a key's value; nil removes the entry.
    package func set(_ key: [UInt8], _ value: [UInt8]?) throws(StoreError) {
        let code = key.withUnsafeBytes { key in
            value.map { $0.withUnsafeBytes { put(entries, key, $0) } } ?? remove(key)
        }
        guard code == 0 else { throw failure(LMDBFailure(code: code), "writing") }
        noteChange()
    }

    /// Sets a key's value; nil removes the entry.
    package func set(_ key: Bytes, _ value: Bytes?) throws(StoreError) {
        let code = value.map { put(entries, key, $0) } ?? remove(key)
        guard code == 0 else { throw failure(LMDBFailure(code: code), "writing") }
        noteChange()
    }

    /// Copies of all keys with the prefix, in bytewise order, uncommitted changes included.
    package func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        let failed = prefix.withUnsafeBytes { prefix in
            var key = MDB_val(prefix)
            var value = MDB_val()
            var code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
            while code == 0, Bytes(key).starts(with: prefix) {
                keys.append(Array(Bytes(key)))
                code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
            }
            return code
        }
        guard failed == 0 || failed == MDB_NOTFOUND else { throw failure(LMDBFailure(code: failed), "reading") }
        return keys
    }

    // MARK: - Positions

    /// The next offset of a partition to apply; 0 in a new store.
    package func position(ofPartition partition: Int32) throws(StoreError) -> Int64 {
        guard let bytes = try get(meta, Self.positionKey(partition)), bytes.count == 8 else { return 0 }
        return bytes.reduce(0) { $0 << 8 | Int64($1) }
    }

    /// Notes the next offset to apply, to be written with the next commit.
    package func setPosition(_ offset: Int64, ofPartition partition: Int32) throws(StoreError) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: offset >> Int64(56 - 8 * $0)) }
        try put(meta, Self.positionKey(partition), bytes)
        noteChange()
    }

    private static func positionKey(_ partition: Int32) -> [UInt8] { Array("position \(partition)".utf8) }

    /// The offset that a group was noted to have committed of a topic's partition; nil: none was.
    package func committed(_ topic: String, _ partition: Int32, group: String) throws(StoreError) -> Int64? {
        guard let bytes = try get(meta, Self.committedKey(topic, partition)), bytes.count >= 8,
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
        try put(meta, Self.committedKey(topic, partition), bytes + Array(group.utf8))
        noteChange()
    }

    private static func committedKey(_ topic: String, _ partition: Int32) -> [UInt8] {
        Array("committed \(topic) \(partition)".utf8)
    }

    /// Empties the store, positions included.
    package func removeAll() throws(StoreError) {
        guard let source = try get(meta, Array("source".utf8)) else { return }
        do throws(LMDBFailure) {
            for table in [entries, meta] { try check(mdb_drop(transaction, table, 0)) }
        } catch {
            throw failure(error, "emptying")
        }
        try put(meta, Array("source".utf8), source)
        try commit()
    }

    // MARK: - Commits

    /// Commits when many changes are pending, or when the oldest is a second old.
    package func commitIfDue() throws(StoreError) {
        guard changes > 0, changes >= Self.changesPerCommit || .now - changed >= Self.commitInterval else { return }
        try commit()
    }

    /// Makes all changes durable, and begins the next transaction.
    /// - Throws: when the disk takes no writes; the changes since the last commit are then lost.
    package func commit() throws(StoreError) {
        do throws(LMDBFailure) {
            mdb_cursor_close(cursor)
            // The transaction ends even if the commit fails.
            let code = mdb_txn_commit(transaction)
            (transaction, cursor) = try Self.begin(environment, entries)
            try check(code)
        } catch {
            throw failure(error, "writing")
        }
        changes = 0
    }

    private func noteChange() {
        if changes == 0 { changed = .now }
        changes += 1
    }

    // MARK: - LMDB

    private static func open(
        _ directory: String
    ) throws(LMDBFailure) -> (OpaquePointer, MDB_dbi, MDB_dbi, OpaquePointer, OpaquePointer) {
        var failure = LMDBFailure.panic
        // Address space, not memory. A limit (ulimit -v) may leave room only for less.
        for size in mapSizes {
            var created: OpaquePointer?
            try check(mdb_env_create(&created))
            guard let environment = created else { throw failure }
            do throws(LMDBFailure) {
                try check(mdb_env_set_maxdbs(environment, 2))
                try check(mdb_env_set_mapsize(environment, size))
                // The state directory's lock keeps other processes out.
                try check(mdb_env_open(environment, directory, UInt32(MDB_NOTLS | MDB_NOLOCK), 0o600))
                var opening: OpaquePointer?
                try check(mdb_txn_begin(environment, nil, 0, &opening))
                var tables: [MDB_dbi] = []
                for name in ["entries", "meta"] {
                    var table: MDB_dbi = 0
                    try check(mdb_dbi_open(opening, name, UInt32(MDB_CREATE), &table))
                    tables.append(table)
                }
                try check(mdb_txn_commit(opening))
                let (transaction, cursor) = try begin(environment, tables[0])
                return (environment, tables[0], tables[1], transaction, cursor)
            } catch {
                mdb_env_close(environment)
                failure = error
                guard error.code == ENOMEM else { throw error }
            }
        }
        throw failure
    }

    private static func begin(
        _ environment: OpaquePointer, _ entries: MDB_dbi
    ) throws(LMDBFailure) -> (OpaquePointer, OpaquePointer) {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        guard let transaction else { throw .panic }
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, entries, &cursor))
        guard let cursor else { throw .panic }
        return (transaction, cursor)
    }

    private func get(_ table: MDB_dbi, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        var value = MDB_val()
        let code = key.withUnsafeBytes { find(table, $0, &value) }
        return try copy(value, code)
    }

    private func get(_ table: MDB_dbi, _ key: Bytes) throws(StoreError) -> [UInt8]? {
        var value = MDB_val()
        let code = find(table, key, &value)
        return try copy(value, code)
    }

    private func find(_ table: MDB_dbi, _ key: Bytes, _ value: inout MDB_val) -> Int32 {
        var key = MDB_val(key)
        return mdb_get(transaction, table, &key, &value)
    }

    private func copy(_ value: MDB_val, _ code: Int32) throws(StoreError) -> [UInt8]? {
        if code == MDB_NOTFOUND { return nil }
        guard code == 0 else { throw failure(LMDBFailure(code: code), "reading") }
        return Array(Bytes(value))
    }

    private func put(_ table: MDB_dbi, _ key: [UInt8], _ value: [UInt8]) throws(StoreError) {
        let code = key.withUnsafeBytes { key in value.withUnsafeBytes { put(table, key, $0) } }
        guard code == 0 else { throw failure(LMDBFailure(code: code), "writing") }
    }

    private func put(_ table: MDB_dbi, _ key: Bytes, _ value: Bytes) -> Int32 {
        var key = MDB_val(key)
        var value = MDB_val(value)
        return mdb_put(transaction, table, &key, &value, 0)
    }

    private func remove(_ key: Bytes) -> Int32 {
        var key = MDB_val(key)
        let code = mdb_del(transaction, entries, &key, nil)
        return code == MDB_NOTFOUND ? 0 : code
    }

    private func failure(_ failure: LMDBFailure, _ doing: String) -> StoreError {
        guard failure.isMapFull else { return StoreError(failure, doing: doing, directory: directory) }
        return StoreError(
            kind: .system,
            description: "\(doing) the store in '\(directory)' failed: its map is full; allow the process more address "
                + "space (ulimit -v), then start the worker again")
    }
}
