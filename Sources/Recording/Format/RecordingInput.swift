import Bytes
import CZlib
import CZstd
import Foundation

/// A recording's bytes, unpacked, piece by piece.
///
/// Not Sendable: belongs to the reader that made it.
final class RecordingInput {
    private enum Decoder {
        case plain
        /// Owns the stream. `isInMember`: the end of the current member has not been seen yet.
        case gzip(UnsafeMutablePointer<z_stream>, isInMember: Bool)
        /// Owns the context.
        case zstd(OpaquePointer, isInFrame: Bool)
    }

    private static let pieceSize = 1 << 17

    /// For people.
    let name: String
    /// The file's size in bytes; nil for a pipe or a device.
    let size: Int?
    /// Whether the name is that of an unfinished recording (`site.jsonl.4711.partial.zst`), which ends where its
    /// recorder died.
    let isPartial: Bool
    /// The packed data of a partial file ended in the middle.
    private(set) var wasCutOff = false
    /// Bytes read from the file, still packed.
    private(set) var bytesRead = 0
    private let descriptor: Int32
    private var decoder = Decoder.plain
    private let piece: UnsafeMutableRawBufferPointer
    /// The part of `piece` that has not been unpacked yet.
    private var pending: Range<Int> = 0..<0
    private var isAtEnd = false

    /// - Parameter path: "-" is standard input; it has no name, so its first bytes decide the compression.
    init(path: String) throws(RecordingError) {
        name = path == "-" ? "standard input" : Self.printable(path)
        isPartial = RecordingOutput.isPartialName(path)
        let opened = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            throw RecordingError(
                .unopened, path: name, reason: "cannot be opened: \(Self.lastError); name a recording.")
        }
        descriptor = opened
        var information = stat()
        let isKnown = fstat(opened, &information) == 0
        size = isKnown && information.st_mode & S_IFMT == S_IFREG ? Int(information.st_size) : nil
        piece = .allocate(byteCount: Self.pieceSize, alignment: 16)
        guard !isKnown || information.st_mode & S_IFMT != S_IFDIR else {
            throw RecordingError(.unopened, path: name, reason: "is a directory; name a recording in it.")
        }
        try begin(path)
    }

    deinit {
        switch decoder {
        case .plain: break
        case .gzip(let stream, _):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let context, _): ZSTD_freeDCtx(context)
        }
        piece.deallocate()
        close(descriptor)
    }

    /// Reads the first bytes, compares them with the name and makes the decoder.
    private func begin(_ path: String) throws(RecordingError) {
        while pending.count < 4, !isAtEnd { try fill() }
        let found = Compression(ofContent: UnsafeRawBufferPointer(rebasing: piece[pending]))
        let named = Compression(ofName: path)
        // An empty file cannot contradict its name; the reader reports that it is empty.
        if path != "-", found != named, !pending.isEmpty {
            throw RecordingError(.content, path: name, line: 1, reason: Self.mismatch(found: found, named: named))
        }
        switch found {
        case .none: break
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // 15: the largest window; 16 more: gzip's header only.
            guard inflateInit2_(stream, 15 + 16, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
                stream.deallocate()
                throw RecordingError(.io, path: name, reason: "zlib cannot be used: no memory, or another version.")
            }
            decoder = .gzip(stream, isInMember: true)
        case .zstd:
            guard let context = ZSTD_createDCtx() else {
                throw RecordingError(.io, path: name, reason: "zstd cannot be used: no memory.")
            }
            decoder = .zstd(context, isInFrame: true)
        }
    }

    private static func mismatch(found: Compression, named: Compression) -> String {
        guard named != .none else {
            return
                "the content is packed with \(found.label), but the name does not end with \(found.suffix); rename the "
                + "file, or unpack it."
        }
        let content = found == .none ? "is not packed with \(named.label)" : "is packed with \(found.label)"
        return "the name ends with \(named.suffix), but the content \(content); rename the file, or pack it anew."
    }

    /// Unpacks into `room`, which is not empty.
    /// - Parameter line: the number of the current line, for errors.
    /// - Returns: the number of bytes; 0 at the end.
    func read(into room: UnsafeMutableRawBufferPointer, line: Int) throws(RecordingError) -> Int {
        switch decoder {
        case .plain:
            if !pending.isEmpty {
                let count = min(room.count, pending.count)
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[pending.prefix(count)]))
                pending = (pending.lowerBound + count)..<pending.upperBound
                return count
            }
            let count = try readFile(into: room)
            return count
        case .gzip(let stream, let isInMember):
            return try inflate(stream, isInMember, room, line)
        case .zstd(let context, let isInFrame):
            return try decompress(context, isInFrame, room, line)
        }
    }

    private func inflate(
        _ stream: UnsafeMutablePointer<z_stream>, _ wasInMember: Bool, _ room: UnsafeMutableRawBufferPointer,
        _ line: Int
    ) throws(RecordingError) -> Int {
        var isInMember = wasInMember
        defer { decoder = .gzip(stream, isInMember: isInMember) }
        let limit = min(room.count, 1 << 30)
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(limit)
        while stream.pointee.avail_out == UInt32(limit) {
            if pending.isEmpty, !isAtEnd { try fill() }
            if pending.isEmpty {
                guard !isInMember || isPartial else { throw cutOff(line) }
                wasCutOff = isInMember
                return 0
            }
            if !isInMember {
                // Another member may follow: gzip files may be concatenated.
                inflateReset(stream)
                isInMember = true
            }
            let before = pending.count
            stream.pointee.next_in = (piece.baseAddress.map { $0 + pending.lowerBound })?.assumingMemoryBound(
                to: UInt8.self)
            stream.pointee.avail_in = UInt32(before)
            let code = CZlib.inflate(stream, Z_NO_FLUSH)
            pending = (pending.upperBound - Int(stream.pointee.avail_in))..<pending.upperBound
            switch code {
            case Z_OK: break
            case Z_STREAM_END: isInMember = false
            // No progress without more input.
            case Z_BUF_ERROR where pending.count < before || pending.isEmpty: break
            default:
                throw damaged(line, stream.pointee.msg.map { String(cString: $0) } ?? "error \(code)")
            }
        }
        return limit - Int(stream.pointee.avail_out)
    }

    private func decompress(
        _ context: OpaquePointer, _ wasInFrame: Bool, _ room: UnsafeMutableRawBufferPointer, _ line: Int
    ) throws(RecordingError) -> Int {
        var isInFrame = wasInFrame
        defer { decoder = .zstd(context, isInFrame: isInFrame) }
        var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        while output.pos == 0 {
            if pending.isEmpty, !isAtEnd { try fill() }
            // zstd may still hold unpacked bytes, which it returns without further input.
            if pending.isEmpty, !isInFrame { return 0 }
            var input = ZSTD_inBuffer(src: piece.baseAddress, size: pending.upperBound, pos: pending.lowerBound)
            let code = ZSTD_decompressStream(context, &output, &input)
            guard ZSTD_isError(code) == 0 else {
                throw damaged(line, String(cString: ZSTD_getErrorName(code)))
            }
            if pending.isEmpty, output.pos == 0, code != 0, isAtEnd {
                guard isPartial else { throw cutOff(line) }
                wasCutOff = true
                return 0
            }
            pending = input.pos..<pending.upperBound
            // 0: the frame is complete. Another may follow.
            isInFrame = code != 0
        }
        return output.pos
    }

    private func cutOff(_ line: Int) -> RecordingError {
        RecordingError(
            .content, path: name, line: line,
            reason: "the packed data ends too early: the file was cut off; record or copy it again.")
    }

    private func damaged(_ line: Int, _ reason: String) -> RecordingError {
        RecordingError(
            .content, path: name, line: line,
            reason: "the packed data is damaged (\(reason)); record or copy the file again.")
    }

    /// Reads one piece of the file after the pending bytes.
    private func fill() throws(RecordingError) {
        if pending.isEmpty { pending = 0..<0 }
        let count = try readFile(into: UnsafeMutableRawBufferPointer(rebasing: piece[pending.upperBound...]))
        pending = pending.lowerBound..<(pending.upperBound + count)
    }

    private func readFile(into room: UnsafeMutableRawBufferPointer) throws(RecordingError) -> Int {
        do throws(SystemFailure) {
            let count = try Descriptor.readSome(descriptor, into: room)
            isAtEnd = count == 0
            bytesRead += count
            return count
        } catch {
            throw RecordingError(.io, path: name, reason: "reading failed: \(error.text).")
        }
    }

    static var lastError: String { String(cString: strerror(errno)) }

    /// A path from outside, safe to print on a terminal.
    static func printable(_ path: String) -> String {
        var text = ""
        for scalar in path.unicodeScalars {
            text += scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return text
    }
}
