import Foundation

/// Cuts a stream of bytes into lines.
package struct LineSplitter: Sendable {
    /// Limit on a line that is kept between calls. A longer line is passed on cut to this length, no longer valid JSON;
    /// its remainder is skipped.
    package static let maxLineBytes = 4 << 20

    private var rest: [UInt8] = []
    private var isSkipping = false

    package init() {}

    /// Passes on whole lines, and keeps the bytes after the last line end for the next call.
    package mutating func feed(_ bytes: UnsafeRawBufferPointer, line: (UnsafeBufferPointer<UInt8>) -> Void) {
        let bytes = bytes.bindMemory(to: UInt8.self)
        var start = 0
        while let end = Self.lineEnd(bytes, from: start) {
            if isSkipping {
                isSkipping = false
            } else if rest.isEmpty {
                Self.pass(UnsafeBufferPointer(rebasing: bytes[start..<end]), to: line)
            } else {
                rest += bytes[start..<end]
                rest.withUnsafeBufferPointer { Self.pass($0, to: line) }
            }
            rest.removeAll(keepingCapacity: true)
            start = end + 1
        }
        guard !isSkipping else { return }
        rest += bytes[start...]
        if rest.count > Self.maxLineBytes {
            rest.withUnsafeBufferPointer { line(UnsafeBufferPointer(rebasing: $0[..<Self.maxLineBytes])) }
            rest = []
            isSkipping = true
        }
    }

    /// Passes on the bytes after the last line end, if there are any.
    package mutating func finish(line: (UnsafeBufferPointer<UInt8>) -> Void) {
        if !rest.isEmpty { rest.withUnsafeBufferPointer { Self.pass($0, to: line) } }
        forget()
    }

    /// Drops the kept bytes, for a stream that starts over.
    package mutating func forget() {
        rest = []
        isSkipping = false
    }

    private static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, 0x0A, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    private static func pass(_ bytes: UnsafeBufferPointer<UInt8>, to line: (UnsafeBufferPointer<UInt8>) -> Void) {
        let hasReturn = bytes.last == 0x0D
        line(UnsafeBufferPointer(rebasing: hasReturn ? bytes.dropLast() : bytes[...]))
    }
}
