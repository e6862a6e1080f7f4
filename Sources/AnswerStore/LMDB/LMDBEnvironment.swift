import CLMDB

/// An open LMDB data file and its map (MDB_env). Closed at the end of the value's life; its transactions must end
/// before that.
///
/// One thread does all reads and writes. MDB_NOTLS: ties read transactions to their objects rather than to threads.
struct LMDBEnvironment: ~Copyable {
    /// How commits reach the disk.
    enum Writes {
        /// A commit returns once it is on the disk.
        case synchronized
        /// The operating system writes commits in its own time (MDB_NOSYNC): see `StoreSeal`.
        case unsynchronized
        /// Writes go directly into the map (MDB_WRITEMAP), which saves copying each page to the file. A stray write of
        /// the process could reach the file that way, so only stores that end with the process use it.
        case scratch
    }

    let pointer: OpaquePointer
    private let isScratch: Bool
    /// The page size in bytes, as stored in the file: the operating system's page size when the file was made.
    let pageSize: Int

    /// Opens the directory's data file, or creates an empty one. An existing file has been verified by the caller.
    ///
    /// MDB_NOLOCK: the state directory's lock keeps other writers out, and readers in other processes
    /// (`StateDirectory.find`) watch the transaction numbers. So no lock file can be damaged or left behind.
    /// - Parameter mapSize: in bytes of address space, not of memory.
    init(directory: String, mapSize: Int, writes: Writes) throws(LMDBFailure) {
        let flags: Int32 =
            switch writes {
            case .synchronized: 0
            case .unsynchronized: MDB_NOSYNC
            case .scratch: MDB_NOSYNC | MDB_WRITEMAP
            }
        isScratch = writes == .scratch
        (pointer, pageSize) = try Self.open(directory, flags: flags, mapSize: mapSize, isScratch: isScratch)
    }

    /// Opens a data file read-only. No process may write to it meanwhile.
    init(reading directory: String) throws(LMDBFailure) {
        isScratch = false
        (pointer, pageSize) = try Self.open(directory, flags: MDB_RDONLY, mapSize: nil, isScratch: false)
    }

    /// - Parameter mapSize: nil: the size of the file.
    private static func open(
        _ directory: String, flags: Int32, mapSize: Int?, isScratch: Bool
    ) throws(LMDBFailure) -> (OpaquePointer, pageSize: Int) {
        var created: OpaquePointer?
        try check(mdb_env_create(&created))
        guard let created else { throw .panic }
        var statistics = MDB_stat()
        do throws(LMDBFailure) {
            try check(mdb_env_set_maxdbs(created, 8))
            if let mapSize { try check(mdb_env_set_mapsize(created, mapSize)) }
            try check(mdb_env_open(created, directory, UInt32(flags | MDB_NOTLS | MDB_NOLOCK), 0o600))
            try check(mdb_env_stat(created, &statistics))
            if isScratch { try allocateMap(created) }
        } catch {
            mdb_env_close(created)
            throw error
        }
        return (created, Int(statistics.ms_psize))
    }

    deinit { mdb_env_close(pointer) }

    private var information: MDB_envinfo {
        var information = MDB_envinfo()
        _ = mdb_env_info(pointer, &information)
        return information
    }

    /// The size of the map in bytes.
    var mapSize: Int { information.me_mapsize }

    /// The last page used by a commit.
    var lastPage: UInt64 { UInt64(information.me_last_pgno) }

    /// The number of the last committed transaction.
    var lastTransaction: UInt64 { UInt64(information.me_last_txnid) }

    /// Bytes up to the last page ever used.
    var usedBytes: Int { (information.me_last_pgno + 1) * pageSize }

    /// Bytes of the map not used by any commit yet.
    var freeBytes: Int {
        let information = information
        return max(0, information.me_mapsize - (information.me_last_pgno + 1) * pageSize)
    }

    /// Remaps the file, possibly at another address. No transaction may be open. After a failure the environment can
    /// only be closed.
    func setMapSize(_ size: Int) throws(LMDBFailure) {
        try check(mdb_env_set_mapsize(pointer, size))
        if isScratch { try Self.allocateMap(pointer) }
    }

    /// Allocates disk space for the whole map: on a full disk, writing to a mapped page without space would kill the
    /// process (SIGBUS).
    private static func allocateMap(_ pointer: OpaquePointer) throws(LMDBFailure) {
        var descriptor: mdb_filehandle_t = -1
        try check(mdb_env_get_fd(pointer, &descriptor))
        var information = MDB_envinfo()
        try check(mdb_env_info(pointer, &information))
        if let failure = FileSystem.allocate(descriptor, length: information.me_mapsize) {
            throw LMDBFailure(code: failure.code)
        }
    }

    /// Flushes all commits to the disk (fsync).
    func synchronize() throws(LMDBFailure) { try check(mdb_env_sync(pointer, 1)) }
}
