import CLMDB
import Records

/// What LMDB or, through it, the operating system refused. Allocates nothing, so the hot path can throw it.
struct LMDBFailure: Error, Equatable {
    let code: Int32

    static let damagedRow = LMDBFailure(code: MDB_CORRUPTED)

    var isMapFull: Bool { code == MDB_MAP_FULL }

    /// In LMDB's or the operating system's own words.
    var text: String { String(cString: mdb_strerror(code)) }

    /// True when what is in the file contradicts itself, or may do so from now on.
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

extension UnsafeRawBufferPointer {
    @inline(__always)
    init(_ value: MDB_val) { self.init(start: value.mv_data, count: value.mv_size) }
}

extension MDB_val {
    /// LMDB does not write through it.
    @inline(__always)
    init(_ bytes: Bytes) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

/// A transaction with the cursors that lookups use: the state of the store at one moment.
struct StoreView {
    /// LMDB's, which is the operating system's; only estimates are made with it.
    static let pageSize = 4096

    let transaction: OpaquePointer
    let answers: OpaquePointer
    let tallies: OpaquePointer

    /// The cursors of a write transaction end with it; those of a read transaction are closed by whoever ends it.
    init(_ transaction: OpaquePointer, answers: MDB_dbi, tallies: MDB_dbi) throws(LMDBFailure) {
        self.transaction = transaction
        self.answers = try LMDBEnvironment.openCursor(transaction, answers)
        do {
            self.tallies = try LMDBEnvironment.openCursor(transaction, tallies)
        } catch {
            mdb_cursor_close(self.answers)
            throw error
        }
    }

    func rows(of table: MDB_dbi) -> Int {
        var statistics = MDB_stat()
        return mdb_stat(transaction, table, &statistics) == 0 ? statistics.ms_entries : 0
    }

    func pages(of table: MDB_dbi) -> Int {
        var statistics = MDB_stat()
        guard mdb_stat(transaction, table, &statistics) == 0 else { return 0 }
        return statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
    }
}

/// The handles of one open LMDB environment. A plain value, so the hot path passes it around without counting
/// references; `AnswerStore` alone opens and closes it.
///
/// MDB_NOLOCK: the state directory's lock keeps other processes from writing, the owner's one thread reads and writes
/// in turn, and readers of other processes (`StateDirectory.find`) watch the transaction numbers instead of asking
/// for locks. So no lock file is there to be damaged or to be left behind.
/// MDB_NOSYNC: see `StoreSeal`. MDB_NOTLS: lets the read transaction be kept while it is reset.
struct LMDBEnvironment {
    let environment: OpaquePointer
    let answers: MDB_dbi
    let tallies: MDB_dbi
    let voters: MDB_dbi
    let meta: MDB_dbi
    /// The tree of the tables' names.
    let main: MDB_dbi
    /// The read transaction, which sees the last commit. Kept for ever; reset except while somebody looks up, so that pages
    /// of the past are not kept from reuse.
    let committed: StoreView

    /// Opens the directory's data file, made anew if there is none, with its tables. The file has been verified.
    /// - Parameter isScratch: writes go right into the map (MDB_WRITEMAP), which saves copying every page to the file; a stray
    ///   write of the process could reach the file so, which is why only a store that ends with the process is opened like this.
    static func open(directory: String, mapSize: Int, isScratch: Bool) throws(LMDBFailure) -> LMDBEnvironment {
        var created: OpaquePointer?
        try check(mdb_env_create(&created))
        guard let environment = created else { throw LMDBFailure(code: MDB_PANIC) }
        do {
            try check(mdb_env_set_maxdbs(environment, 8))
            try check(mdb_env_set_mapsize(environment, mapSize))
            let flags = UInt32(MDB_NOSYNC | MDB_NOTLS | MDB_NOLOCK | (isScratch ? MDB_WRITEMAP : 0))
            try check(mdb_env_open(environment, directory, flags, 0o600))
            if isScratch { try allocateMap(environment) }
            return try LMDBEnvironment(environment)
        } catch {
            // Also frees the transactions' memory and the table handles.
            mdb_env_close(environment)
            throw error
        }
    }

    private init(_ environment: OpaquePointer) throws(LMDBFailure) {
        self.environment = environment
        let writing = try Self.begin(environment, flags: 0)
        var handles: [MDB_dbi] = []
        var main: MDB_dbi = 0
        do {
            try check(mdb_dbi_open(writing, nil, 0, &main))
            for name in StoreLayout.tables {
                var handle: MDB_dbi = 0
                try check(mdb_dbi_open(writing, name, UInt32(MDB_CREATE), &handle))
                handles.append(handle)
            }
        } catch {
            mdb_txn_abort(writing)
            throw error
        }
        // Nothing is written when the tables were all there. The handles stay valid after the commit.
        try check(mdb_txn_commit(writing))
        (answers, meta, tallies, voters) = (handles[0], handles[1], handles[2], handles[3])
        self.main = main
        let reading = try Self.begin(environment, flags: UInt32(MDB_RDONLY))
        do {
            committed = try StoreView(reading, answers: answers, tallies: tallies)
        } catch {
            mdb_txn_abort(reading)
            throw error
        }
        mdb_txn_reset(reading)
    }

    /// Has the file system set aside all of the map: a write into a part of it that has no place on a full disk would end
    /// the process (SIGBUS).
    static func allocateMap(_ environment: OpaquePointer) throws(LMDBFailure) {
        var descriptor: mdb_filehandle_t = -1
        try check(mdb_env_get_fd(environment, &descriptor))
        var info = MDB_envinfo()
        try check(mdb_env_info(environment, &info))
        if let failure = FileSystem.allocate(descriptor, length: info.me_mapsize) {
            throw LMDBFailure(code: failure.code)
        }
    }

    func close() {
        // A read transaction's cursors are not closed with it.
        mdb_cursor_close(committed.answers)
        mdb_cursor_close(committed.tallies)
        mdb_txn_abort(committed.transaction)
        mdb_env_close(environment)
    }

    func beginWriting() throws(LMDBFailure) -> OpaquePointer { try Self.begin(environment, flags: 0) }

    /// After it the read transaction sees the last commit; `mdb_txn_reset` ends it.
    func renewReading() throws(LMDBFailure) {
        try check(mdb_txn_renew(committed.transaction))
        try check(mdb_cursor_renew(committed.transaction, committed.answers))
        try check(mdb_cursor_renew(committed.transaction, committed.tallies))
    }

    var mapSize: Int {
        var info = MDB_envinfo()
        return mdb_env_info(environment, &info) == 0 ? info.me_mapsize : 0
    }

    /// Bytes up to the last page ever used.
    var usedBytes: Int {
        var info = MDB_envinfo()
        var statistics = MDB_stat()
        guard mdb_env_info(environment, &info) == 0, mdb_env_stat(environment, &statistics) == 0 else { return 0 }
        return (info.me_last_pgno + 1) * Int(statistics.ms_psize)
    }

    /// Bytes of the map that no commit has used yet.
    var freeBytes: Int {
        var info = MDB_envinfo()
        guard mdb_env_info(environment, &info) == 0 else { return 0 }
        return max(0, info.me_mapsize - (info.me_last_pgno + 1) * StoreView.pageSize)
    }

    static func openCursor(_ transaction: OpaquePointer, _ table: MDB_dbi) throws(LMDBFailure) -> OpaquePointer {
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, table, &cursor))
        guard let cursor else { throw LMDBFailure(code: MDB_PANIC) }
        return cursor
    }

    private static func begin(_ environment: OpaquePointer, flags: UInt32) throws(LMDBFailure) -> OpaquePointer {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, flags, &transaction))
        guard let transaction else { throw LMDBFailure(code: MDB_PANIC) }
        return transaction
    }
}
