import Foundation

/// Writes a file of JSON lines. Not Sendable.
final class WorkloadFile {
    /// The file's name in messages.
    let name: String
    private var file: UnsafeMutablePointer<FILE>?

    /// - Parameter path: nil is standard output. An existing file is overwritten.
    init(path: String?) throws(CommandFailure) {
        name = path.map { Printable.text($0) } ?? "standard output"
        // A duplicate, so that closing it leaves standard output open.
        file = path.map { fopen($0, "w") } ?? fdopen(dup(1), "w")
        guard let file else { throw failure("open") }
        setvbuf(file, nil, _IOFBF, 1 << 20)
    }

    deinit { if let file { fclose(file) } }

    func write(line: UnsafeRawBufferPointer) throws(CommandFailure) {
        guard let file, fwrite(line.baseAddress, 1, line.count, file) == line.count, putc(0x0A, file) != EOF else {
            throw failure("write")
        }
    }

    /// A full disk may show only here.
    func close() throws(CommandFailure) {
        guard let file else { return }
        self.file = nil
        guard fclose(file) == 0 else { throw failure("write") }
    }

    private func failure(_ verb: String) -> CommandFailure {
        CommandFailure(
            .usage,
            "cannot \(verb) \(name): \(String(cString: strerror(errno))); name a directory with room that can be "
                + "written to."
        )
    }
}
