import Foundation
import Records
import Worker

/// A temporary file of sorted runs, gone when this is. Not Sendable.
final class SpillFile {
    /// A sorted piece of the file.
    struct Run {
        var start: Int
        var end: Int
        /// Of its last record.
        var rank: Int64
        var offset: Int64
    }

    private static let bufferSize = 1 << 18

    private let descriptor: Int32
    private let path: String
    private let buffer = UnsafeMutableRawPointer.allocate(byteCount: SpillFile.bufferSize, alignment: 8)
    private var used = 0
    private var written = 0

    /// Bytes so far.
    var size: Int { written + used }

    init(path: String) throws(WorkerError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("making", path) }
        // Nobody else needs the name, and without it nothing stays behind whatever happens.
        unlink(path)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        buffer.deallocate()
    }

    func append(_ bytes: Bytes) throws(WorkerError) {
        if used + bytes.count > Self.bufferSize { try flush() }
        guard let start = bytes.baseAddress else { return }
        if bytes.count > Self.bufferSize {
            try write(start, bytes.count)
        } else {
            (buffer + used).copyMemory(from: start, byteCount: bytes.count)
            used += bytes.count
        }
    }

    func flush() throws(WorkerError) {
        let count = used
        used = 0
        try write(buffer, count)
    }

    private func write(_ start: UnsafeRawPointer, _ count: Int) throws(WorkerError) {
        var done = 0
        while done < count {
            let result = pwrite(descriptor, start + done, count - done, off_t(written + done))
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw Self.failure("writing to", path) }
            done += result
        }
        written += count
    }

    /// Reads as much as there is, up to `count`.
    func read(at position: Int, into memory: UnsafeMutableRawPointer, count: Int) throws(WorkerError) -> Int {
        while true {
            let result = pread(descriptor, memory, count, off_t(position))
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw Self.failure("reading", path) }
            return result
        }
    }

    static func failure(_ doing: String, _ path: String) -> WorkerError {
        WorkerError(
            .stateDirectory,
            "\(doing) the temporary file '\(path)' failed: \(String(cString: strerror(errno))); make room there, or set "
                + "TMPDIR to a directory with more")
    }
}

/// Reads one run, record by record. Not Sendable.
final class SpillReader {
    private let file: SpillFile
    private let end: Int
    /// Where in the file the buffer ends.
    private var position: Int
    private var buffer: UnsafeMutableRawPointer
    private var capacity = 1 << 17
    private var filled = 0
    private var next = 0

    /// Valid until `advance`; nil behind the last.
    private(set) var head: SortedRecord?

    init(_ file: SpillFile, _ run: SpillFile.Run) throws(WorkerError) {
        self.file = file
        position = run.start
        end = run.end
        buffer = .allocate(byteCount: capacity, alignment: 8)
        try advance()
    }

    deinit { buffer.deallocate() }

    func advance() throws(WorkerError) {
        head = nil
        guard try fill(Frame.head) else { return }
        let size = Frame.size(at: buffer + next)
        guard try fill(size) else {
            throw WorkerError(.stateDirectory, "A temporary file of the replay ends too early; start the replay again")
        }
        head = Frame.read(buffer + next)
        next += size
    }

    /// Makes sure that so many bytes stand in the buffer from `next` on; false at the run's end.
    private func fill(_ needed: Int) throws(WorkerError) -> Bool {
        while filled - next < needed {
            guard position < end else { return false }
            if next > 0 {
                buffer.copyMemory(from: buffer + next, byteCount: filled - next)
                filled -= next
                next = 0
            }
            if needed > capacity { grow(to: needed) }
            let wanted = min(capacity - filled, end - position)
            let count = try file.read(at: position, into: buffer + filled, count: wanted)
            guard count > 0 else { return false }
            position += count
            filled += count
        }
        return true
    }

    private func grow(to needed: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: 8)
        larger.copyMemory(from: buffer, byteCount: filled)
        buffer.deallocate()
        (buffer, capacity) = (larger, needed)
    }
}
