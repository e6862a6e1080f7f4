import Foundation

/// Decimal numbers of any size as digits: no floating point, so that an id of 19 digits keeps them all.
enum DecimalText {
    /// The number of a Connect `Decimal`: an unscaled integer in two's complement, big endian.
    static func decimal(base64: String, scale: Int) -> String? {
        guard let bytes = Data(base64Encoded: base64), !bytes.isEmpty else { return nil }
        return decimal(twosComplement: Array(bytes), scale: scale)
    }

    /// - Parameter bytes: the unscaled integer, at least one byte; nil above ``longestInteger``.
    static func decimal(twosComplement bytes: [UInt8], scale: Int) -> String? {
        guard bytes.count <= longestInteger else { return nil }
        return shift(digits(ofTwosComplement: bytes), scale: scale)
    }

    /// A clause for people, where a text that is no number may be a decimal's bytes; "" where it is none.
    static func hint(onBase64 text: String) -> String {
        guard text.utf8.contains(where: { 0x41...0x5A ~= $0 }), decimal(base64: text, scale: 0) != nil else {
            return ""
        }
        return
            "; if the column is a decimal, its records come without Connect's schema, which has the scale: set "
            + "decimal.handling.mode: string in the connector"
    }

    /// In bytes: the cost of the digits grows with the square of it.
    private static let longestInteger = 4096

    /// The integer of a JSON number, as digits with an optional minus: "42" for 42, 42.0 and 4.2e1. nil: it is no
    /// integer, or has more than 200 digits.
    static func integer(_ number: String) -> String? {
        // Text may have zeros in front, which JSON does not allow.
        if 0x31...0x39 ~= number.utf8.first ?? 0 || number == "0", number.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) {
            return number
        }
        let isNegative = number.utf8.first == UInt8(ascii: "-")
        if isNegative, 0x31...0x39 ~= number.utf8.dropFirst().first ?? 0,
            number.utf8.count <= 200, number.utf8.dropFirst().allSatisfy({ 0x30...0x39 ~= $0 })
        {
            return number
        }
        let parts = number.lowercased().drop { $0 == "-" }.split(separator: "e", omittingEmptySubsequences: false)
        guard let mantissa = parts.first, parts.count <= 2 else { return nil }
        let exponent = parts.count == 2 ? Int(parts[1]) : 0
        guard let exponent, -999...999 ~= exponent else { return nil }
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count <= 2, halves.allSatisfy({ $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }) else { return nil }
        let fraction = halves.count == 2 ? halves[1] : ""
        var digits = String(halves[0]) + fraction
        guard !digits.isEmpty else { return nil }
        let shift = exponent - fraction.count
        if shift >= 0 {
            digits += String(repeating: "0", count: shift)
        } else {
            guard digits.suffix(-shift).allSatisfy({ $0 == "0" }) else { return nil }
            digits = String(digits.dropLast(-shift))
        }
        digits = String(digits.drop { $0 == "0" })
        if digits.isEmpty { return "0" }
        return digits.count > 200 ? nil : (isNegative ? "-" : "") + digits
    }

    /// Whether two texts are the same number: 1, 1.0 and 10e-1. False where either is no number.
    static func areEqual(_ a: String, _ b: String) -> Bool {
        // Integers have one way of being written.
        guard hasPointOrExponent(a) || hasPointOrExponent(b), let a = normal(a), let b = normal(b) else { return false }
        return a == b
    }

    private static func hasPointOrExponent(_ number: String) -> Bool {
        number.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }
    }

    /// A number times a power of ten, rounded down to an integer; nil: it is no number, or has more than 30 digits.
    static func floor(_ number: String, timesTenTo power: Int) -> Int128? {
        guard let (isNegative, digits, exponent) = normal(number) else { return nil }
        let shift = exponent + power
        guard digits.utf8.count + shift <= 30 else { return nil }
        let whole =
            shift >= 0
            ? Int128(digits + String(repeating: "0", count: shift)) : Int128("0" + digits.dropLast(-shift))
        // Digits are dropped where there are some below the point: the last one is never a zero.
        return whole.map { isNegative ? -$0 - (shift < 0 ? 1 : 0) : $0 }
    }

    /// The digits without zeros at either end, and the power of ten that they are multiplied by.
    private static func normal(_ number: String) -> (isNegative: Bool, digits: String, exponent: Int)? {
        guard isNumber(number) else { return nil }
        let parts = number.lowercased().drop { $0 == "-" }.split(separator: "e")
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0, -1_000_000...1_000_000 ~= exponent else {
            return nil
        }
        let halves = parts[0].split(separator: ".")
        let digits = halves.joined()
        let significant = digits.prefix(digits.utf8.count - digits.utf8.reversed().prefix { $0 == 0x30 }.count)
        if significant.isEmpty { return (false, "0", 0) }
        let fraction = halves.count == 2 ? halves[1].utf8.count : 0
        return (
            number.hasPrefix("-"), String(significant.drop { $0 == "0" }),
            exponent - fraction + digits.utf8.count - significant.utf8.count
        )
    }

    /// Whether a text is a number as JSON writes it.
    static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text)
        if rest.first == "-" { rest = rest.dropFirst() }
        func digits() -> Int {
            let count = rest.utf8.prefix { 0x30...0x39 ~= $0 }.count
            rest = rest.dropFirst(count)
            return count
        }
        let isZero = rest.first == "0"
        let count = digits()
        guard count > 0, !isZero || count == 1 else { return false }
        if rest.first == "." {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private static func digits(ofTwosComplement bytes: [UInt8]) -> String {
        let isNegative = bytes[0] & 0x80 != 0
        var magnitude = bytes
        if isNegative {
            var carry = true
            for index in magnitude.indices.reversed() {
                magnitude[index] = ~magnitude[index]
                if carry { (magnitude[index], carry) = magnitude[index].addingReportingOverflow(1) }
            }
        }
        // Base 256 to base 10^9, most significant first.
        var limbs: [UInt64] = [0]
        for byte in magnitude {
            var carry = UInt64(byte)
            for index in limbs.indices {
                let value = limbs[index] * 256 + carry
                limbs[index] = value % 1_000_000_000
                carry = value / 1_000_000_000
            }
            if carry > 0 { limbs.append(carry) }
        }
        var text = String(limbs[limbs.count - 1])
        for limb in limbs.dropLast().reversed() {
            let digits = String(limb)
            text += String(repeating: "0", count: 9 - digits.count) + digits
        }
        return isNegative && text != "0" ? "-" + text : text
    }

    /// Puts the decimal point `scale` digits from the right.
    private static func shift(_ integer: String, scale: Int) -> String? {
        guard -10_000...10_000 ~= scale else { return nil }
        let isNegative = integer.hasPrefix("-")
        var digits = isNegative ? String(integer.dropFirst()) : integer
        if scale <= 0 {
            if digits != "0" { digits += String(repeating: "0", count: -scale) }
        } else {
            if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
        }
        return (isNegative ? "-" : "") + digits
    }
}
