/// Sebastiano Vigna's SplitMix64: small, fast, and the same on every machine, which the standard library's generators do not
/// promise.
package struct SplitMix64: Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// A generator of its own for each record: what one record draws does not depend on how much the others drew.
    /// - Parameters:
    ///   - stream: tells kinds of records apart.
    ///   - index: the record's number in its stream.
    @inline(__always)
    init(seed: UInt64, stream: UInt64, index: Int) {
        state =
            Self.mix(seed &+ Self.mix(stream)) &+ Self.mix(UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03)
    }

    @inline(__always)
    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// 0 up to but not including `bound`, which is above 0. Uneven by less than `bound` / 2^64.
    @inline(__always)
    package mutating func next(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }

    /// True in `share` of the cases.
    @inline(__always)
    mutating func chance(_ share: Double) -> Bool {
        // 53 bits fill a Double exactly.
        Double(next() >> 11) < share * 0x1p53
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
