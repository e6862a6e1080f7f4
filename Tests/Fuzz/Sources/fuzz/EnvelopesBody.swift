@testable import Envelope

/// Scans an input's lines as a recording's.
final class EnvelopesBody {
    private let scanner = EnvelopeScanner()

    func run(_ input: UnsafeRawBufferPointer) {
        for line in input.split(separator: 0x0A) {
            // A line feed, and room that may be read.
            let bytes = [UInt8](line) + [0x0A] + [UInt8](repeating: 0, count: EnvelopeScanner.slack)
            bytes.withUnsafeBufferPointer { bytes in
                guard let start = bytes.baseAddress else { return }
                let end = start + line.count
                do throws(EnvelopeError) {
                    try scanner.scan(from: start, to: end)
                    // The fields found can be read.
                    precondition(scanner.view.copy().partition == scanner.view.partition)
                } catch {
                    precondition(error.place >= 0 && error.place <= line.count, "a place outside of the line")
                }
            }
        }
    }
}
