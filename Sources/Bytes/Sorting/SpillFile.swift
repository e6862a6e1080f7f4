#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A temporary file for data too large to sort in memory, deleted with this object. Not Sendable.
final class SpillFile {
    private static let bufferSize = 1 << 18

    private let descriptor: Int32
    /// The path at which the file was created; it is unlinked already.
    let path: String
    /// Allocated from the first `append` to the next `flush`, because there are as many files as partitions.
    private var buffer: UnsafeMutableRawPointer?
    private var used = 0
    private var written = 0

    /// Bytes appended so far.
    var size: Int { written + used }

    init(path: String) throws(SystemFailure) {
        self.path = path
        // Left by a process that died between creating the file and unlinking it.
        unlink(path)
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last }
        // Without a name the file disappears with the process, however it ends.
        unlink(path)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        buffer?.deallocate()
    }

    func append(_ bytes: Bytes) throws(SystemFailure) {
        if used + bytes.count > Self.bufferSize { try writeBuffer() }
        guard let start = bytes.baseAddress else { return }
        if bytes.count > Self.bufferSize {
            try write(start, bytes.count)
        } else {
            let buffer = buffer ?? .allocate(byteCount: Self.bufferSize, alignment: 8)
            self.buffer = buffer
            (buffer + used).copyMemory(from: start, byteCount: bytes.count)
            used += bytes.count
        }
    }

    /// Makes the appended bytes readable.
    func flush() throws(SystemFailure) {
        try writeBuffer()
        buffer?.deallocate()
        buffer = nil
    }

    private func writeBuffer() throws(SystemFailure) {
        guard let buffer, used > 0 else { return }
        let count = used
        used = 0
        try write(buffer, count)
    }

    private func write(_ start: UnsafeRawPointer, _ count: Int) throws(SystemFailure) {
        try Descriptor.writeAll(Bytes(start: start, count: count), to: descriptor) { written += $0 }
    }

    /// Reads up to `count` bytes, as many as there are; 0 at the end.
    func read(
        at position: Int, into memory: UnsafeMutableRawPointer, count: Int
    ) throws(SystemFailure) -> Int {
        try Descriptor.readSome(
            descriptor, at: position, into: UnsafeMutableRawBufferPointer(start: memory, count: count))
    }
}
