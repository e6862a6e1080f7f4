/// The end of a string, and whether it must be unescaped before comparison.
@usableFromInline package struct StringEnd {
    /// The content ends before it.
    @usableFromInline package let closingQuote: Position
    /// Whether the content holds a backslash.
    @usableFromInline package let hasEscapes: Bool

    @inlinable
    init(closingQuote: Position, hasEscapes: Bool) {
        self.closingQuote = closingQuote
        self.hasEscapes = hasEscapes
    }
}

extension JSONScanner {
    /// Checks a string from after its opening quote to its closing quote: strict UTF-8, no bare control characters,
    /// known escapes. A lone surrogate conforms to RFC 8259's grammar (section 8.2) but encodes no text:
    /// ``LoneSurrogates`` says what becomes of it where the text is needed.
    @inlinable
    package func string(after openingQuote: Position) throws(JSONSyntaxError) -> StringEnd {
        var here = openingQuote
        var hasEscapes = false
        while true {
            here = skipPlainText(here)
            guard here < end else { throw JSONSyntaxError(position: here, expected: .closingQuote) }
            switch here.pointee {
            case ASCII.quote:
                return StringEnd(closingQuote: here, hasEscapes: hasEscapes)
            case ASCII.backslash:
                hasEscapes = true
                here = try skipEscape(here)
            case 0x80...:
                here = try skipMultibyteText(here)
            default:
                throw JSONSyntaxError(position: here, expected: .escapedControlCharacter)
            }
        }
    }

    /// Skips plain ASCII: up to the next quote, backslash, control character or byte above 0x7F.
    @inlinable @inline(__always)
    func skipPlainText(_ start: Position) -> Position {
        var here = start
        while end - here >= 8 {
            let stops = Self.stops(in: UnsafeRawPointer(here).loadUnaligned(as: UInt64.self))
            guard stops == 0 else { return here + stops.trailingZeroBitCount >> 3 }
            here += 8
        }
        while here < end {
            let byte = here.pointee
            if byte &- 0x20 >= 0x60 || byte == ASCII.quote || byte == ASCII.backslash { return here }
            here += 1
        }
        return here
    }

    /// A word whose lowest set bit lies in the first of eight bytes that is not plain ASCII; 0 if all eight are.
    ///
    /// Subtraction borrows from the byte above, so marks above the first may be wrong; the first never is. Bytes above
    /// 0x7F are marked by their own top bit.
    @inlinable @inline(__always)
    static func stops(in bytes: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: bytes)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let control = word &- ones &* 0x20
        let quote = (word ^ (ones &* UInt64(ASCII.quote))) &- ones
        let backslash = (word ^ (ones &* UInt64(ASCII.backslash))) &- ones
        return (control | quote | backslash | word) & (ones &* 0x80)
    }

    /// Checks one escape from the backslash on.
    @inlinable
    func skipEscape(_ backslash: Position) throws(JSONSyntaxError) -> Position {
        guard end - backslash >= 2 else { throw JSONSyntaxError(position: end, expected: .escape) }
        switch backslash[1] {
        case ASCII.quote, ASCII.backslash, ASCII.slash, ASCII.letter("b"), ASCII.letter("f"), ASCII.letter("n"),
            ASCII.letter("r"), ASCII.letter("t"):
            return backslash + 2
        case ASCII.letter("u"):
            break
        default:
            throw JSONSyntaxError(position: backslash + 1, expected: .escape)
        }
        for index in 2..<6 {
            guard backslash + index < end, JSONText.hexDigit(backslash[index]) != nil else {
                throw JSONSyntaxError(position: Swift.min(backslash + index, end), expected: .hexDigits)
            }
        }
        return backslash + 6
    }

    /// Checks a run of non-ASCII characters: shortest form only, no surrogates, nothing past U+10FFFF.
    @inlinable
    func skipMultibyteText(_ start: Position) throws(JSONSyntaxError) -> Position {
        var here = start
        while here < end, here.pointee >= 0x80 {
            if end - here >= 8, Self.areTwoByteCharacters(UnsafeRawPointer(here).loadUnaligned(as: UInt64.self)) {
                here += 8
                continue
            }
            guard let length = UTF8Text.length(here, end) else {
                throw JSONSyntaxError(position: here, expected: .utf8)
            }
            here += length
        }
        return here
    }

    /// Whether the eight bytes are four two-byte characters, typical of Cyrillic, Greek, Arabic and Hebrew words.
    @inlinable @inline(__always)
    static func areTwoByteCharacters(_ bytes: UInt64) -> Bool {
        let word = UInt64(littleEndian: bytes)
        let lanes: UInt64 = 0x0001_0001_0001_0001
        guard word & (lanes &* 0xC0E0) == lanes &* 0x80C0 else { return false }
        // A lead byte of 0xC0 or 0xC1 has none of these bits; any other carries into the ninth.
        return ((word & (lanes &* 0x001E)) &+ lanes &* 0x00FE) & (lanes &* 0x0100) == lanes &* 0x0100
    }
}
