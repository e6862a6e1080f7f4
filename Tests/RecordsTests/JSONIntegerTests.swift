import Testing

@testable import Records

struct JSONIntegerTests {
    @Test(arguments: [
        ("0", JSONInteger.value(0)), ("-0", .value(0)), ("-0.0e9", .value(0)),
        ("0e999999999999999999999999", .value(0)),
        ("0.000e-999999999999999999999999", .value(0)), ("3", .value(3)), ("3.0", .value(3)), ("300e-2", .value(3)),
        ("0.0003e4", .value(3)), ("-0.0003E+0004", .value(-3)), ("12.50e1", .value(125)),
        ("1e15", .value(1_000_000_000_000_000)),
        ("9007199254740992", .value(1 << 53)), ("-9007199254740992", .value(-(1 << 53))),
        ("9007199254740992.000", .value(1 << 53)), ("90071992547409.92e2", .value(1 << 53)),
        ("9007199254740993", .beyondRange), ("-9007199254740993", .beyondRange), ("9007199254740993.0", .beyondRange),
        ("1e16", .beyondRange), ("1e400", .beyondRange), ("1e999999999999999999999999", .beyondRange),
        ("999999999999999999", .beyondRange), ("9999999999999999999", .beyondRange),
        ("123456789012345678901234567890", .beyondRange),
        ("0.5", .notAnInteger), ("5e-1", .notAnInteger), ("1e-400", .notAnInteger),
        ("1e-999999999999999999999999", .notAnInteger),
        ("9007199254740992.5", .notAnInteger), ("123456789012345678901234567890.5", .notAnInteger),
        ("12.34e1", .notAnInteger),
    ])
    func reads(text: String, expected: JSONInteger) {
        #expect(read(text) == expected)
    }

    /// The same number written in every way that the point and the exponent allow.
    @Test func everySpellingIsTheSameInteger() {
        for integer in [1, 7, 10, 120, 9_007_199_254_740_992, 9_007_199_254_740_991, 1_000_000_000_000_000] as [Int64] {
            for shift in -40...40 {
                for sign in [1, -1] as [Int64] {
                    #expect(read(spelled(integer * sign, shift: shift)) == .value(integer * sign))
                }
            }
        }
    }

    /// The digits with the point moved `shift` places to the left and an exponent that moves it back.
    private func spelled(_ integer: Int64, shift: Int) -> String {
        var digits = String(integer.magnitude)
        if shift <= 0 {
            digits += String(repeating: "0", count: -shift)
        } else {
            digits = String(repeating: "0", count: max(0, shift + 1 - digits.count)) + digits
            digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -shift))
            // JSON has no zero before another digit.
            while digits.hasPrefix("0"), !digits.hasPrefix("0.") { digits.removeFirst() }
        }
        return (integer < 0 ? "-" : "") + digits + "e\(shift)"
    }

    private func read(_ text: String) -> JSONInteger? {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { JSONInteger(from: $0, to: $0 + bytes.count) }
        }
    }
}
