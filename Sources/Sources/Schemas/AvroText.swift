import Bytes

/// The buffer for the JSON of a decoded value, reused for the next one. Used by one thread.
final class AvroText {
    private var memory: UnsafeMutableRawPointer
    private var capacity = 4096
    private(set) var count = 0

    init() { memory = .allocate(byteCount: capacity, alignment: 1) }

    deinit { memory.deallocate() }

    var bytes: Bytes { Bytes(start: memory, count: count) }

    func removeAll() { count = 0 }

    @inline(__always)
    private func room(for more: Int) -> UnsafeMutableRawPointer {
        if capacity - count < more { grow(by: more) }
        return memory + count
    }

    private func grow(by more: Int) {
        var wanted = capacity * 2
        while wanted - count < more { wanted *= 2 }
        let grown = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 1)
        grown.copyMemory(from: memory, byteCount: count)
        memory.deallocate()
        (memory, capacity) = (grown, wanted)
    }

    /// Frees the memory of a rare long value.
    func shrink() {
        guard capacity > 1 << 20 else { return }
        memory.deallocate()
        capacity = 4096
        memory = .allocate(byteCount: capacity, alignment: 1)
        count = 0
    }

    func append(_ byte: Unicode.Scalar) {
        room(for: 1).storeBytes(of: UInt8(truncatingIfNeeded: byte.value), as: UInt8.self)
        count += 1
    }

    func append(_ bytes: Bytes) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        room(for: bytes.count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    func append(_ bytes: [UInt8]) {
        let room = room(for: bytes.count)
        bytes.withUnsafeBytes { if let start = $0.baseAddress { room.copyMemory(from: start, byteCount: $0.count) } }
        count += bytes.count
    }

    func append(_ text: String) { append(Array(text.utf8)) }

    func append(_ text: StaticString) {
        append(Bytes(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A JSON string of bytes that should be UTF-8, which is not checked here.
    func appendString(_ bytes: Bytes) {
        // Most texts need no escapes: room for their bytes and the quotes.
        _ = room(for: bytes.count + 2)
        append("\"" as Unicode.Scalar)
        var plain = 0
        for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
            append(Bytes(rebasing: bytes[plain..<index]))
            plain = index + 1
            append("\\" as Unicode.Scalar)
            switch byte {
            case 0x22, 0x5C: append(Unicode.Scalar(byte))
            case 0x0A: append("n" as Unicode.Scalar)
            case 0x0D: append("r" as Unicode.Scalar)
            case 0x09: append("t" as Unicode.Scalar)
            default:
                append("u00" as StaticString)
                append(Unicode.Scalar(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1")))
                append(Unicode.Scalar(Self.hexadecimal[Int(byte & 15)]))
            }
        }
        append(Bytes(rebasing: bytes[plain...]))
        append("\"" as Unicode.Scalar)
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
