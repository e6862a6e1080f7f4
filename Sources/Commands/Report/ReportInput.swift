import Bytes
import Foundation
import Report
import Throughput

/// Reads a log from a file or from standard input.
enum ReportInput {
    private static let pieceBytes = 1 << 18

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - row: called with every throughput line.
    static func read(_ path: String, into survey: inout LogSurvey, row: (ThroughputLine) throws -> Void) throws {
        let descriptor = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure(
                .usage,
                "cannot open the log \(Printable.quoted(path)): \(String(cString: strerror(errno))); name a throughput "
                    + "log, or -"
            )
        }
        defer { close(descriptor) }
        survey.begin(path == "-" ? "standard input" : path)
        var piece = [UInt8](repeating: 0, count: pieceBytes)
        var failure: (any Error)?
        func take(_ line: ThroughputLine) {
            guard failure == nil else { return }
            do { try row(line) } catch { failure = error }
        }
        while true {
            let count: Int
            do throws(SystemFailure) {
                count = try Descriptor.readSome(descriptor, into: &piece)
            } catch {
                throw CommandFailure(
                    error.code == EISDIR ? .usage : .badData,
                    "cannot read the log \(Printable.quoted(path)): \(error.text); see that it is a file that you may "
                        + "read"
                )
            }
            if count == 0 { break }
            piece.withUnsafeBytes { survey.feed(UnsafeRawBufferPointer(rebasing: $0[..<count]), row: take) }
            if let failure { throw failure }
        }
        survey.end(row: take)
        if let failure { throw failure }
    }
}
