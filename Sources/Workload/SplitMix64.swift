/// Sebastiano Vigna's SplitMix64: small, fast, and reproducible on every machine, which the standard library's
/// generators do not promise.
struct SplitMix64: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// A generator for one record, so that its draws do not depend on the number of draws for other records.
    /// - Parameters:
    ///   - stream: distinguishes kinds of records.
    ///   - index: the record's number in its stream.
    @inline(__always)
    init(seed: UInt64, stream: UInt64, index: Int) {
        state =
            Self.mix(seed &+ Self.mix(stream)) &+ Self.mix(UInt64(truncatingIfNeeded: index) &* 0xD1B5_4A32_D192_ED03)
    }

    @inline(__always)
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// A number from 0 up to `bound`, exclusive; `bound` must be positive. Biased by less than `bound` / 2^64.
    @inline(__always)
    mutating func next(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
    }

    /// True with probability `share`.
    @inline(__always)
    mutating func chance(_ share: Double) -> Bool {
        // A Double represents 53 bits exactly.
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
