import Foundation

/// A report's destination: standard output, or a file that keeps its old content until the new one is complete.
///
/// Not Sendable: owned by the command that made it.
final class ReportOutput {
    private static let bufferBytes = 1 << 16

    private let name: String
    private let path: String
    private var temporary: String?
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    /// - Parameter path: `-` is standard output.
    init(path: String) throws {
        name = path == "-" ? "standard output" : Printable.quoted(path)
        guard path != "-" else {
            (self.path, descriptor) = (path, dup(1))
            return
        }
        // A link stays a link: its target is replaced.
        let target = realpath(path, nil).map { found in
            defer { free(found) }
            return String(cString: found)
        }
        self.path = target ?? path
        var information = stat()
        let exists = stat(self.path, &information) == 0
        if exists, information.st_mode & S_IFMT != S_IFREG {
            descriptor = open(self.path, O_WRONLY | O_CLOEXEC)
        } else {
            // In the file's own directory, so that the rename stays within one file system.
            let temporary = "\(self.path).\(UInt32.random(in: 0 ... .max)).partial"
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 {
                self.temporary = temporary
                if exists { fchmod(descriptor, information.st_mode & 0o777) }
            }
        }
        guard descriptor >= 0 else {
            throw CommandFailure(
                .usage,
                "cannot write the report to \(name): \(String(cString: strerror(errno))); name a file in a directory that can be written to"
            )
        }
    }

    /// Without `finish`, no file is left.
    deinit {
        if descriptor >= 0 { close(descriptor) }
        if let temporary { unlink(temporary) }
    }

    func write(_ text: String) throws {
        buffer += Array(text.utf8)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Gives the file its name.
    func finish() throws {
        try flush()
        guard let temporary else { return }
        if close(descriptor) != 0 {
            descriptor = -1
            throw failure()
        }
        descriptor = -1
        guard rename(temporary, path) == 0 else { throw failure() }
        self.temporary = nil
    }

    private func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
            }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                throw failure()
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func failure() -> CommandFailure {
        CommandFailure(
            .internalError,
            "cannot write the report to \(name): \(String(cString: strerror(errno))); see that there is room on the disk, and try again"
        )
    }
}
