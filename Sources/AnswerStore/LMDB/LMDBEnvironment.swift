import CLMDB
import Records

/// An open data file of LMDB and its map (MDB_env). Closed at the end of the value's life; its transactions end before.
///
/// One thread reads and writes in turn. MDB_NOSYNC: see `StoreSeal`. MDB_NOTLS: keeps a read transaction's slot while the
/// transaction is reset.
struct LMDBEnvironment: ~Copyable {
    let pointer: OpaquePointer
    /// Bytes of a page, as the file says: the size of the operating system's pages when the file was made.
    let pageSize: Int

    /// Opens the directory's data file; makes an empty one if there is none. The file has been verified.
    ///
    /// MDB_NOLOCK: the state directory's lock keeps other processes from writing, and readers of other processes
    /// (`StateDirectory.find`) watch the transaction numbers. So no lock file can be damaged or left behind.
    /// - Parameters:
    ///   - mapSize: in bytes; of address space, not of memory.
    ///   - isScratch: writes go right into the map (MDB_WRITEMAP), which saves copying every page to the file. A stray write
    ///     of the process could reach the file that way, so only a store that ends with the process is opened like this.
    init(directory: String, mapSize: Int, isScratch: Bool) throws(LMDBFailure) {
        var created: OpaquePointer?
        try check(mdb_env_create(&created))
        guard let created else { throw .panic }
        var statistics = MDB_stat()
        do throws(LMDBFailure) {
            try check(mdb_env_set_maxdbs(created, 8))
            try check(mdb_env_set_mapsize(created, mapSize))
            let flags = UInt32(MDB_NOSYNC | MDB_NOTLS | MDB_NOLOCK | (isScratch ? MDB_WRITEMAP : 0))
            try check(mdb_env_open(created, directory, flags, 0o600))
            try check(mdb_env_stat(created, &statistics))
            if isScratch { try Self.allocateMap(created) }
        } catch {
            mdb_env_close(created)
            throw error
        }
        pointer = created
        pageSize = Int(statistics.ms_psize)
    }

    deinit { mdb_env_close(pointer) }

    private var information: MDB_envinfo {
        var information = MDB_envinfo()
        _ = mdb_env_info(pointer, &information)
        return information
    }

    /// Bytes of the map.
    var mapSize: Int { information.me_mapsize }

    /// The last page that a commit has used.
    var lastPage: UInt64 { UInt64(information.me_last_pgno) }

    /// Bytes up to the last page ever used.
    var usedBytes: Int { (information.me_last_pgno + 1) * pageSize }

    /// Bytes of the map that no commit has used yet.
    var freeBytes: Int {
        let information = information
        return max(0, information.me_mapsize - (information.me_last_pgno + 1) * pageSize)
    }

    /// Maps the file anew, maybe at another address. No transaction is on. After a failure the environment can only be closed.
    /// - Parameter isScratch: as when it was opened.
    func setMapSize(_ size: Int, isScratch: Bool) throws(LMDBFailure) {
        try check(mdb_env_set_mapsize(pointer, size))
        if isScratch { try Self.allocateMap(pointer) }
    }

    /// Has the file system set aside all of the map: a write into a part of it that has no place on a full disk would end
    /// the process (SIGBUS).
    private static func allocateMap(_ pointer: OpaquePointer) throws(LMDBFailure) {
        var descriptor: mdb_filehandle_t = -1
        try check(mdb_env_get_fd(pointer, &descriptor))
        var information = MDB_envinfo()
        try check(mdb_env_info(pointer, &information))
        if let failure = FileSystem.allocate(descriptor, length: information.me_mapsize) {
            throw LMDBFailure(code: failure.code)
        }
    }

    /// Writes to the disk everything that was committed (fsync).
    func synchronize() throws(LMDBFailure) { try check(mdb_env_sync(pointer, 1)) }
}
