import Foundation
import Worker

/// A recording that is read twice: once to survey it, once to publish it. Standard input and pipes can be read only
/// once, so they are first copied to a temporary file, which is removed with this object.
final class RecordingSource {
    /// For people.
    let name: String
    /// For the reader.
    private(set) var path: String
    private var hasCopy = false

    /// - Parameter path: `-` is standard input.
    init(path: String) throws(WorkerError) {
        self.path = path
        name = path == "-" ? "standard input" : path
        var status = stat()
        let exists = path == "-" || stat(path, &status) == 0
        // A missing file, or a directory, is left to the reader's error.
        let kind = status.st_mode & S_IFMT
        guard exists, path == "-" || (kind != S_IFREG && kind != S_IFDIR) else { return }
        do {
            try copy()
        } catch {
            throw WorkerError(
                .failed,
                "Copying \(name) to a temporary file, to read it twice, failed: \(error.localizedDescription); make "
                    + "room in \(FileManager.default.temporaryDirectory.path), set TMPDIR, or give a file")
        }
    }

    deinit {
        if hasCopy { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A reader from the first record on.
    func reader() throws(RecordingError) -> RecordingReader {
        do throws(RecordingError) {
            return try RecordingReader(path: path)
        } catch {
            throw named(error)
        }
    }

    /// Puts the source's name into an error about its copy.
    func named(_ error: RecordingError) -> RecordingError {
        hasCopy ? RecordingError(error.matter, path: name, line: error.line, reason: error.reason) : error
    }

    /// The warnings of a reader that has come to the end.
    func warnings(of reader: RecordingReader) -> [String] { reader.warnings(name: name) }

    private func copy() throws {
        let input = path == "-" ? FileHandle.standardInput : try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        var piece = try input.read(upToCount: 1 << 20) ?? Data()
        let directory = FileManager.default.temporaryDirectory.path
        let copy = "\(directory)/rejoinder-\(UUID().uuidString).jsonl\(ending(of: piece))"
        guard FileManager.default.createFile(atPath: copy, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw CocoaError(.fileWriteUnknown) }
        path = copy
        hasCopy = true
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: copy))
        defer { try? output.close() }
        while !piece.isEmpty {
            try output.write(contentsOf: piece)
            piece = try input.read(upToCount: 1 << 20) ?? Data()
        }
    }

    /// The copy's suffix, by which the reader chooses the compression. Standard input has no name, so its first bytes
    /// decide.
    private func ending(of piece: Data) -> String {
        guard path == "-" else { return [".gz", ".zst"].first { path.hasSuffix($0) } ?? "" }
        if piece.starts(with: [0x1F, 0x8B]) { return ".gz" }
        return piece.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) ? ".zst" : ""
    }
}
