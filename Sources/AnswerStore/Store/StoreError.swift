/// Why a partition's store could not do what it was asked: a kind for programs, a sentence for people.
package struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// No space is left (file system, quota or file size limit), or the disk takes no writes. The store is as it was
        /// before the call; but one that was being loaded answers no more.
        case diskFull
        /// What is stored contradicts itself. The store answers no more; the next opening rebuilds it.
        case damaged
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
