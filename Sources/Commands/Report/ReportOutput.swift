import Bytes

/// A report's destination: standard output, or a file that keeps its old content until the new one is complete.
///
/// Not Sendable: owned by the command that made it.
final class ReportOutput {
    private static let bufferBytes = 1 << 16

    private let name: String
    private let file: AtomicFile
    private var buffer: [UInt8] = []

    /// - Parameter path: `-` is standard output.
    init(path: String) throws {
        name = path == "-" ? "standard output" : Printable.quoted(path)
        do throws(SystemFailure) { file = try AtomicFile(path: path) } catch {
            throw CommandFailure(
                .usage,
                "cannot write the report to \(name): \(error.text); name a file in a directory that can be written to")
        }
    }

    /// Writes a whole report, such as a JUnit file.
    static func write(_ text: String, to path: String) throws {
        let output = try ReportOutput(path: path)
        try output.write(text)
        try output.finish()
    }

    func write(_ text: String) throws {
        buffer += Array(text.utf8)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    /// Gives the file its name. Without it no file is left.
    func finish() throws {
        try flush()
        do throws(SystemFailure) { try file.finish() } catch { throw failure(error) }
    }

    private func flush() throws {
        do throws(SystemFailure) { try Descriptor.writeAll(buffer, to: file.descriptor) } catch { throw failure(error) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func failure(_ error: SystemFailure) -> CommandFailure {
        CommandFailure(
            .internalError,
            "cannot write the report to \(name): \(error.text); see that there is room on the disk, and try again")
    }
}
