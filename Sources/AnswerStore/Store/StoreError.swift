import Bytes

/// Why an operation on a partition's store failed: a kind for programs, a sentence for people.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The failure's kind, by which the lane decides how it goes on.
    package enum Kind: Sendable, Equatable {
        /// No space is left (file system, quota or file size limit), or the disk takes no writes. The store is as
        /// before the call, except that a loading store fails for good.
        case diskFull
        /// The stored data is inconsistent. The store fails for good; the next opening rebuilds it.
        case damaged
        /// The map filled up in the middle of a transaction. It has grown, and the store is back at its last commit
        /// (`positions`), except that a loading store fails for good: the records since then must be applied again.
        case undone
        /// This partition's store is already open in this process.
        case alreadyOpen
        /// The store was closed, or its state directory was unlocked.
        case closed
        /// Any other failure of the operating system or LMDB.
        case system
    }

    /// The failure's kind.
    package let kind: Kind
    /// With the store's path and the remedy.
    package let description: String

    /// - Parameter description: a sentence for people, with the remedy.
    package init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }
}

extension StoreError {
    /// - Parameter operation: the beginning of the sentence, such as "writing to".
    init(_ failure: LMDBFailure, doing operation: String, directory: String) {
        let system = SystemFailure(code: failure.code)
        if system.isNoSpace || system.isIO {
            // A write that a full disk cuts short is an EIO to LMDB (mdb_page_flush).
            self.init(
                kind: .diskFull,
                description: "\(operation) the store in '\(directory)' failed: "
                    + (system.isIO ? "no space is left there, or the disk fails" : "no space is left there")
                    + " (\(failure.text)); nothing was changed; "
                    + "make room or move the state directory (store.directory, --state-dir)")
        } else if failure.isDamage {
            self.init(
                kind: .damaged,
                description: "\(operation) the store in '\(directory)' failed: it is damaged (\(failure.text)); "
                    + "it is rebuilt from the topics when the worker is started again")
        } else {
            self.init(
                kind: .system,
                description: "\(operation) the store in '\(directory)' failed: \(failure.text); "
                    + "check the disk and the permissions, then start the worker again")
        }
    }

    /// - Parameters:
    ///   - directory: of the store whose map could not grow.
    ///   - size: in bytes.
    init(_ failure: LMDBFailure, growing directory: String, to size: Int) {
        guard !SystemFailure(code: failure.code).isNoSpace else {
            self.init(failure, doing: "growing", directory: directory)
            return
        }
        self.init(
            kind: .system,
            description: "the store in '\(directory)' has to grow, and mapping \(size) bytes failed (\(failure.text)); "
                + "allow the process more address space (ulimit -v)")
    }

    init(closed directory: String) {
        self.init(kind: .closed, description: "the store in '\(directory)' has been closed")
    }

    init(_ failure: SystemFailure, doing operation: String, directory: String) {
        self.init(LMDBFailure(code: failure.code), doing: operation, directory: directory)
    }
}

/// Why a state directory is unusable: a kind for programs, a sentence for people that names the path.
package struct StateDirectoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The failure's kind, by which a command chooses its exit status.
    package enum Kind: Sendable, Equatable {
        /// Another worker holds the lock; its process id, if it could be read.
        case inUse(pid: Int32?)
        /// The path, or a part of it, is not a directory.
        case notADirectory
        /// The path does not exist (only for read-only access, which creates nothing).
        case missing
        /// Permissions or a read-only file system prevent access.
        case notPermitted
        /// No space is left.
        case diskFull
        /// Any other failure of the operating system.
        case system
    }

    /// The failure's kind.
    package let kind: Kind
    /// With the directory's path and the remedy.
    package let description: String

    /// - Parameter description: a sentence for people, with the path and the remedy.
    package init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }
}
