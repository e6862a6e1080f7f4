/// Why a partition's store could not do what it was asked: a kind for programs, a sentence for people.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// No space is left (file system, quota or file size limit), or the disk takes no writes. The store is as it was
        /// before the call; but one that was being loaded answers no more.
        case diskFull
        /// What is stored contradicts itself. The store answers no more; the next opening rebuilds it.
        case damaged
        /// The map was full in the middle of a transaction. It has grown, and the store is as of its last commit (`positions`):
        /// the records since then have to be applied again.
        case undone
        /// This partition's store is already open in this process.
        case alreadyOpen
        /// `close` was called before.
        case closed
        /// Anything else that the operating system or LMDB refused.
        case system
    }

    package let kind: Kind
    package let description: String

    package init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }
}

extension StoreError {
    /// - Parameter operation: the beginning of a sentence: "writing to" the store.
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

    init(_ failure: SystemFailure, doing operation: String, directory: String) {
        self.init(LMDBFailure(code: failure.code), doing: operation, directory: directory)
    }
}

/// Why a state directory cannot be used: a kind for programs, a sentence for people that names the path.
package struct StateDirectoryError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Another worker holds the lock. The number is its process id, where it could be read.
        case inUse(pid: Int32?)
        /// The path, or a part of it, is something else than a directory.
        case notADirectory
        /// There is nothing at the path (only when looking, which creates nothing).
        case missing
        /// Permissions or a read-only file system forbid what is needed.
        case notPermitted
        /// No space is left.
        case diskFull
        /// Anything else that the operating system refused.
        case system
    }

    package let kind: Kind
    package let description: String

    package init(kind: Kind, description: String) {
        self.kind = kind
        self.description = description
    }
}
