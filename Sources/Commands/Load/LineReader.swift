import Bytes
import Foundation

/// Reads a file line by line, up to a limit a line. Holds one line and one piece of the file at a time.
final class LineReader {
    enum Line {
        /// Without its line end. Valid until the next call.
        case line(Bytes, number: Int)
        /// Longer than the limit; its bytes were skipped.
        case tooLong(number: Int)
        case end
    }

    private static let pieceSize = 1 << 18

    private let descriptor: Int32
    private let limit: Int
    private var buffer: UnsafeMutableRawBufferPointer
    /// Bytes of the file in `buffer` that are not handed out yet.
    private var pending: Range<Int> = 0..<0
    private var number = 0
    private var isAtEnd = false
    /// Bytes of the file that were handed out or skipped.
    private(set) var bytesRead = 0

    /// - Parameter descriptor: open for reading, at the place to start from; the caller owns it.
    init(descriptor: Int32, limit: Int) {
        self.descriptor = descriptor
        self.limit = limit
        buffer = .allocate(byteCount: Self.pieceSize, alignment: 1)
    }

    deinit { buffer.deallocate() }

    /// - Throws: ``CommandFailure`` when a read fails.
    func next() throws(CommandFailure) -> Line {
        number += 1
        var searched = 0
        while true {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[pending])
            if let length = Self.lineEnd(in: bytes, from: searched) {
                pending = (pending.lowerBound + length + 1)..<pending.upperBound
                bytesRead += length + 1
                return finish(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            }
            searched = bytes.count
            if isAtEnd {
                guard !bytes.isEmpty else { return .end }
                bytesRead += bytes.count
                pending = 0..<0
                return finish(bytes)
            }
            // One byte more than the limit may be a carriage return.
            if bytes.count > limit + 1 { return try passOver() }
            try fill()
        }
    }

    private func finish(_ bytes: Bytes) -> Line {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\r") { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
        return bytes.count > limit ? .tooLong(number: number) : .line(bytes, number: number)
    }

    private func passOver() throws(CommandFailure) -> Line {
        while true {
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[pending])
            if let length = Self.lineEnd(in: bytes, from: 0) {
                pending = (pending.lowerBound + length + 1)..<pending.upperBound
                bytesRead += length + 1
                return .tooLong(number: number)
            }
            bytesRead += bytes.count
            pending = 0..<0
            if isAtEnd { return .tooLong(number: number) }
            try fill()
        }
    }

    private static func lineEnd(in bytes: Bytes, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, start < bytes.count,
            let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// Reads one piece after the pending bytes.
    private func fill() throws(CommandFailure) {
        if pending.isEmpty { pending = 0..<0 }
        if buffer.count - pending.upperBound < Self.pieceSize {
            let needed = pending.count + Self.pieceSize
            // Doubling keeps the copying of a long line linear; the limit bounds it.
            let target = needed > buffer.count ? max(needed, buffer.count * 2) : buffer.count
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: target, alignment: 1)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[pending]))
            buffer.deallocate()
            buffer = larger
            pending = 0..<pending.count
        }
        do throws(SystemFailure) {
            let count = try Descriptor.readSome(
                descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[pending.upperBound...]))
            isAtEnd = count == 0
            pending = pending.lowerBound..<(pending.upperBound + count)
        } catch {
            throw CommandFailure(.badData, "reading the file failed: \(error.text)")
        }
    }
}
