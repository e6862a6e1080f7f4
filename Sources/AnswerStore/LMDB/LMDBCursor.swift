import Bytes
import CLMDB

/// A cursor in a table (MDB_cursor). The rows that it returns lie on LMDB's pages: valid until the transaction writes
/// or ends.
///
/// LMDB frees a write transaction's cursors with the transaction, after which they must not be used. A read
/// transaction's cursors are closed here, before or after the transaction ends (lmdb.h, mdb_cursor_open).
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

    /// Rebinds the cursor to its read transaction after that was renewed.
    func renew(_ transaction: borrowing LMDBTransaction) throws(LMDBFailure) {
        try check(mdb_cursor_renew(transaction.pointer, pointer))
    }

    /// The first row at or after `key`.
    @inline(__always)
    func seek(_ key: Bytes) throws(LMDBFailure) -> Row? { try get(MDB_SET_RANGE, key) }

    @inline(__always)
    func first() throws(LMDBFailure) -> Row? { try get(MDB_FIRST, Bytes(start: nil, count: 0)) }

    /// The row after the current one; after `delete`, the row after the deleted one.
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

    /// Deletes the current row.
    func delete() throws(LMDBFailure) { try check(mdb_cursor_del(pointer, 0)) }

    /// Deletes all rows whose keys begin with `prefix`.
    func deleteRows(beginningWith prefix: Bytes) throws(LMDBFailure) {
        var row = try seek(prefix)
        while let key = row?.key, key.starts(with: prefix) {
            try delete()
            row = try next()
        }
    }

    /// Overwrites the current row.
    func replace(_ key: Bytes, _ value: Bytes) throws(LMDBFailure) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        try check(mdb_cursor_put(pointer, &key, &value, UInt32(MDB_CURRENT)))
    }

    /// Puts a row, replacing the key's old one.
    /// - Parameter isAppended: the row probably comes after all others. Tries MDB_APPEND first, which saves the search.
    func put(_ key: Bytes, _ value: Bytes, isAppended: Bool) throws(LMDBFailure) {
        var value = MDB_val(value)
        try check(put(key, &value, 0, isAppended))
    }

    /// Puts a row and returns its memory for the caller to fill.
    func reserve(
        _ key: Bytes, count: Int, isAppended: Bool
    ) throws(LMDBFailure) -> UnsafeMutableRawBufferPointer {
        var value = MDB_val(mv_size: count, mv_data: nil)
        try check(put(key, &value, MDB_RESERVE, isAppended))
        return UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
    }

    /// Puts a row unless the key has one.
    /// - Returns: the key's existing row, with the cursor on it; nil when the new one was put.
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
            // LMDB refuses, and changes nothing, unless the key comes after all others.
            let code = mdb_cursor_put(pointer, &key, &value, UInt32(flags | MDB_APPEND))
            if code != MDB_KEYEXIST { return code }
        }
        return mdb_cursor_put(pointer, &key, &value, UInt32(flags))
    }
}
