import Foundation

/// A file of JSON lines that is being written. Not Sendable.
final class WorkloadFile {
    /// For people.
    let name: String
    private var file: UnsafeMutablePointer<FILE>?

    /// - Parameter path: nil is standard output. A file that is there is written anew.
    init(path: String?) throws(CommandFailure) {
        name = path.map { Printable.text($0) } ?? "standard output"
        // A copy, so that closing it leaves the process its standard output.
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
            "cannot \(verb) \(name): \(String(cString: strerror(errno))); name a directory with room that can be written to."
        )
    }
}
