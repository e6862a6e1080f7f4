/// A JSON value of a log line.
///
/// Reads a day's log in a tenth of the time of Foundation's parser. Callers handle missing and surplus fields.
enum LogValue: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        var name: String
        var value: LogValue
    }

    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case array([LogValue])
    /// In the line's order.
    case object([Field])

    /// - Returns: nil where the bytes are not one whole JSON value, or nest deeper than 64 levels.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        var reader = LogValueReader(bytes: bytes)
        guard let value = reader.whole() else { return nil }
        self = value
    }

    init?(_ text: String) {
        var text = text
        guard let value = text.withUTF8({ LogValue($0) }) else { return nil }
        self = value
    }

    subscript(name: String) -> LogValue? {
        guard case .object(let fields) = self else { return nil }
        for field in fields where field.name == name { return field.value }
        return nil
    }

    func text(_ name: String) -> String? {
        guard case .text(let text) = self[name] else { return nil }
        return text
    }

    func int(_ name: String) -> Int? {
        switch self[name] {
        case .integer(let number): number
        case .number(let number): Int(exactly: number.rounded())
        default: nil
        }
    }

    func double(_ name: String) -> Double? {
        switch self[name] {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    var elements: [LogValue] {
        guard case .array(let values) = self else { return [] }
        return values
    }

    var fields: [Field] {
        guard case .object(let fields) = self else { return [] }
        return fields
    }
}

/// Reads one JSON value (RFC 8259). Malformed bytes give nil and never trap.
private struct LogValueReader {
    private static let maxDepth = 64

    let bytes: UnsafeBufferPointer<UInt8>
    var index = 0
    var depth = 0

    init(bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    mutating func whole() -> LogValue? {
        guard let value = value() else { return nil }
        skipSpace()
        return index == bytes.count ? value : nil
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        index += 1
        return true
    }

    private mutating func value() -> LogValue? {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return object()
        case UInt8(ascii: "["): return array()
        case UInt8(ascii: "\""): return string().map { .text($0) }
        case UInt8(ascii: "t"): return word("true") ? .flag(true) : nil
        case UInt8(ascii: "f"): return word("false") ? .flag(false) : nil
        case UInt8(ascii: "n"): return word("null") ? .null : nil
        default: return number()
        }
    }

    private mutating func word(_ word: StaticString) -> Bool {
        guard index + word.utf8CodeUnitCount <= bytes.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount where bytes[index + offset] != word.utf8Start[offset] { return false }
        index += word.utf8CodeUnitCount
        return true
    }

    private mutating func object() -> LogValue? {
        index += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { return nil }
        var fields: [LogValue.Field] = []
        if take(UInt8(ascii: "}")) { return .object(fields) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string(), take(UInt8(ascii: ":")), let value = value() else {
                return nil
            }
            fields.append(LogValue.Field(name: name, value: value))
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(fields) : nil
    }

    private mutating func array() -> LogValue? {
        index += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else { return nil }
        var values: [LogValue] = []
        if take(UInt8(ascii: "]")) { return .array(values) }
        repeat {
            guard let value = value() else { return nil }
            values.append(value)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .array(values) : nil
    }

    private mutating func string() -> String? {
        index += 1
        let start = index
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        guard let byte = next, byte >= 0x20 else { return nil }
        if byte == UInt8(ascii: "\"") {
            defer { index += 1 }
            return String(decoding: bytes[start..<index], as: UTF8.self)
        }
        return escaped(from: start)
    }

    private mutating func escaped(from start: Int) -> String? {
        var text = Array(bytes[start..<index])
        while let byte = next, byte >= 0x20 {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text += Array(String(scalar).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "u"):
            guard let unit = unit() else { return nil }
            guard 0xD800...0xDBFF ~= unit, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
                bytes[index + 1] == UInt8(ascii: "u")
            else { return Unicode.Scalar(unit) ?? "\u{FFFD}" }
            index += 2
            guard let low = self.unit() else { return nil }
            guard 0xDC00...0xDFFF ~= low else { return "\u{FFFD}" }
            return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        default: return nil
        }
    }

    /// Four hexadecimal digits.
    private mutating func unit() -> UInt32? {
        guard index + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
            index += 1
        }
        return unit
    }

    private mutating func number() -> LogValue? {
        let start = index
        if next == UInt8(ascii: "-") { index += 1 }
        let first = index
        var digits = 0
        var mantissa = 0
        var scale = 0
        var isPlain = true
        while let byte = next, 0x30...0x39 ~= byte {
            (mantissa, digits, index) =
                digits < 17 ? (mantissa * 10 + Int(byte - 0x30), digits + 1, index + 1) : (mantissa, 99, index + 1)
        }
        guard index > first, bytes[first] != 0x30 || index == first + 1 else { return nil }
        if next == UInt8(ascii: ".") {
            index += 1
            let fraction = index
            isPlain = false
            while let byte = next, 0x30...0x39 ~= byte {
                (mantissa, digits, index) =
                    digits < 17 ? (mantissa * 10 + Int(byte - 0x30), digits + 1, index + 1) : (mantissa, 99, index + 1)
                scale += 1
            }
            guard index > fraction else { return nil }
        }
        var hasExponent = false
        if let byte = next, byte | 0x20 == UInt8(ascii: "e") {
            index += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
            let exponent = index
            while let byte = next, 0x30...0x39 ~= byte { index += 1 }
            guard index > exponent else { return nil }
            (isPlain, hasExponent) = (false, true)
        }
        let sign = bytes[start] == UInt8(ascii: "-") ? -1 : 1
        if isPlain, digits <= 17 { return .integer(sign * mantissa) }
        // Both operands are exact as Double, so the quotient is the nearest Double to the decimal.
        if !hasExponent, digits <= 15, scale < Self.powers.count {
            return .number(Double(sign * mantissa) / Self.powers[scale])
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isPlain, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { return nil }
        return .number(number)
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]
}
