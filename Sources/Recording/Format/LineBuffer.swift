import Bytes

/// A growing buffer for JSON under construction. The owner calls `deallocate` once.
struct LineBuffer {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    func deallocate() { base.deallocate() }

    var bytes: Bytes { Bytes(start: base, count: count) }

    mutating func removeAll() { count = 0 }

    /// Removes the bytes after `length`.
    mutating func cut(to length: Int) { count = length }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity * 2, count + more))
        larger.update(from: base, count: count)
        base.deallocate()
        base = larger
        capacity = max(capacity * 2, count + more)
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    mutating func append(_ number: Int64) {
        reserve(41)
        if number < 0 {
            base[count] = UInt8(ascii: "-")
            count += 1
        }
        // From the last digit to the first, behind the longest number, then moved to its place.
        let end = base + count + 40
        var first = end
        var digits = number.magnitude
        repeat {
            first -= 1
            first.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digits % 10)
            digits /= 10
        } while digits > 0
        (base + count).update(from: first, count: end - first)
        count += end - first
    }

    /// Appends a JSON string in its quotes. Escapes only the characters that JSON requires to be escaped.
    /// - Returns: false when the bytes are not UTF-8; nothing is written then.
    mutating func appendString(_ text: Bytes) -> Bool {
        // The longest escape has six characters; a word is written at a time.
        reserve(text.count * 6 + 10)
        var out = base + count
        out.pointee = UInt8(ascii: "\"")
        out += 1
        if let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self) {
            guard let end = Self.escape(start, start + text.count, out) else { return false }
            out = end
        }
        out.pointee = UInt8(ascii: "\"")
        count = out + 1 - base
        return true
    }

    mutating func appendBase64(_ bytes: Bytes) {
        let length = Base64.encodedCount(of: bytes.count)
        reserve(length + 2)
        base[count] = UInt8(ascii: "\"")
        Base64.encode(bytes, to: base + count + 1)
        base[count + 1 + length] = UInt8(ascii: "\"")
        count += length + 2
    }

    /// - Returns: the place after the written bytes; nil when the text is not UTF-8.
    private static func escape(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ room: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8>? {
        var here = start
        var out = room
        while true {
            while end - here >= 8 {
                let word = UnsafeRawPointer(here).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
                let stops = Self.stops(in: word)
                guard stops == 0 else {
                    let plain = stops.trailingZeroBitCount >> 3
                    here += plain
                    out += plain
                    break
                }
                here += 8
                out += 8
            }
            guard here < end else { return out }
            let byte = here.pointee
            if byte >= 0x80 {
                guard let length = UTF8Text.length(here, end) else { return nil }
                for index in 0..<length { out[index] = here[index] }
                here += length
                out += length
            } else {
                out = escape(byte, out)
                here += 1
            }
        }
    }

    /// Writes one ASCII character, escaped where it must be.
    @inline(__always)
    private static func escape(_ byte: UInt8, _ out: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            out[0] = byte
            return out + 1
        }
        out[0] = UInt8(ascii: "\\")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): out[1] = byte
        case 0x0A: out[1] = UInt8(ascii: "n")
        case 0x0D: out[1] = UInt8(ascii: "r")
        case 0x09: out[1] = UInt8(ascii: "t")
        case 0x08: out[1] = UInt8(ascii: "b")
        case 0x0C: out[1] = UInt8(ascii: "f")
        default:
            out[1] = UInt8(ascii: "u")
            out[2] = UInt8(ascii: "0")
            out[3] = UInt8(ascii: "0")
            out[4] = UInt8(ascii: "0") + (byte >> 4)
            let low = byte & 15
            out[5] = low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "A") + low - 10
            return out + 6
        }
        return out + 2
    }

    /// As in the scanner, but marks every byte beyond ASCII as well.
    @inline(__always)
    private static func stops(in bytes: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: bytes)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = (word ^ (ones &* UInt64(UInt8(ascii: "\"")))) &- ones
        let backslash = (word ^ (ones &* UInt64(UInt8(ascii: "\\")))) &- ones
        let control = word &- ones &* 0x20
        return (control | quote | backslash | word) & (ones &* 0x80)
    }
}
