import CLMDB
import Records

/// A place in a table (MDB_cursor). Rows that it gives are on LMDB's pages: valid until the transaction writes or ends.
///
/// LMDB frees a write transaction's cursors with the transaction, after which they must not be used; a read transaction's
/// are closed here, before or after it (lmdb.h, mdb_cursor_open).
struct LMDBCursor: ~Copyable {
    typealias Row = (key: Bytes, value: Bytes)

    private let pointer: OpaquePointer
    private let isReadOnly: Bool

    init(_ transaction: borrowing LMDBTransaction, _ table: LMDBTable) throws(LMDBFailure) {
        var opened: OpaquePointer?
        try check(mdb_cursor_open(transaction.pointer, table.handle, &opened))
        guard let opened else { throw .panic }
        pointer = opened
        isReadOnly = transaction.isReadOnly
    }

    deinit { if isReadOnly { mdb_cursor_close(pointer) } }

    /// Follows a read transaction that was renewed.
    func renew(_ transaction: borrowing LMDBTransaction) throws(LMDBFailure) {
        try check(mdb_cursor_renew(transaction.pointer, pointer))
    }

    /// The first row that is not before `key`.
    @inline(__always)
    func seek(_ key: Bytes) throws(LMDBFailure) -> Row? { try get(MDB_SET_RANGE, key) }

    /// The row behind the last one; after `delete`, the row behind the deleted one.
    @inline(__always)
    func next() throws(LMDBFailure) -> Row? { try get(MDB_NEXT, Bytes(start: nil, count: 0)) }

    @inline(__always)
    func row(of key: Bytes) throws(LMDBFailure) -> Bytes? { try get(MDB_SET, key)?.value }

    @inline(__always)
    private func get(_ operation: MDB_cursor_op, _ key: Bytes) throws(LMDBFailure) -> Row? {
        var key = MDB_val(key)
        var value = MDB_val()
        let code = mdb_cursor_get(pointer, &key, &value, operation)
        if code == MDB_NOTFOUND { return nil }
        try check(code)
        return (Bytes(key), Bytes(value))
    }

    /// Deletes the row that the cursor stands on.
    func delete() throws(LMDBFailure) { try check(mdb_cursor_del(pointer, 0)) }

    /// Deletes all rows whose keys begin with `prefix`.
    func deleteRows(beginningWith prefix: Bytes) throws(LMDBFailure) {
        var row = try seek(prefix)
        while let key = row?.key, key.starts(with: prefix) {
            try delete()
            row = try next()
        }
    }

    /// Overwrites the row that the cursor stands on.
    func replace(_ key: Bytes, _ value: Bytes) throws(LMDBFailure) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        try check(mdb_cursor_put(pointer, &key, &value, UInt32(MDB_CURRENT)))
    }

    /// Puts a row in place of the key's old one.
    /// - Parameter isAppended: the row may well belong behind all others, which saves the search (MDB_APPEND).
    func put(_ key: Bytes, _ value: Bytes, isAppended: Bool) throws(LMDBFailure) {
        var value = MDB_val(value)
        try check(put(key, &value, 0, isAppended))
    }

    /// Puts a row for the caller to fill.
    func reserve(
        _ key: Bytes, count: Int, isAppended: Bool
    ) throws(LMDBFailure) -> UnsafeMutableRawBufferPointer {
        var value = MDB_val(mv_size: count, mv_data: nil)
        try check(put(key, &value, MDB_RESERVE, isAppended))
        return UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }

    /// Puts a row unless the key has one.
    /// - Returns: the row that the key has, with the cursor on it; nil when the new one was put.
    func insert(_ key: Bytes, _ value: Bytes, isAppended: Bool) throws(LMDBFailure) -> Bytes? {
        var value = MDB_val(value)
        let code = put(key, &value, MDB_NOOVERWRITE, isAppended)
        if code == MDB_KEYEXIST { return Bytes(value) }
        try check(code)
        return nil
    }

    @inline(__always)
    private func put(_ key: Bytes, _ value: inout MDB_val, _ flags: Int32, _ isAppended: Bool) -> Int32 {
        var key = MDB_val(key)
        if isAppended {
            // Where the key is not behind all others, LMDB refuses and changes nothing.
            let code = mdb_cursor_put(pointer, &key, &value, UInt32(flags | MDB_APPEND))
            if code != MDB_KEYEXIST { return code }
        }
        return mdb_cursor_put(pointer, &key, &value, UInt32(flags))
    }
}
