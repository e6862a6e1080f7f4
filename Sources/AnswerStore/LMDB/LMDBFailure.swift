import CLMDB

/// An error code of LMDB or, through it, of the operating system. Allocates nothing, so the hot path can throw it.
struct LMDBFailure: Error, Equatable {
    let code: Int32

    static let damagedRow = LMDBFailure(code: MDB_CORRUPTED)
    static let panic = LMDBFailure(code: MDB_PANIC)

    var isMapFull: Bool { code == MDB_MAP_FULL }

    /// The message of LMDB or the operating system.
    var text: String { String(cString: mdb_strerror(code)) }

    /// Whether the file is inconsistent, or may become so.
    var isDamage: Bool {
        switch code {
        case MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_PANIC, MDB_VERSION_MISMATCH, MDB_INVALID, MDB_INCOMPATIBLE,
            MDB_BAD_TXN, MDB_BAD_DBI, MDB_CURSOR_FULL, MDB_PAGE_FULL, MDB_NOTFOUND:
            true
        default: false
        }
    }
}

@inline(__always)
func check(_ code: Int32) throws(LMDBFailure) {
    if code != 0 { throw LMDBFailure(code: code) }
}
