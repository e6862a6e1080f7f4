/// The text of a JSON string, unescaped.
enum JSONText {
    /// Unescapes the string between `start` and `end` (quotes excluded) into `room`.
    ///
    /// `JSONScanner` has checked the string, so no escape is broken or cut short.
    /// - Returns: the number of bytes written, at most the string's own length; nil when they do not fit, or when the
    ///   string has a lone surrogate, which UTF-8 cannot encode.
    static func unescape(from start: Position, to end: Position, into room: UnsafeMutableRawBufferPointer) -> Int? {
        var here = start
        var count = 0
        func put(_ byte: UInt32) -> Bool {
            guard count < room.count else { return false }
            room[count] = UInt8(truncatingIfNeeded: byte)
            count += 1
            return true
        }
        while here < end {
            guard here.pointee == ASCII.backslash else {
                guard put(UInt32(here.pointee)) else { return nil }
                here += 1
                continue
            }
            guard let scalar = unescapeOne(&here, end) else { return nil }
            let fits =
                switch scalar {
                case ..<0x80: put(scalar)
                case ..<0x800: put(0xC0 | scalar >> 6) && put(0x80 | scalar & 0x3F)
                case ..<0x10000:
                    put(0xE0 | scalar >> 12) && put(0x80 | scalar >> 6 & 0x3F) && put(0x80 | scalar & 0x3F)
                default:
                    put(0xF0 | scalar >> 18) && put(0x80 | scalar >> 12 & 0x3F) && put(0x80 | scalar >> 6 & 0x3F)
                        && put(0x80 | scalar & 0x3F)
                }
            guard fits else { return nil }
        }
        return count
    }

    /// Whether a checked string has a lone surrogate.
    static func holdsLoneSurrogate(from start: Position, to end: Position) -> Bool {
        var here = start
        while here < end {
            if here.pointee != ASCII.backslash {
                here += 1
            } else if unescapeOne(&here, end) == nil {
                return true
            }
        }
        return false
    }

    /// The code point of the escape at `here` (for a surrogate pair, of both escapes); moves `here` past it. nil: a
    /// lone surrogate.
    private static func unescapeOne(_ here: inout Position, _ end: Position) -> UInt32? {
        let letter = here[1]
        here += 2
        switch letter {
        case ASCII.letter("b"): return 0x08
        case ASCII.letter("f"): return 0x0C
        case ASCII.letter("n"): return 0x0A
        case ASCII.letter("r"): return 0x0D
        case ASCII.letter("t"): return 0x09
        case ASCII.letter("u"): break
        default: return UInt32(letter)
        }
        let unit = codeUnit(here)
        here += 4
        guard 0xD800...0xDFFF ~= unit else { return unit }
        guard unit < 0xDC00, end - here >= 6, here[0] == ASCII.backslash, here[1] == ASCII.letter("u"),
            case let low = codeUnit(here + 2), 0xDC00...0xDFFF ~= low
        else { return nil }
        here += 6
        return 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
    }

    private static func codeUnit(_ start: Position) -> UInt32 {
        var unit: UInt32 = 0
        for index in 0..<4 { unit = unit << 4 | (hexDigit(start[index]) ?? 0) }
        return unit
    }

    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case ASCII.zero...ASCII.nine: UInt32(byte &- ASCII.zero)
        case 0x41...0x46, 0x61...0x66: UInt32((byte | ASCII.lowercaseBit) &- 0x61 &+ 10)
        default: nil
        }
    }
}
