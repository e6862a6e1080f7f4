import Bytes

/// Reads a recording record by record. Memory is bounded by the longest line.
///
/// A line is the envelope that `kcat -J` prints; `Schemas/recording.schema.json` defines the other fields. Unknown
/// fields and blank lines are passed over. Every error about the content names the line. A recording with a manifest is
/// compared with it; a difference is a warning.
///
/// Not Sendable: one thread reads.
package final class RecordingReader {
    /// A longer line is an attempt to fill the memory: Kafka's records are far smaller, even fully escaped.
    private static let longestLine = 1 << 30

    private let input: RecordingInput
    private let scanner = EnvelopeScanner()
    private let allowsEmpty: Bool
    private let lines = LineQueue(longest: RecordingReader.longestLine, slack: EnvelopeScanner.slack)
    private var check = ManifestCheck()
    /// The first place in the memory of `lines` that `check` has not seen.
    private var unchecked: Position

    /// The number of the line read last, counted from 1; 0 before the first.
    package private(set) var lineNumber = 0
    /// Records read so far.
    package private(set) var recordCount = 0

    /// - Parameters:
    ///   - path: "-" is standard input, whose first bytes decide the compression. A name that ends with `.gz` or `.zst`
    ///     must
    ///     have that compression, and any other name must have none.
    ///   - allowsEmpty: when false, a file without a record is an error: nothing to replay.
    package init(path: String, allowsEmpty: Bool = false) throws(RecordingError) {
        input = try RecordingInput(path: path)
        self.allowsEmpty = allowsEmpty
        unchecked = lines.rest
    }

    /// The file is a killed recorder's partial file and ends in the middle of a record. The records before it were
    /// read.
    private(set) var isCutOff = false

    /// The file's name for people.
    package var name: String { input.name }

    /// At the end: reasons to doubt that the recording is whole, as sentences without their ends. The file's name is
    /// the subject of each.
    package var warnings: [String] { warnings(name: name) }

    func warnings(name: String) -> [String] {
        let cutOff = "ends in the middle of a record: what its recorder had not written is missing"
        return (check.warnings + (isCutOff ? [cutOff] : [])).map { "\(name) \($0)" }
    }

    /// Bytes read from the file, still packed: for progress, against `size`.
    package var bytesRead: Int { input.bytesRead }

    /// The file's size in bytes; nil for a pipe or a device.
    package var size: Int? { input.size }

    /// The record that `advance` has read; its bytes are valid until the next `advance`.
    package var view: RecordedView { scanner.view }

    /// Reads the next record into `view`. Allocates nothing once the buffers have grown.
    /// - Returns: false at the end.
    package func advance() throws(RecordingError) -> Bool {
        while let line = try nextLine() {
            do throws(EnvelopeError) {
                try scanner.scan(from: line.start, to: line.end)
            } catch {
                if Self.isBlank(line.start, line.end) || takeMark(line) { continue }
                throw explain(error, line)
            }
            recordCount += 1
            return true
        }
        if !isCutOff { check.end(after: recordCount, isPartial: input.isPartial) }
        guard recordCount > 0 || allowsEmpty else {
            throw RecordingError(
                .content, path: name, reason: "holds no record: there is nothing to replay.")
        }
        return false
    }

    /// Reads the next record and lends it; its bytes are valid during the call.
    /// - Returns: what `body` returns; nil at the end.
    func withNext<Result>(_ body: (borrowing RecordedView) throws -> Result) throws -> Result? {
        try advance() ? try body(scanner.view) : nil
    }

    /// Reads the next record as an owned copy; nil at the end.
    package func next() throws(RecordingError) -> RecordedRecord? {
        try advance() ? scanner.view.copy() : nil
    }

    private func nextLine() throws(RecordingError) -> LineQueue.Line? {
        lineNumber += 1
        while true {
            if let line = lines.next() {
                guard !line.isCut else {
                    throw RecordingError(
                        .content, path: name, line: lineNumber,
                        reason: "is longer than \(Self.longestLine >> 20) MiB; this is no recording.")
                }
                return line
            }
            if try fill() { continue }
            if input.isPartial, lines.waiting > 0 || input.wasCutOff {
                isCutOff = true
                lines.removeAll()
            }
            if let line = lines.last() { return line }
            lineNumber -= 1
            return nil
        }
    }

    /// - Returns: false for a line that belongs to no manifest.
    private func takeMark(_ line: LineQueue.Line) -> Bool {
        guard let mark = RecordingMark(Bytes(from: line.start, to: line.end)) else { return false }
        checkLines(to: line.start)
        check.take(mark, after: recordCount)
        unchecked = lines.rest
        return true
    }

    /// Passes lines that have been read to the check, in large pieces.
    private func checkLines(to end: Position) {
        guard check.isHashing, unchecked < end else { return }
        check.add(Bytes(from: unchecked, to: end))
    }

    /// Reads more bytes after those that wait.
    /// - Returns: false at the file's end.
    private func fill() throws(RecordingError) -> Bool {
        checkLines(to: lines.rest)
        let room = lines.room()
        unchecked = lines.rest
        let count = try input.read(into: room, line: lineNumber)
        lines.filled(count)
        return count > 0
    }

    private static func isBlank(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Bool {
        var here = start
        while here < end {
            guard here.pointee == 0x20 || here.pointee == 0x09 || here.pointee == 0x0D else { return false }
            here += 1
        }
        return true
    }

    private func explain(_ error: EnvelopeError, _ line: LineQueue.Line) -> RecordingError {
        let length = line.end - line.start
        var reason = error.reason
        if error.place >= length {
            reason += line.isTerminated ? "; the line is cut off" : "; the file was cut off here"
        } else if error.place > 0 {
            reason += ", at byte \(error.place + 1) of the line"
        }
        return RecordingError(.content, path: name, line: lineNumber, reason: reason + ".")
    }
}
