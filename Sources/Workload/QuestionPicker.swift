/// Draws question numbers according to a plan's skew.
struct QuestionPicker: Sendable {
    private let count: Int
    /// By rank: the number of draws, out of 2^53, that fall on this rank or an earlier one. Empty: uniform.
    private let cumulative: [UInt64]
    private let spread: Spread

    init(_ plan: WorkloadPlan) {
        count = plan.questions
        spread = Spread(count: plan.questions, seed: plan.seed)
        switch plan.skew {
        case .uniform: cumulative = []
        case .zipf(let exponent): cumulative = Self.zipf(count: plan.questions, exponent: exponent)
        }
    }

    /// A question number, from 0 up to the plan's `questions`, exclusive.
    @inline(__always)
    func draw(_ random: inout SplitMix64) -> Int {
        guard !cumulative.isEmpty else { return random.next(below: count) }
        let drawn = random.next() >> 11
        var low = 0
        var high = count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > drawn { high = middle } else { low = middle + 1 }
        }
        return spread[low]
    }

    private static func zipf(count: Int, exponent: Double) -> [UInt64] {
        var sum = 0.0
        var sums: [Double] = []
        sums.reserveCapacity(count)
        for rank in 1...count {
            sum += ExactMath.power(Double(rank), -exponent)
            sums.append(sum)
        }
        return sums.map { UInt64(($0 / sum) * 0x1p53) }
    }
}

/// A permutation of 0..<count that scatters neighbours in rank or time across the store.
struct Spread: Sendable {
    private let count: Int
    private let factor: Int
    private let offset: Int

    init(count: Int, seed: UInt64) {
        self.count = count
        var random = SplitMix64(seed: seed, stream: 0x5EED, index: 0)
        offset = random.next(below: count)
        var factor = count / 2 + random.next(below: count / 2 + 1) | 1
        while Self.greatestCommonDivisor(factor, count) != 1 { factor += 2 }
        self.factor = factor
    }

    @inline(__always)
    subscript(index: Int) -> Int { (index * factor + offset) % count }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        var (first, second) = (first, second)
        while second != 0 { (first, second) = (second, first % second) }
        return first
    }
}

/// Powers by addition, multiplication and division only, which IEEE 754 rounds identically everywhere; the C library's
/// `pow` differs between machines in the last bit.
enum ExactMath {
    /// - Parameter base: at least 1.
    static func power(_ base: Double, _ exponent: Double) -> Double { exponential(exponent * logarithm(base)) }

    private static let ln2 = 0.693147180559945309417

    private static func logarithm(_ value: Double) -> Double {
        // value = significand * 2^e; ln(significand) = 2 artanh((s - 1) / (s + 1)), a series that converges fast below
        // 1/3.
        let ratio = (value.significand - 1) / (value.significand + 1)
        let square = ratio * ratio
        var term = ratio
        var sum = 0.0
        var divisor = 1.0
        while divisor < 60 {
            sum += term / divisor
            term *= square
            divisor += 2
        }
        return 2 * sum + Double(value.exponent) * ln2
    }

    private static func exponential(_ value: Double) -> Double {
        let twos = (value / ln2).rounded()
        let rest = value - twos * ln2
        var term = 1.0
        var sum = 1.0
        var index = 1.0
        while index < 24 {
            term = term * rest / index
            sum += term
            index += 1
        }
        return Double(sign: .plus, exponent: Int(max(-1_000, min(1_000, twos))), significand: 1) * sum
    }
}
