/// Numbers as they appear in the enriched value: plain decimal, written without allocation.
enum DecimalNumber {
    /// Number of digits, 1 to 20.
    @inline(__always)
    static func length(of number: UInt64) -> Int {
        if number < 10 { return 1 }
        var length = 1
        var rest = number / 10
        while rest > 0 {
            length += 1
            rest /= 10
        }
        return length
    }

    /// Writes the digits and returns their number.
    @inline(__always)
    static func write(_ number: UInt64, to target: UnsafeMutableRawPointer) -> Int {
        if number < 10 {
            target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: number), as: UInt8.self)
            return 1
        }
        let length = length(of: number)
        var rest = number
        for place in stride(from: length - 1, through: 0, by: -1) {
            target.storeBytes(of: 0x30 &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        }
        return length
    }
}

/// An answer's label in an enriched value: voteCount 3 gives `+4`.
///
/// The label is voteCount + 1, with a leading `+` where voteCount >= 0, plain otherwise: 0 gives `+1`, -1 gives `0`,
/// -3 gives `-2`. Correct for every Int64.
package struct VoteLabel {
    let sign: UInt8?
    let digits: UInt64

    /// - Parameter voteCount: any Int64; the label of the largest does not overflow.
    package init(voteCount: Int64) {
        if voteCount >= 0 {
            sign = 0x2B
            digits = UInt64(voteCount) + 1
        } else {
            // At most 0, so the sum cannot overflow.
            let number = voteCount + 1
            sign = number < 0 ? 0x2D : nil
            digits = number.magnitude
        }
    }

    var length: Int { (sign == nil ? 0 : 1) + DecimalNumber.length(of: digits) }

    /// Writes the label and returns its length.
    @inline(__always)
    func write(to target: UnsafeMutableRawPointer) -> Int {
        guard let sign else { return DecimalNumber.write(digits, to: target) }
        target.storeBytes(of: sign, as: UInt8.self)
        return 1 + DecimalNumber.write(digits, to: target + 1)
    }
}

extension VoteLabel: CustomStringConvertible {
    /// For people and for tests; enriched values are written by bytes.
    package var description: String { (sign.map { String(UnicodeScalar($0)) } ?? "") + String(digits) }
}
