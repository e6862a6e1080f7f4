/// The treatment of a surrogate escape without its other half (`\ud83d`), where a string's text is wanted. It is JSON
/// by RFC 8259, and records carry it like any other bytes, but no Unicode text has it.
package enum LoneSurrogates {
    /// The string has no text: for ids, names and values that must come out as they are.
    case refused
    /// U+FFFD stands in its place: for people.
    case replaced
}

/// The text of JSON strings: unescaped, and escaped.
@usableFromInline package enum JSONText {
    /// Unescapes the string between `start` and `end` (quotes excluded) into `room`.
    ///
    /// `JSONScanner` has checked the string, so no escape is broken or cut short.
    /// - Returns: the number of bytes written, at most the string's own length; nil when they do not fit, or when a
    ///   lone surrogate is refused.
    package static func unescape(
        from start: Position, to end: Position, into room: UnsafeMutableRawBufferPointer,
        loneSurrogates: LoneSurrogates = .refused
    ) -> Int? {
        guard let out = room.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return start == end ? 0 : nil }
        var here = start
        var count = 0
        while here < end {
            if here.pointee != ASCII.backslash {
                guard count < room.count else { return nil }
                out[count] = here.pointee
                here += 1
                count += 1
                continue
            }
            var scalar = unescapeOne(&here, end)
            if isSurrogate(scalar) {
                guard loneSurrogates == .replaced else { return nil }
                scalar = 0xFFFD
            }
            guard count + UTF8Text.length(of: scalar) <= room.count else { return nil }
            count += UTF8Text.encode(scalar, to: out + count)
        }
        return count
    }

    /// The text of a checked string; nil when it has a lone surrogate that is refused.
    package static func text(
        of raw: Bytes, hasEscapes: Bool, loneSurrogates: LoneSurrogates = .refused
    ) -> String? {
        guard hasEscapes, let start = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return String(decoding: raw, as: UTF8.self)
        }
        return withUnsafeTemporaryAllocation(byteCount: raw.count, alignment: 1) { room in
            unescape(from: start, to: start + raw.count, into: room, loneSurrogates: loneSurrogates).map {
                String(decoding: room[..<$0], as: UTF8.self)
            }
        }
    }

    /// Whether a checked string has a lone surrogate.
    package static func holdsLoneSurrogate(from start: Position, to end: Position) -> Bool {
        var here = start
        while here < end { if isSurrogate(next(&here, end)) { return true } }
        return false
    }

    /// The code point at `here` in a checked string, escaped or not; moves `here` past it. A lone surrogate is its own
    /// code point.
    package static func next(_ here: inout Position, _ end: Position) -> UInt32 {
        if here.pointee == ASCII.backslash { return unescapeOne(&here, end) }
        let (scalar, length) = UTF8Text.decode(here, end) ?? (UInt32(here.pointee), 1)
        here += length
        return scalar
    }

    package static func isSurrogate(_ scalar: UInt32) -> Bool { 0xD800...0xDFFF ~= scalar }

    /// The code point of the escape at `here`, for a surrogate pair of both escapes.
    private static func unescapeOne(_ here: inout Position, _ end: Position) -> UInt32 {
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
        let unit = codeUnit(here) ?? 0
        here += 4
        guard 0xD800...0xDBFF ~= unit, end - here >= 6, here[0] == ASCII.backslash, here[1] == ASCII.letter("u"),
            let low = codeUnit(here + 2), 0xDC00...0xDFFF ~= low
        else { return unit }
        here += 6
        return scalar(ofPair: unit, low)
    }

    /// The code point of a surrogate pair (RFC 8259, section 7).
    /// - Parameters:
    ///   - high: 0xD800 to 0xDBFF.
    ///   - low: 0xDC00 to 0xDFFF.
    package static func scalar(ofPair high: UInt32, _ low: UInt32) -> UInt32 {
        0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
    }

    /// The number of four hexadecimal digits; nil when one of them is none. Reads no byte after the first that is none.
    package static func codeUnit(_ start: Position) -> UInt32? {
        var unit: UInt32 = 0
        for index in 0..<4 {
            guard let digit = hexDigit(start[index]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// The value of a hexadecimal digit of either case; nil for any other byte.
    @inlinable
    package static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case ASCII.zero...ASCII.nine: UInt32(byte &- ASCII.zero)
        case 0x41...0x46, 0x61...0x66: UInt32((byte | ASCII.lowercaseBit) &- 0x61 &+ 10)
        default: nil
        }
    }
}
