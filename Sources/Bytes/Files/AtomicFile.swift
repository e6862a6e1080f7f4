#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that keeps its old content until the new one is complete: it is written under a temporary name in the same
/// directory, and renamed at the end. Standard output, a pipe or a device is written to directly. Not Sendable.
package final class AtomicFile {
    /// Open for writing; -1 once the file has ended.
    package private(set) var descriptor: Int32
    /// The name while it is written; nil of a file that is written to directly, and once the file has ended.
    package private(set) var temporary: String?
    private let path: String

    /// - Parameters:
    ///   - path: "-" is standard output. A symbolic link stays a link: its target is replaced.
    ///   - mode: of a new file; an existing one keeps its own.
    ///   - temporary: makes the temporary name, in the directory of the path that it is given.
    package init(
        path: String, mode: mode_t = 0o666,
        temporary: (String) -> String = { "\($0).\(UInt32.random(in: 0 ... .max)).partial" }
    ) throws(SystemFailure) {
        var information = stat()
        let target = path == "-" ? path : Self.target(of: path)
        let exists = path != "-" && stat(target, &information) == 0
        self.path = target
        if path == "-" {
            descriptor = dup(1)
        } else if exists, information.st_mode & S_IFMT != S_IFREG {
            descriptor = open(target, O_WRONLY | O_CLOEXEC)
        } else {
            let name = temporary(target)
            descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
            if descriptor >= 0 {
                self.temporary = name
                if exists { fchmod(descriptor, information.st_mode & 0o777) }
            }
        }
        guard descriptor >= 0 else { throw .last }
    }

    private static func target(of path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }

    /// Without an end no file is left.
    deinit {
        if descriptor >= 0 { close(descriptor) }
        if let temporary { unlink(temporary) }
    }

    /// Closes the file.
    /// - Parameter named: gives it its name; otherwise it keeps the temporary one.
    package func finish(named: Bool = true) throws(SystemFailure) {
        // Some file systems report a full disk only here.
        let isClosed = close(descriptor) == 0
        descriptor = -1
        guard isClosed else { throw .last }
        if named, let temporary, rename(temporary, path) != 0 { throw .last }
        temporary = nil
    }

    /// Leaves the file as it is, under its temporary name.
    package func abandon() { temporary = nil }
}
