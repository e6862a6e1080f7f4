import Foundation
import Monitoring

/// Follows a log by its name, as `tail -F` does: through rotation, truncation, and times when there is none. On a thread of
/// its own.
final class LogFollower {
    /// An hour of intervals of a worker with many partitions, about.
    static let tailBytes = 4 << 20

    private let index: Int
    private let path: String
    private let tell: (TopUpdate) -> Void
    private var descriptor: Int32 = -1
    private var identity: (device: UInt64, file: UInt64) = (0, 0)
    private var offset = 0
    private var splitter = LineSplitter()
    private var batch: [ThroughputLine] = []
    private var isFirst = true

    init(index: Int, path: String, tell: @escaping (TopUpdate) -> Void) {
        self.index = index
        self.path = path
        self.tell = tell
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func run() {
        if path == "-" {
            readInput()
            return
        }
        while true {
            step()
            Thread.sleep(forTimeInterval: 0.25)
        }
    }

    /// One look at the file: reads what is new, and goes over to the file that has its name now.
    func step() {
        guard descriptor >= 0 || openFile() else { return }
        readToEnd()
        var now = stat()
        guard stat(path, &now) == 0 else {
            // Taken away, and not yet made anew: what is open may still be written to.
            if errno != ENOENT { lose() }
            return
        }
        if UInt64(now.st_dev) != identity.device || UInt64(now.st_ino) != identity.file {
            readToEnd()
            close(descriptor)
            descriptor = -1
            splitter.forget()
            if openFile() { readToEnd() }
        } else if Int(now.st_size) < offset {
            lseek(descriptor, 0, SEEK_SET)
            offset = 0
            splitter.forget()
            readToEnd()
        }
    }

    private func openFile() -> Bool {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        var information = stat()
        guard descriptor >= 0, fstat(descriptor, &information) == 0 else {
            lose()
            return false
        }
        guard information.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            descriptor = -1
            tell(TopUpdate(source: index, news: .lost("it is a directory; name a worker's log")))
            return false
        }
        identity = (UInt64(information.st_dev), UInt64(information.st_ino))
        offset = 0
        if isFirst, Int(information.st_size) > Self.tailBytes {
            // The first line then is the end of one, which does not read as one.
            offset = Int(information.st_size) - Self.tailBytes
            lseek(descriptor, off_t(offset), SEEK_SET)
        }
        return true
    }

    private func lose() {
        tell(TopUpdate(source: index, news: .lost(String(cString: strerror(errno)))))
    }

    private func readToEnd() {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            offset += count
            take(piece[..<count])
        }
        flush()
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { bytes in
            splitter.feed(bytes) { line in
                if case .throughput(let line, _) = LogEntry(line) { batch.append(line) }
            }
        }
    }

    /// What was there when it began is history, in one piece; what comes later are lines.
    private func flush() {
        if isFirst {
            tell(TopUpdate(source: index, news: .history(batch)))
        } else {
            for line in batch { tell(TopUpdate(source: index, news: .line(line))) }
        }
        isFirst = false
        batch.removeAll()
    }

    private func readInput() {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(0, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            isFirst = false
            take(piece[..<count])
            flush()
        }
        tell(TopUpdate(source: index, news: .ended("the input has ended")))
    }
}
