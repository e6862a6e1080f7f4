#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file's identity and the time of its last change, attributes included (stat(2): st_ino, st_ctim). No program can
/// set that time back, so a file with the same stamp is unchanged.
struct FileStamp: Equatable {
    private let inode: UInt64
    private let seconds: Int64
    private let nanoseconds: Int64

    init(_ status: stat) {
        inode = UInt64(status.st_ino)
        #if canImport(Darwin)
            let change = status.st_ctimespec
        #else
            let change = status.st_ctim
        #endif
        seconds = Int64(change.tv_sec)
        nanoseconds = Int64(change.tv_nsec)
    }

    /// Parses the words of `description`.
    init?(_ words: some Collection<Substring>) {
        let numbers = words.compactMap { Int64($0) }
        guard words.count == 3, numbers.count == 3 else { return nil }
        (inode, seconds, nanoseconds) = (UInt64(bitPattern: numbers[0]), numbers[1], numbers[2])
    }
}

extension FileStamp: CustomStringConvertible {
    var description: String { "\(Int64(bitPattern: inode)) \(seconds) \(nanoseconds)" }
}
