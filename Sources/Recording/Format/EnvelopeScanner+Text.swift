import Bytes

extension EnvelopeScanner {
    /// JSON's whitespace; stops at the line's end.
    @inline(__always)
    func skipSpace(_ start: Position) -> Position {
        var here = start
        while here.pointee <= 0x20, here < lineEnd {
            switch here.pointee {
            case 0x20, 0x09, 0x0D: here += 1
            default: return here
            }
        }
        return here
    }

    /// The unescaped bytes of a string. `here` enters at the opening quote and leaves after the closing one.
    @inline(__always)
    func string(_ here: inout Position) throws(EnvelopeError) -> Bytes {
        let first = here + 1
        var stop = first
        while true {
            let stops = Self.stops(in: UnsafeRawPointer(stop).loadUnaligned(as: UInt64.self))
            if stops != 0 {
                stop += stops.trailingZeroBitCount >> 3
                break
            }
            stop += 8
        }
        // The line feed after the line is a stop, so no byte beyond it was taken for text.
        if stop.pointee == UInt8(ascii: "\"") {
            here = stop + 1
            return Bytes(start: first, count: stop - first)
        }
        return try unescape(from: first, to: stop, &here)
    }

    /// Copies a string into the scanner's own memory, with its escapes replaced.
    /// - Parameter stop: the first place that is not plain text.
    private func unescape(
        from first: Position, to stop: Position, _ here: inout Position
    ) throws(EnvelopeError) -> Bytes {
        let begin = textEnd
        begin.update(from: first, count: stop - first)
        var out = begin + (stop - first)
        var at = stop
        while true {
            let byte = at.pointee
            if byte == UInt8(ascii: "\\") {
                // Quotes within quotes are nearly all.
                if at[1] == UInt8(ascii: "\"") {
                    out.pointee = at[1]
                    (at, out) = (at + 2, out + 1)
                } else {
                    out += UTF8Text.encode(try escape(&at), to: out)
                }
            } else if byte == UInt8(ascii: "\"") {
                here = at + 1
                textEnd = out
                return Bytes(start: begin, count: out - begin)
            } else if at >= lineEnd {
                throw problem(lineEnd, "the line ends in the middle of a string")
            } else {
                throw problem(at, "a control character (\(character(at))) must be escaped in a string")
            }
            // Copies plain text up to the next stop, a word at a time; later bytes overwrite the surplus.
            while true {
                let word = UnsafeRawPointer(at).loadUnaligned(as: UInt64.self)
                UnsafeMutableRawPointer(out).storeBytes(of: word, as: UInt64.self)
                let stops = Self.stops(in: word)
                if stops != 0 {
                    let count = stops.trailingZeroBitCount >> 3
                    at += count
                    out += count
                    break
                }
                at += 8
                out += 8
            }
        }
    }

    /// A word whose lowest set bit lies in the first of eight bytes that is a quote, a backslash or a control
    /// character; 0 when there is none. Subtraction borrows from the byte above, so only the lowest mark is reliable;
    /// no other is needed.
    @inline(__always)
    private static func stops(in bytes: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: bytes)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let backslash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let control = (word &- ones &* 0x20) & ~word
        return (control | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)) & (ones &* 0x80)
    }

    /// The character of the escape at a backslash, or of the two of a surrogate pair. In UTF-8 it is never longer than
    /// the escape.
    /// - Parameter at: leaves after the escape.
    private func escape(_ at: inout Position) throws(EnvelopeError) -> UInt32 {
        let start = at
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            break
        case UInt8(ascii: "u"): try checkCodeUnit(at + 2)
        default:
            throw problem(at + 1, "expected one of \" \\ / b f n r t u after a backslash, found \(character(at + 1))")
        }
        let scalar = JSONText.next(&at, lineEnd)
        guard JSONText.isSurrogate(scalar) else { return scalar }
        if scalar <= 0xDBFF, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u") { try checkCodeUnit(at + 2) }
        let unit = String(scalar, radix: 16, uppercase: true)
        throw problem(start, "half a surrogate pair (\\u\(unit)) stands for no bytes")
    }

    private func checkCodeUnit(_ start: Position) throws(EnvelopeError) {
        // The line feed after the line is no digit, so no byte beyond it is read.
        if JSONText.codeUnit(start) != nil { return }
        var here = start
        while JSONText.hexDigit(here.pointee) != nil { here += 1 }
        throw problem(here, "expected four hexadecimal digits after \\u, found \(character(here))")
    }

    // MARK: Numbers and words

    /// A whole number in JSON's notation.
    func integer(_ here: inout Position, field: StaticString) throws(EnvelopeError) -> Int64 {
        let start = here
        let isNegative = here.pointee == UInt8(ascii: "-")
        if isNegative { here += 1 }
        let firstDigit = here
        // Counts downwards, since the smallest number has no positive counterpart.
        var value: Int64 = 0
        var overflows = false
        while case let digit = here.pointee &- 0x30, digit <= 9 {
            // Eighteen digits always fit.
            if here - firstDigit < 18 {
                value = value &* 10 &- Int64(digit)
            } else {
                let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
                let (sum, sumOverflows) = product.subtractingReportingOverflow(Int64(digit))
                overflows = overflows || productOverflows || sumOverflows
                value = sum
            }
            here += 1
        }
        let count = here - firstDigit
        let isCutOrOther =
            count == 0 || here.pointee == UInt8(ascii: ".") || here.pointee | 0x20 == UInt8(ascii: "e")
        guard !isCutOrOther, count == 1 || firstDigit.pointee != UInt8(ascii: "0") else {
            throw problem(count == 0 ? here : start, "'\(field)' must be a whole number, found \(character(start))")
        }
        if !isNegative {
            let (positive, negationOverflows) = Int64(0).subtractingReportingOverflow(value)
            overflows = overflows || negationOverflows
            value = positive
        }
        guard !overflows else { throw problem(start, "the number of '\(field)' does not fit into 64 bits") }
        return value
    }

    func word(_ word: StaticString, _ here: inout Position) throws(EnvelopeError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard here[index] == word.utf8Start[index] else {
                throw problem(here + index, "expected '\(word)', found \(character(here + index))")
            }
        }
        here += word.utf8CodeUnitCount
    }

    /// Passes over `null` if it is here.
    @inline(__always)
    func isNull(_ here: inout Position) throws(EnvelopeError) -> Bool {
        guard here.pointee == UInt8(ascii: "n") else { return false }
        try word("null", &here)
        return true
    }

    // MARK: Errors

    @inline(never)
    func problem(_ here: Position, _ reason: String) -> EnvelopeError {
        EnvelopeError(place: min(here, lineEnd) - lineStart, reason: reason)
    }

    /// The character at a place, for error texts.
    @inline(never)
    func character(_ here: Position) -> String {
        guard here < lineEnd else { return "the line's end" }
        switch here.pointee {
        case 0x21...0x7E: return "'\(Unicode.Scalar(here.pointee))'"
        case 0xEF where lineEnd - here >= 3 && here[1] == 0xBB && here[2] == 0xBF: return "a byte order mark"
        case let byte: return "the byte 0x\(String(byte, radix: 16, uppercase: true))"
        }
    }
}
