import Bytes

/// The exact integer that a JSON number denotes, if it is one, in any notation.
///
/// `3`, `3.0` and `300e-2` are the same integer, as in JSON Schema. Floating point would not do: it rounds
/// 9007199254740993 and overflows at 1e400.
enum JSONInteger: Equatable {
    /// The largest magnitude read: 2^53, the limit up to which every JSON reader represents integers exactly.
    static let largestMagnitude: Int64 = 1 << 53

    case value(Int64)
    /// An integer with a magnitude above `largestMagnitude`.
    case beyondRange
    case notAnInteger

    /// Reads a number that `JSONScanner` has checked.
    init(from start: Position, to end: Position) {
        let isNegative = start < end && start.pointee == ASCII.minus
        let first = isNegative ? start + 1 : start

        // The usual case: only digits, and few enough not to overflow.
        if end - first <= 18 {
            var magnitude: Int64 = 0
            var here = first
            while here < end, ASCII.isDigit(here.pointee) {
                magnitude = magnitude &* 10 &+ Int64(here.pointee &- ASCII.zero)
                here += 1
            }
            if here == end {
                self = Self(magnitude: magnitude, isNegative: isNegative)
                return
            }
        }
        self.init(digitsFrom: first, to: end, isNegative: isNegative)
    }

    private init(magnitude: Int64, isNegative: Bool) {
        if magnitude > Self.largestMagnitude {
            self = .beyondRange
        } else {
            self = .value(isNegative ? -magnitude : magnitude)
        }
    }

    /// Treats the digits as one sequence without the point, and locates the first and last non-zero digit relative to
    /// the units digit after the exponent has moved the point.
    private init(digitsFrom first: Position, to end: Position, isNegative: Bool) {
        var magnitude: Int64 = 0
        var digitCount = 0
        var firstSignificant = -1
        var lastSignificant = -1
        var pointAt = -1
        var here = first
        while here < end, here.pointee | ASCII.lowercaseBit != ASCII.letter("e") {
            let byte = here.pointee
            here += 1
            guard byte != ASCII.point else {
                pointAt = digitCount
                continue
            }
            if byte != ASCII.zero {
                if firstSignificant < 0 { firstSignificant = digitCount }
                lastSignificant = digitCount
            }
            digitCount += 1
        }
        guard firstSignificant >= 0 else {
            self = .value(0)
            return
        }
        // Indices count digits from the left; `unitsAt` is the index of the units digit.
        let integerDigits = pointAt < 0 ? digitCount : pointAt
        let unitsAt = integerDigits - 1 + Self.exponent(from: here, to: end)
        guard lastSignificant <= unitsAt else {
            self = .notAnInteger
            return
        }
        // 2^53 has 16 digits.
        guard unitsAt - firstSignificant < 16 else {
            self = .beyondRange
            return
        }
        var index = 0
        here = first
        while index <= unitsAt {
            var digit: UInt8 = 0
            if index < digitCount {
                if here.pointee == ASCII.point { here += 1 }
                digit = here.pointee &- ASCII.zero
                here += 1
            }
            if index >= firstSignificant { magnitude = magnitude * 10 + Int64(digit) }
            index += 1
        }
        self.init(magnitude: magnitude, isNegative: isNegative)
    }

    /// The exponent, from its `e` on; 0 when there is none. Clamped to a magnitude beyond any digit count in memory, so
    /// sums with it cannot overflow.
    private static func exponent(from start: Position, to end: Position) -> Int {
        guard start < end else { return 0 }
        var here = start + 1
        var isNegative = false
        if here < end, !ASCII.isDigit(here.pointee) {
            isNegative = here.pointee == ASCII.minus
            here += 1
        }
        let most = 1 << 60
        var exponent = 0
        while here < end, exponent < most {
            exponent = exponent < most / 16 ? exponent * 10 + Int(here.pointee &- ASCII.zero) : most
            here += 1
        }
        return isNegative ? -exponent : exponent
    }
}
