import Bytes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A read-only state directory, whose stores can be copied into another one.
///
/// Holds the directory's lock (shared with other readers) for its lifetime, because a store cannot be copied while it
/// is written. Creates and changes nothing in the directory.
package final class StateDirectoryReader {
    /// As it was given.
    package let path: String
    /// nil: no worker has ever locked the directory.
    private let lockFile: Int32?

    /// - Throws: when the directory does not exist, or a worker uses it.
    package init(path: String) throws(StateDirectoryError) {
        self.path = path
        do throws(SystemFailure) {
            _ = try FileSystem.names(in: path)
        } catch {
            throw StateDirectory.error(error, path: path)
        }
        let descriptor = open(path + "/lock", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let failure = SystemFailure.last
            guard failure.code == ENOENT else { throw StateDirectory.error(failure, path: path) }
            lockFile = nil
            return
        }
        guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else {
            close(descriptor)
            throw StateDirectoryError(
                kind: .inUse(pid: nil),
                description:
                    "the state directory '\(path)' is in use by a worker, so it cannot be copied; stop the worker, "
                    + "or give a copy that was made while it was stopped")
        }
        lockFile = descriptor
    }

    deinit {
        if let lockFile { close(lockFile) }
    }

    /// The partitions that have a store, in order.
    package func partitions() throws(StateDirectoryError) -> [Int32] {
        do throws(SystemFailure) {
            return try StateDirectory.partitionsWithStores(in: path)
        } catch {
            throw StateDirectory.error(error, path: path)
        }
    }

    /// Reads a partition's whole store and checks every page and row, however it was closed.
    /// - Throws: the kind `damaged`, with the place of the damage.
    package func verify(_ partition: Int32) throws(StoreError) {
        let directory = StateDirectory.partitionDirectory(partition, of: path)
        do throws(StoreDamage) {
            let meta =
                switch try StoreSeal.read(in: directory) {
                case .open: try StoreInspection.verify(directory: directory)
                case .closed(let size, let stamp, let transactionID):
                    try StoreInspection.verify(
                        directory: directory, sealedSize: size, stamp: stamp, transactionID: transactionID,
                        isWhole: true)
                }
            guard meta.source.partition == partition else {
                throw StoreDamage("it holds partition \(meta.source.partition)")
            }
        } catch {
            throw StoreError(
                kind: .damaged,
                description: "the store of partition \(partition) in '\(path)' cannot be used: \(error.reason); "
                    + "remove '\(directory)': the worker fills it anew from the topics")
        }
    }

    /// Copies a partition's store into another state directory, in which it must not have been opened, and opens the
    /// copy as `openScratchStore` does, with any cluster and topics as its source.
    /// - Throws: when the store cannot be read or is damaged: unlike a worker, the caller cannot refill it.
    package func copyStore(of partition: Int32, into directory: StateDirectory) throws(StoreError) -> AnswerStore {
        let origin = StateDirectory.partitionDirectory(partition, of: path)
        let copy = StateDirectory.partitionDirectory(partition, of: directory.path)
        do throws(SystemFailure) {
            try FileSystem.makeDirectories(copy)
            for name in [StoreSeal.fileName, StoreInspection.dataFileName] {
                try FileSystem.copy(origin + "/" + name, to: copy + "/" + name)
            }
        } catch {
            throw StoreError(
                kind: error.isNoSpace ? .diskFull : .system,
                description:
                    "the store of partition \(partition) in '\(path)' cannot be copied to '\(copy)': \(error.text); "
                    + "check the disk and the permissions")
        }
        let source: StoreSource
        do throws(StoreDamage) {
            source = try StoreInspection.meta(in: copy).source
        } catch {
            throw unusable(partition, error.reason)
        }
        let opened = try directory.openScratchStore(partition: partition, source: source)
        if case .rebuilt(let reason) = opened.opening { throw unusable(partition, reason) }
        return opened.store
    }

    private func unusable(_ partition: Int32, _ reason: String) -> StoreError {
        StoreError(
            kind: .damaged,
            description: "the store of partition \(partition) in '\(path)' cannot be used: \(reason); "
                + "give a state directory that a worker has closed")
    }
}
