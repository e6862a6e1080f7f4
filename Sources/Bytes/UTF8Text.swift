/// Characters of UTF-8 in memory, by RFC 3629: the shortest form, no surrogates, nothing past U+10FFFF.
@usableFromInline package enum UTF8Text {
    /// The length of the character that begins at `here` with a byte beyond ASCII; nil for malformed UTF-8.
    @inlinable @inline(__always)
    package static func length(_ here: Position, _ end: Position) -> Int? {
        let room = end - here
        // The lead bytes 0xC0 and 0xC1 begin only overlong forms.
        switch here.pointee {
        case 0xC2...0xDF: return room >= 2 && continues(here[1]) ? 2 : nil
        case 0xE0...0xEF:
            guard room >= 3, continues(here[1]), continues(here[2]) else { return nil }
            if here[0] == 0xE0, here[1] < 0xA0 { return nil }
            if here[0] == 0xED, here[1] > 0x9F { return nil }
            return 3
        case 0xF0...0xF4:
            guard room >= 4, continues(here[1]), continues(here[2]), continues(here[3]) else { return nil }
            if here[0] == 0xF0, here[1] < 0x90 { return nil }
            if here[0] == 0xF4, here[1] > 0x8F { return nil }
            return 4
        default: return nil
        }
    }

    @inlinable @inline(__always)
    static func continues(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// The character at `here`, and its length; nil for malformed UTF-8. `here` is before `end`.
    package static func decode(_ here: Position, _ end: Position) -> (scalar: UInt32, length: Int)? {
        guard here.pointee >= 0x80 else { return (UInt32(here.pointee), 1) }
        guard let length = length(here, end) else { return nil }
        var scalar = UInt32(here.pointee) & (0x7F >> UInt32(length))
        for index in 1..<length { scalar = scalar << 6 | UInt32(here[index] & 0x3F) }
        return (scalar, length)
    }

    /// The bytes that a character takes.
    package static func length(of scalar: UInt32) -> Int {
        switch scalar {
        case ..<0x80: 1
        case ..<0x800: 2
        case ..<0x10000: 3
        default: 4
        }
    }

    /// Writes a character.
    /// - Returns: its length.
    @discardableResult
    package static func encode(_ scalar: UInt32, to out: UnsafeMutablePointer<UInt8>) -> Int {
        let length = length(of: scalar)
        var rest = scalar
        for index in stride(from: length - 1, to: 0, by: -1) {
            out[index] = UInt8(truncatingIfNeeded: 0x80 | rest & 0x3F)
            rest >>= 6
        }
        let leads: UInt32 = length == 1 ? 0 : 0xF00 >> UInt32(length) & 0xFF
        out[0] = UInt8(truncatingIfNeeded: leads | rest)
        return length
    }
}
