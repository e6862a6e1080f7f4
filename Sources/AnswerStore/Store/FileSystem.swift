import Bytes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension SystemFailure {
    static let noMemory = SystemFailure(code: ENOMEM)

    var isIO: Bool { code == EIO }
    var isNoSpace: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
    var isNotPermitted: Bool { code == EACCES || code == EPERM || code == EROFS }
}

/// The file operations of the store, by POSIX calls.
enum FileSystem {
    enum Entry: Equatable { case missing, directory, file, other }

    /// The kind of entry at the path; follows a symbolic link.
    static func entry(at path: String) throws(SystemFailure) -> Entry {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return .missing }
            throw .last
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return .directory
        case S_IFREG: return .file
        default: return .other
        }
    }

    /// A file's size in bytes, and the stamp of its last change.
    static func size(of path: String) throws(SystemFailure) -> (size: UInt64, stamp: FileStamp) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .last }
        return (UInt64(max(0, status.st_size)), FileStamp(status))
    }

    /// Creates a directory and its missing parents, accessible to this user only; an existing directory is fine.
    static func makeDirectories(_ path: String) throws(SystemFailure) {
        if mkdir(path, 0o700) == 0 { return }
        let code = errno
        if code == EEXIST {
            guard try entry(at: path) == .directory else { throw SystemFailure(code: ENOTDIR) }
            return
        }
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SystemFailure(code: code)
        }
        try makeDirectories(String(path[..<slash]))
        // Another process may have created it in between.
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .last }
        guard try entry(at: path) == .directory else { throw SystemFailure(code: ENOTDIR) }
    }

    /// The names in a directory, without `.` and `..`, in arbitrary order.
    static func names(in path: String) throws(SystemFailure) -> [String] {
        guard let directory = opendir(path) else { throw .last }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Reads at most `limit` bytes from the beginning of a regular file.
    static func read(_ path: String, limit: Int) throws(SystemFailure) -> [UInt8] {
        // Without O_NONBLOCK, a FIFO at this path would block the open.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        return try read(descriptor, limit: limit)
    }

    static func read(_ descriptor: Int32, limit: Int) throws(SystemFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, limit, 0) }
        guard count >= 0 else { throw .last }
        return Array(bytes.prefix(count))
    }

    /// Replaces a file's content atomically: after a crash or power loss it is either the old or the new one.
    static func replace(_ path: String, with bytes: [UInt8]) throws(SystemFailure) {
        let temporary = path + ".new"
        unlink(temporary)
        let file = try AtomicFile(path: path, mode: 0o600) { _ in temporary }
        try Descriptor.writeAll(bytes, to: file.descriptor)
        guard fsync(file.descriptor) == 0 else { throw .last }
        try file.finish()
        try synchronize(directory: parent(of: path))
    }

    /// Extends a file to `length` bytes, with disk space allocated for all of it where the system can.
    static func allocate(_ descriptor: Int32, length: Int) -> SystemFailure? {
        #if canImport(Darwin)
            return ftruncate(descriptor, off_t(length)) == 0 ? nil : .last
        #else
            let code = posix_fallocate(descriptor, 0, off_t(length))
            return code == 0 ? nil : SystemFailure(code: code)
        #endif
    }

    /// Copies a file's content into a new file; neither may change meanwhile.
    static func copy(_ path: String, to target: String) throws(SystemFailure) {
        let source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard source >= 0 else { throw .last }
        defer { close(source) }
        let copy = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw .last }
        defer { close(copy) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = try Descriptor.readSome(source, into: &buffer), count > 0 {
            try Descriptor.writeAll(Array(buffer[..<count]), to: copy)
        }
    }

    /// Overwrites a small file in one call, or creates it.
    static func overwrite(_ path: String, with bytes: [UInt8], isSynced: Bool) throws(SystemFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        guard written >= 0 else { throw .last }
        guard written == bytes.count else { throw SystemFailure(code: ENOSPC) }
        guard !isSynced || fsync(descriptor) == 0 else { throw .last }
    }

    /// Syncs a directory, so that its changes (renames, new files, removals) survive a power loss.
    static func synchronize(directory path: String) throws(SystemFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { throw .last }
        defer { close(descriptor) }
        // Some file systems do not support it and return EINVAL; no alternative exists there.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last }
    }

    /// Removes the entry at the path, a directory with its contents; does not follow links.
    static func remove(_ path: String) throws(SystemFailure) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .last
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            guard unlink(path) == 0 || errno == ENOENT else { throw .last }
            return
        }
        for name in try names(in: path) { try remove(path + "/" + name) }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .last }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// Identifies the machine's current boot: unsynced writes are lost only when the machine goes down.
enum MachineBoot {
    /// Nil when the system does not provide it; then unsynced writes cannot be trusted later.
    static func identifier() -> String? {
        #if canImport(Darwin)
            var length = 0
            guard sysctlbyname("kern.bootsessionuuid", nil, &length, nil, 0) == 0, length > 1 else { return nil }
            var bytes = [UInt8](repeating: 0, count: length)
            guard sysctlbyname("kern.bootsessionuuid", &bytes, &length, nil, 0) == 0 else { return nil }
            let text = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        #else
            guard let bytes = try? FileSystem.read("/proc/sys/kernel/random/boot_id", limit: 64) else { return nil }
            let text = String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
        #endif
        return text.isEmpty || text.contains(" ") ? nil : text
    }
}
