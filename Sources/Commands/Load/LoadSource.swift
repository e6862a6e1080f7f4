import Bytes
import Foundation

/// The file to load. It is read twice: once to check it, once to publish it. An input that can be read only once
/// (standard input, a pipe) is copied to a temporary file first, which is unlinked at once.
final class LoadSource {
    /// The file's name in messages.
    let name: String
    let descriptor: Int32
    /// In bytes; for the progress.
    let size: Int

    /// - Parameter path: "-" is standard input.
    init(path: String) throws(CommandFailure) {
        name = path == "-" ? "standard input" : Printable.text(path)
        let opened = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            throw CommandFailure(
                .usage,
                "cannot open \(name): \(String(cString: strerror(errno))); name a file of JSON lines, or - for "
                    + "standard input."
            )
        }
        var information = stat()
        guard fstat(opened, &information) == 0, information.st_mode & S_IFMT != S_IFDIR else {
            close(opened)
            throw CommandFailure(.usage, "\(name) is no file that can be read; name a file of JSON lines.")
        }
        if information.st_mode & S_IFMT == S_IFREG, path != "-" {
            descriptor = opened
            size = Int(information.st_size)
        } else {
            defer { close(opened) }
            (descriptor, size) = try Self.spool(opened, name)
        }
    }

    deinit { close(descriptor) }

    /// A reader from the first byte.
    func reader(limit: Int) throws(CommandFailure) -> LineReader {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw CommandFailure(.badData, "cannot read \(name) again: \(String(cString: strerror(errno))).")
        }
        return LineReader(descriptor: descriptor, limit: limit)
    }

    private static func spool(_ source: Int32, _ name: String) throws(CommandFailure) -> (Int32, Int) {
        var template = Array((NSTemporaryDirectory() + "/rejoinder-load-XXXXXX").utf8CString)
        let target = mkstemp(&template)
        guard target >= 0 else {
            throw CommandFailure(
                .internalError,
                "cannot keep \(name) in \(NSTemporaryDirectory()): \(String(cString: strerror(errno))); "
                    + "set TMPDIR to a directory with room, or name a file.")
        }
        unlink(template)
        var size = 0
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 1)
        defer { piece.deallocate() }
        do throws(SystemFailure) {
            while case let count = try Descriptor.readSome(source, into: piece), count > 0 {
                try Descriptor.writeAll(Bytes(rebasing: piece[..<count]), to: target)
                size += count
            }
        } catch {
            close(target)
            throw CommandFailure(
                .internalError,
                "cannot keep \(name) in \(NSTemporaryDirectory()): \(error.text); set TMPDIR to a directory with room, "
                    + "or name a file."
            )
        }
        return (target, size)
    }
}
