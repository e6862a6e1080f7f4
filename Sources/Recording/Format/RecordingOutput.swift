import Bytes
import CZlib
import CZstd
import Foundation

/// Writes a recording's bytes: packed as the file's name says, under a temporary name until all is written.
///
/// The temporary name is the file's own with a number and `.partial` before the suffix of its compression
/// (`site.jsonl.4711.partial.zst`), so that a reader and `zstdcat` can unpack the file that a killed process leaves.
///
/// Not Sendable: belongs to the writer that made it.
final class RecordingOutput {
    private enum Encoder {
        case plain
        /// Owns the stream.
        case gzip(UnsafeMutablePointer<z_stream>)
        /// Owns the context.
        case zstd(OpaquePointer)
    }

    private static let pieceSize = 1 << 17

    /// For people.
    let name: String
    /// Bytes written to the file.
    private(set) var bytesWritten = 0
    /// The length up to which the file holds whole lines and can be unpacked.
    private var settledSize = 0
    /// The encoder has received bytes since it was last settled.
    private var isUnsettled = false
    /// The first write error. After it nothing is written, and only the settled part counts.
    private var broken: RecordingError?
    /// Whole lines of the last write that were written before it failed.
    private(set) var linesOfFailedWrite = 0
    private let file: AtomicFile
    private var encoder: Encoder
    private let piece: UnsafeMutableRawBufferPointer

    /// - Parameter path: "-" is standard output, not packed.
    init(path: String) throws(RecordingError) {
        name = path == "-" ? "standard output" : RecordingInput.printable(path)
        do throws(SystemFailure) {
            file = try AtomicFile(path: path) { Self.partialName($0, number: .random(in: 0 ... .max)) }
        } catch {
            throw RecordingError(
                .unopened, path: name,
                reason: "cannot be made: \(error.text); name a file in a directory that can be written to.")
        }
        piece = .allocate(byteCount: Self.pieceSize, alignment: 16)
        encoder = .plain
        switch Compression(ofName: path) {
        case .none: break
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            // zlib's own header has no time in it, so the same records make the same bytes.
            let code = deflateInit2_(
                stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, zlibVersion(),
                Int32(MemoryLayout<z_stream>.size))
            guard code == Z_OK else {
                stream.deallocate()
                throw RecordingError(.io, path: name, reason: "zlib cannot be used: no memory, or another version.")
            }
            encoder = .gzip(stream)
        case .zstd:
            guard let context = ZSTD_createCCtx() else {
                throw RecordingError(.io, path: name, reason: "zstd cannot be used: no memory.")
            }
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
            encoder = .zstd(context)
        }
    }

    /// The temporary file goes too, unless `finish` or `keep` was called.
    deinit {
        switch encoder {
        case .plain: break
        case .gzip(let stream):
            deflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeCCtx(context)
        }
        piece.deallocate()
    }

    static func partialName(_ path: String, number: UInt32) -> String {
        let compression = Compression(ofName: path)
        let packing = compression == .none ? "" : String(path.suffix(compression.suffix.count))
        return "\(path.dropLast(packing.count)).\(number).partial\(packing)"
    }

    /// Whether a file's name is one that `partialName` makes.
    static func isPartialName(_ path: String) -> Bool {
        let compression = Compression(ofName: path)
        return path.dropLast(compression == .none ? 0 : compression.suffix.count).hasSuffix(".partial")
    }

    /// - Parameter bytes: whole lines.
    func write(_ bytes: UnsafeRawBufferPointer) throws(RecordingError) {
        guard !bytes.isEmpty else { return }
        if let broken { throw broken }
        isUnsettled = true
        switch encoder {
        case .plain:
            do throws(RecordingError) {
                try writeFile(bytes)
            } catch {
                settleLines(bytes[..<(bytesWritten - settledSize)])
                throw error
            }
            settledSize = bytesWritten
        case .gzip(let stream): try deflate(stream, bytes, Z_NO_FLUSH)
        case .zstd(let context): try compress(context, bytes, ZSTD_e_continue)
        }
    }

    /// Counts the whole lines of a failed write that reached the file: a full disk takes a part.
    private func settleLines(_ bytes: Slice<UnsafeRawBufferPointer>) {
        guard let last = bytes.lastIndex(of: 0x0A) else { return }
        linesOfFailedWrite = bytes[...last].count { $0 == 0x0A }
        settledSize += last + 1
    }

    /// Writes out the encoder's buffer and ends its frame (gzip: its member), so that the file can be read up to here
    /// even if this process dies. The next line begins another frame.
    func settle() throws(RecordingError) {
        if let broken { throw broken }
        guard isUnsettled else { return }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        switch encoder {
        case .plain: break
        case .gzip(let stream):
            try deflate(stream, nothing, Z_FINISH)
            deflateReset(stream)
        case .zstd(let context): try compress(context, nothing, ZSTD_e_end)
        }
        isUnsettled = false
        settledSize = bytesWritten
    }

    /// Writes out the encoder's buffer, closes the file and gives it its name.
    func finish() throws(RecordingError) {
        // A packed file without records is still one frame.
        if bytesWritten == 0 { isUnsettled = true }
        try settle()
        try end(named: true)
    }

    /// Ends the file after an error and keeps its readable part.
    /// - Parameter named: whether it gets its own name or keeps the temporary one.
    /// - Returns: the name for people; nil when no file is left: nothing was written, or the output is a pipe or a
    ///   device.
    func keep(named: Bool) -> String? {
        guard let temporary = file.temporary else { return nil }
        do throws(RecordingError) {
            try settle()
        } catch {}
        // After a failed write only the settled part is certain, so the rest is cut. Without a settled part a packed
        // file stays as it is: a reader of a partial file still gets the lines of its unfinished frame.
        if broken != nil, settledSize > 0 || isPlain {
            ftruncate(file.descriptor, off_t(settledSize))
            bytesWritten = settledSize
        }
        guard bytesWritten > 0 else { return nil }
        let named = named && (broken == nil || settledSize > 0)
        do throws(RecordingError) {
            try end(named: named)
        } catch {
            file.abandon()
            return RecordingInput.printable(temporary)
        }
        return named ? name : RecordingInput.printable(temporary)
    }

    /// Whether all bytes given to it are in the file and readable there.
    var isSettled: Bool { isPlain && broken == nil || !isUnsettled }

    private var isPlain: Bool {
        if case .plain = encoder { true } else { false }
    }

    private func end(named: Bool) throws(RecordingError) {
        do throws(SystemFailure) { try file.finish(named: named) } catch { throw failure(error) }
    }

    private func deflate(
        _ stream: UnsafeMutablePointer<z_stream>, _ bytes: UnsafeRawBufferPointer, _ flush: Int32
    ) throws(RecordingError) {
        var rest = bytes
        repeat {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            // zlib's declarations lack const; it only reads here.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: part.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(part.count)
            repeat {
                stream.pointee.next_out = piece.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(piece.count)
                // Cannot fail here: the stream is valid, and there is always room.
                _ = CZlib.deflate(stream, flush)
                try writeFile(UnsafeRawBufferPointer(rebasing: piece[..<(piece.count - Int(stream.pointee.avail_out))]))
            } while stream.pointee.avail_out == 0
        } while !rest.isEmpty
    }

    private func compress(
        _ context: OpaquePointer, _ bytes: UnsafeRawBufferPointer, _ directive: ZSTD_EndDirective
    ) throws(RecordingError) {
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
            var output = ZSTD_outBuffer(dst: piece.baseAddress, size: piece.count, pos: 0)
            let left = ZSTD_compressStream2(context, &output, &input, directive)
            guard ZSTD_isError(left) == 0 else {
                throw RecordingError(
                    .io, path: name, reason: "packing failed: \(String(cString: ZSTD_getErrorName(left))).")
            }
            try writeFile(UnsafeRawBufferPointer(rebasing: piece[..<output.pos]))
            if directive == ZSTD_e_end ? left == 0 : input.pos == input.size { return }
        }
    }

    private func writeFile(_ bytes: UnsafeRawBufferPointer) throws(RecordingError) {
        do throws(SystemFailure) {
            try Descriptor.writeAll(bytes, to: file.descriptor) { bytesWritten += $0 }
        } catch {
            let failure = failure(error)
            broken = failure
            throw failure
        }
    }

    private func failure(_ error: SystemFailure) -> RecordingError {
        RecordingError(.io, path: name, reason: "writing failed: \(error.text).")
    }
}
