import Bytes
import Foundation
import Throughput

/// Follows a log by its name, as `tail -F` does: through rotation, truncation, and while the file is missing. Runs on a
/// thread of its own.
final class LogFollower {
    /// About an hour of interval lines of a worker with many partitions.
    static let tailBytes = 4 << 20

    private let index: Int
    private let path: String
    private let tell: (TopUpdate) -> Void
    private var descriptor: Int32 = -1
    private var identity: (device: UInt64, file: UInt64) = (0, 0)
    private var offset = 0
    private let lines = LineQueue(longest: LogEntry.longestLine)
    private var batch: [ThroughputLine] = []
    /// The reason of an end that no line follows yet.
    private var end: String?
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

    /// Reads new bytes, then switches to the file that has the path now, if it is another.
    func step() {
        guard descriptor >= 0 || openFile() else { return }
        readToEnd()
        var now = stat()
        guard stat(path, &now) == 0 else {
            // Removed and not created again yet: its writer may still append to the open file.
            if errno != ENOENT { lose() }
            return
        }
        if UInt64(now.st_dev) != identity.device || UInt64(now.st_ino) != identity.file {
            readToEnd()
            close(descriptor)
            descriptor = -1
            lines.removeAll()
            if openFile() { readToEnd() }
        } else if Int(now.st_size) < offset {
            lseek(descriptor, 0, SEEK_SET)
            offset = 0
            lines.removeAll()
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
            // Begins within a line, whose rest does not parse and is skipped.
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
        while let count = try? piece.withUnsafeMutableBytes({ try Descriptor.readSome(descriptor, into: $0) }),
            count > 0
        {
            offset += count
            take(piece[..<count])
        }
        flush()
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { lines.append($0) }
        while let line = lines.next() {
            switch LogEntry(line.text) {
            case .throughput(let line, _):
                batch.append(line)
                end = nil
            case .event(let note): end = note.end ?? end
            case .passing, .torn, .foreign, .blank: break
            }
        }
    }

    /// Passes on the batch: the log's first contents as history, later lines one by one.
    private func flush() {
        if isFirst {
            tell(TopUpdate(source: index, news: .history(batch)))
        } else {
            for line in batch { tell(TopUpdate(source: index, news: .line(line))) }
        }
        if let end { tell(TopUpdate(source: index, news: .stopped(end))) }
        isFirst = false
        batch.removeAll()
        end = nil
    }

    private func readInput() {
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while let count = try? Descriptor.readSome(0, into: &piece), count > 0 {
            isFirst = false
            take(piece[..<count])
            flush()
        }
        tell(TopUpdate(source: index, news: .ended("the input has ended")))
    }
}
