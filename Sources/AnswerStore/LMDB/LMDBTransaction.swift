import Bytes
import CLMDB

/// A named tree of an environment (MDB_dbi). Valid while the environment is open.
struct LMDBTable {
    let handle: MDB_dbi
}

/// A transaction (MDB_txn). Aborted at the end of the value's life unless committed.
struct LMDBTransaction: ~Copyable {
    let pointer: OpaquePointer
    let isReadOnly: Bool

    /// A read transaction sees the last commit; LMDB has one write transaction at a time.
    init(_ environment: borrowing LMDBEnvironment, isReadOnly: Bool) throws(LMDBFailure) {
        var begun: OpaquePointer?
        try check(mdb_txn_begin(environment.pointer, nil, isReadOnly ? UInt32(MDB_RDONLY) : 0, &begun))
        guard let begun else { throw .panic }
        pointer = begun
        self.isReadOnly = isReadOnly
    }

    deinit { mdb_txn_abort(pointer) }

    /// Ends the transaction, whether or not the commit succeeds; a write transaction's cursors end with it.
    consuming func commit() throws(LMDBFailure) {
        let pointer = pointer
        discard self
        try check(mdb_txn_commit(pointer))
    }

    /// Releases a read transaction's snapshot; `renew` takes a new one.
    func reset() { mdb_txn_reset(pointer) }

    /// Moves a reset read transaction to the last commit. Its cursors must be renewed too.
    func renew() throws(LMDBFailure) { try check(mdb_txn_renew(pointer)) }

    var id: UInt64 { UInt64(mdb_txn_id(pointer)) }

    /// - Parameters:
    ///   - name: nil is the tree of all trees' names.
    ///   - isMade: whether to create a missing tree.
    func table(_ name: String?, isMade: Bool) throws(LMDBFailure) -> LMDBTable {
        var handle: MDB_dbi = 0
        try check(mdb_dbi_open(pointer, name, isMade ? UInt32(MDB_CREATE) : 0, &handle))
        return LMDBTable(handle: handle)
    }

    /// A key's row, on LMDB's page.
    func row(of key: Bytes, in table: LMDBTable) throws(LMDBFailure) -> Bytes? {
        var key = MDB_val(key)
        var value = MDB_val()
        let code = mdb_get(pointer, table.handle, &key, &value)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        return Bytes(value)
    }

    func put(_ value: Bytes, at key: Bytes, in table: LMDBTable) throws(LMDBFailure) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        try check(mdb_put(pointer, table.handle, &key, &value, 0))
    }

    /// Deletes a key's row, if it has one.
    func delete(_ key: Bytes, in table: LMDBTable) throws(LMDBFailure) {
        var key = MDB_val(key)
        let code = mdb_del(pointer, table.handle, &key, nil)
        if code != MDB_NOTFOUND { try check(code) }
    }

    /// Deletes all rows of a table.
    func empty(_ table: LMDBTable) throws(LMDBFailure) { try check(mdb_drop(pointer, table.handle, 0)) }

    private func statistics(of table: LMDBTable) -> MDB_stat {
        var statistics = MDB_stat()
        _ = mdb_stat(pointer, table.handle, &statistics)
        return statistics
    }

    func rows(of table: LMDBTable) -> Int { statistics(of: table).ms_entries }

    func pages(of table: LMDBTable) -> Int {
        let statistics = statistics(of: table)
        return statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    init(_ value: MDB_val) { self.init(start: value.mv_data, count: value.mv_size) }
}

extension MDB_val {
    /// LMDB does not write through the pointer.
    @inline(__always)
    init(_ bytes: Bytes) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}
