import Bytes
import Synchronization

/// Writes whole lines to a file descriptor, one write(2) a line. A lock keeps threads apart, as pipes split long lines.
final class LineWriter: Sendable {
    static let standardError = LineWriter(descriptor: 2)
    static let standardOutput = LineWriter(descriptor: 1)

    private let descriptor: Mutex<Int32>

    /// - Parameter descriptor: owned by the caller, and open as long as this writes.
    init(descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
    }

    /// Adds the line end. Where the descriptor has no reader left (closed pipe) or no room (full disk) the line is
    /// lost: there is no better place to report a log's failure than the log.
    func write(_ line: String) {
        var line = line
        line += "\n"
        line.withUTF8 { bytes in
            descriptor.withLock { descriptor in try? Descriptor.writeAll(Bytes(bytes), to: descriptor) }
        }
    }
}
