/// The choices that JSON leaves to a writer of strings. They all read the same; each output keeps its own, since its
/// bytes are compared with earlier ones. Without any, a control character is written by its number: `\u000a`.
package struct JSONEscapes: OptionSet, Sendable {
    /// One bit for each choice.
    package let rawValue: UInt8

    /// - Parameter rawValue: one bit for each choice.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Letters for `\n`, `\r` and `\t`.
    package static let letters = JSONEscapes(rawValue: 1)
    /// Letters for `\b` and `\f`.
    package static let rareLetters = JSONEscapes(rawValue: 2)
    /// Uppercase digits: `\u001F`.
    package static let uppercase = JSONEscapes(rawValue: 4)
    /// Escapes U+007F too, which terminals act on.
    package static let delete = JSONEscapes(rawValue: 8)
    /// Passes bytes on that are not UTF-8. Without it they are refused.
    package static let anyBytes = JSONEscapes(rawValue: 16)

    /// For lines that people read in a terminal.
    package static let lines: JSONEscapes = [.letters, .delete]
}

extension JSONText {
    /// Writes bytes as the content of a JSON string, until the text or the room ends.
    /// - Parameters:
    ///   - here: the text's next byte; moved past the bytes written.
    ///   - out: with room for at least 8 bytes before `limit`.
    /// - Returns: the place after the written bytes; nil when the text is not UTF-8 and `escapes` refuses that.
    static func escape(
        _ here: inout Position, _ end: Position, to out: UnsafeMutablePointer<UInt8>,
        limit: UnsafeMutablePointer<UInt8>, _ escapes: JSONEscapes
    ) -> UnsafeMutablePointer<UInt8>? {
        var out = out
        while true {
            while end - here >= 8, limit - out >= 8 {
                let word = UnsafeRawPointer(here).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
                let stops = stops(in: word)
                guard stops == 0 else {
                    let plain = stops.trailingZeroBitCount >> 3
                    here += plain
                    out += plain
                    break
                }
                here += 8
                out += 8
            }
            guard here < end, limit - out >= 8 else { return out }
            let byte = here.pointee
            if byte < 0x80 {
                out += escape(byte, to: out, escapes)
                here += 1
            } else if let length = UTF8Text.length(here, end) {
                out.update(from: here, count: length)
                here += length
                out += length
            } else if escapes.contains(.anyBytes) {
                out.pointee = byte
                here += 1
                out += 1
            } else {
                return nil
            }
        }
    }

    /// Writes one ASCII character, escaped where it must be.
    /// - Returns: the number of bytes, 6 at most.
    @inline(__always)
    private static func escape(_ byte: UInt8, to out: UnsafeMutablePointer<UInt8>, _ escapes: JSONEscapes) -> Int {
        let letter: UInt8? =
            switch byte {
            case ASCII.quote, ASCII.backslash: byte
            case 0x0A where escapes.contains(.letters): ASCII.letter("n")
            case 0x0D where escapes.contains(.letters): ASCII.letter("r")
            case 0x09 where escapes.contains(.letters): ASCII.letter("t")
            case 0x08 where escapes.contains(.rareLetters): ASCII.letter("b")
            case 0x0C where escapes.contains(.rareLetters): ASCII.letter("f")
            default: nil
            }
        if let letter {
            out[0] = ASCII.backslash
            out[1] = letter
            return 2
        }
        guard byte < 0x20 || byte == 0x7F && escapes.contains(.delete) else {
            out[0] = byte
            return 1
        }
        out[0] = ASCII.backslash
        out[1] = ASCII.letter("u")
        out[2] = ASCII.zero
        out[3] = ASCII.zero
        out[4] = ASCII.zero + (byte >> 4)
        let low = byte & 15
        out[5] = low < 10 ? ASCII.zero + low : (escapes.contains(.uppercase) ? 0x41 : 0x61) + low - 10
        return 6
    }

    /// Marks, in the highest bit of each byte, the bytes that are no plain ASCII; after the first of them, perhaps
    /// more.
    @inline(__always)
    private static func stops(in bytes: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: bytes)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = (word ^ (ones &* UInt64(ASCII.quote))) &- ones
        let backslash = (word ^ (ones &* UInt64(ASCII.backslash))) &- ones
        let delete = (word ^ (ones &* 0x7F)) &- ones
        let control = word &- ones &* 0x20
        return (control | quote | backslash | delete | word) & (ones &* 0x80)
    }
}
