import Bytes
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A worker's state directory: an exclusive lock, the worker's identity, and a store per partition.
///
///     <path>/lock                       locked (flock) while a worker uses the directory; holds its process id
///     <path>/identity                   12 hexadecimal characters
///     <path>/partitions/<n>/data.mdb    partition n's store (LMDB)
///     <path>/partitions/<n>/seal        whether the store was closed properly (`StoreSeal`)
///     <path>/committed/<n>              partition n's offsets as the group last committed them (`CommittedMark`)
///
/// Shared by the worker's lanes: all calls are safe from any thread.
package final class StateDirectory: Sendable {
    /// The path as given.
    package let path: String

    /// The worker's name for as long as its state directory lives: 12 hexadecimal characters, chosen at random.
    package let identity: String

    /// The initial size of a store's map, in bytes.
    private let mapSize: Int
    /// The longest time that a store's change waits for its commit.
    private let longestWait: Duration

    /// The lock file's descriptor; nil once unlocked.
    private let lockFile: Mutex<Int32?>
    /// The partitions with an open store: LMDB must not have a file open twice in one process.
    private let openPartitions = Mutex<Set<Int32>>([])

    /// Creates the directory if needed, accessible to this user only, and takes its lock, which the operating system
    /// releases when the process dies.
    package convenience init(path: String) throws(StateDirectoryError) {
        try self.init(path: path, mapSize: Self.initialMapSize)
    }

    /// - Parameters:
    ///   - mapSize: the initial size of a store's map, in bytes; tests use a small one to see it fill.
    ///   - longestWait: of a change for its commit; tests use a long one to keep a transaction open.
    package init(
        path: String, mapSize: Int, longestWait: Duration = .milliseconds(250)
    ) throws(StateDirectoryError) {
        self.path = path
        self.mapSize = mapSize
        self.longestWait = longestWait
        guard !path.isEmpty else {
            throw StateDirectoryError(
                kind: .missing,
                description: "the state directory's path is empty; give one (store.directory, --state-dir)")
        }
        do {
            try FileSystem.makeDirectories(path + "/partitions")
        } catch {
            throw Self.error(error, path: path)
        }
        let descriptor = try Self.lock(path)
        do {
            identity = try Self.identity(in: path)
        } catch {
            Self.closeFile(descriptor)
            throw Self.error(error, path: path)
        }
        lockFile = Mutex(descriptor)
    }

    deinit { unlock() }

    /// Releases the lock for other processes. Close the stores first. Idempotent.
    package func unlock() {
        lockFile.withLock { descriptor in
            if let descriptor { Self.closeFile(descriptor) }
            descriptor = nil
        }
    }

    /// Opens a partition's store after verifying that its content is whole and came from `source`. A store that cannot
    /// be trusted is deleted and replaced by an empty one; `opening` says why. A damaged store is never an error.
    ///
    /// Reads a few pages of a store that was closed properly and not touched since, and otherwise the whole store. The
    /// store must be used on one thread.
    package func openStore(partition: Int32, source: StoreSource) throws(StoreError) -> OpenedStore {
        try openStore(partition: partition, source: source, pendingBytes: Self.pendingBytes)
    }

    /// Opens a partition's store that no later process needs: faster to write, and never sealed. Otherwise as
    /// `openStore(partition:source:)`.
    package func openScratchStore(partition: Int32, source: StoreSource) throws(StoreError) -> OpenedStore {
        try openStore(partition: partition, source: source, mapSize: Self.scratchMapSize, isScratch: true)
    }

    /// - Parameters:
    ///   - mapSize: the initial size of LMDB's map, in bytes: of a store that has grown, or small in tests. nil: as the
    ///     directory's other stores.
    ///   - pendingBytes: tests use a small number to see the behavior with little memory.
    package func openStore(
        partition: Int32, source: StoreSource, mapSize: Int? = nil, pendingBytes: Int = StateDirectory.pendingBytes,
        isScratch: Bool = false
    ) throws(StoreError) -> OpenedStore {
        guard lockFile.withLock({ $0 != nil }) else {
            throw StoreError(kind: .closed, description: "the state directory '\(path)' has been unlocked")
        }
        guard openPartitions.withLock({ $0.insert(partition).inserted }) else {
            throw StoreError(
                kind: .alreadyOpen,
                description: "the store of partition \(partition) in '\(path)' is already open in this process; "
                    + "close it first")
        }
        let opener = StoreOpener(
            directory: Self.partitionDirectory(partition, of: path), source: source,
            mapSize: mapSize ?? self.mapSize,
            isScratch: isScratch,
            longestWait: longestWait,
            pendingLimit: { [self] in
                let share = pendingBytes / openPartitions.withLock { max(1, $0.count) }
                return max(share, min(Self.leastPendingBytes, pendingBytes))
            },
            // The closures keep the directory, and so its lock, alive while the store is open.
            onClose: { [self] in _ = openPartitions.withLock { $0.remove(partition) } })
        do {
            return try opener.open()
        } catch {
            _ = openPartitions.withLock { $0.remove(partition) }
            throw error
        }
    }

    /// Address space, not memory; a smaller map only has to grow sometimes.
    static let initialMapSize = 4 << 30
    /// Memory for uncommitted changes over all open stores, as long as there are at most 128.
    package static let pendingBytes = 32 << 20
    /// The least share of `pendingBytes` for one store. LMDB keeps the memory that it ever took for changes.
    static let leastPendingBytes = 256 << 10
    /// The initial map of a scratch store: disk space, all of it allocated at the opening.
    static let scratchMapSize = 4 << 20

    static func partitionDirectory(_ partition: Int32, of path: String) -> String {
        "\(path)/partitions/\(partition)"
    }
}

extension StateDirectory {
    private static func lock(_ path: String) throws(StateDirectoryError) -> Int32 {
        let file = path + "/lock"
        while true {
            let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
            guard descriptor >= 0 else { throw error(.last, path: path) }
            do throws(SystemFailure) {
                try retryOnInterrupt { flock(descriptor, LOCK_EX | LOCK_NB) }
            } catch let failure {
                let holder = (try? FileSystem.read(descriptor, limit: 32)).flatMap { bytes in
                    Int32(String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self))
                }
                close(descriptor)
                guard failure.code == EWOULDBLOCK else { throw error(failure, path: path) }
                throw StateDirectoryError(
                    kind: .inUse(pid: holder),
                    description: "the state directory '\(path)' is in use by another worker"
                        + (holder.map { " (process \($0))" } ?? "")
                        + "; stop it, or give this one a directory of its own (store.directory, --state-dir)")
            }
            // If the file was deleted in between, the lock protects nothing: start over.
            var (held, named) = (stat(), stat())
            guard fstat(descriptor, &held) == 0, stat(file, &named) == 0, held.st_ino == named.st_ino,
                held.st_dev == named.st_dev
            else {
                close(descriptor)
                do {
                    try FileSystem.makeDirectories(path + "/partitions")
                } catch {
                    throw self.error(error, path: path)
                }
                continue
            }
            let pid = Array("\(getpid())\n".utf8)
            // Used only in another worker's error message: failing is harmless.
            if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, pid, pid.count, 0) }
            return descriptor
        }
    }

    private static func identity(in path: String) throws(SystemFailure) -> String {
        let file = path + "/identity"
        if let bytes = try? FileSystem.read(file, limit: 64) {
            let text = String(decoding: bytes, as: UTF8.self)
            if text.utf8.count == 13, text.hasSuffix("\n"),
                text.utf8.dropLast().allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            {
                return String(text.dropLast())
            }
        }
        let digits = String(UInt64.random(in: 0..<1 << 48), radix: 16)
        let identity = String(repeating: "0", count: 12 - digits.utf8.count) + digits
        // The path may hold a directory or something else that is no file.
        if try FileSystem.entry(at: file) != .file { try FileSystem.remove(file) }
        try FileSystem.replace(file, with: Array("\(identity)\n".utf8))
        return identity
    }

    private static func closeFile(_ descriptor: Int32) { close(descriptor) }

    static func error(_ failure: SystemFailure, path: String) -> StateDirectoryError {
        let (kind, advice): (StateDirectoryError.Kind, String) =
            switch failure {
            case _ where failure.code == ENOTDIR || failure.code == EEXIST || failure.code == EISDIR:
                (.notADirectory, "give the path of a directory, or one that does not exist yet")
            case _ where failure.code == ENOENT: (.missing, "check the path")
            case _ where failure.isNotPermitted:
                (.notPermitted, "give this user the right to write there, or another path")
            case _ where failure.isNoSpace: (.diskFull, "make room there, or give another path")
            default: (.system, "check the disk, or give another path")
            }
        return StateDirectoryError(
            kind: kind,
            description: "the state directory '\(path)' cannot be used: \(failure.text); \(advice) "
                + "(store.directory, --state-dir)")
    }
}
