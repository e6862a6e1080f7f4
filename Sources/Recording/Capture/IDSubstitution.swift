/// Replaces an id by another of the same form: distinct ids stay distinct, and none keeps its text.
///
/// The replaceable letters and digits are the id's places; each holds a number below its radix (10 for a digit, 26 for
/// a letter). So the ids of one form (the same bytes between the places, the same radices) are vectors, and are
/// permuted among themselves. A Feistel network `P` (each half is shifted, place by place, by numbers that depend on
/// the other half) makes the bijection, and `P⁻¹(P(id) + 1)` also has no fixed point. As in ``LetterSubstitution`` the
/// result depends on the id alone, the same in every field, file and run, and there is no secret in it.
///
/// A digit string without a leading zero keeps its first digit above zero: 42 and "42" are the same id, so both must
/// become the same, and 07 is no integer in JSON.
struct IDSubstitution {
    private static let rounds: UInt64 = 8

    /// A replaceable letter or digit.
    private struct Place {
        /// The scalar's index in the id.
        let index: Int
        let alphabet: Alphabet
        var digit: UInt32
    }

    private var places: [Place] = []
    /// A hash of the form: the parts that all ids of this form share.
    private var form: UInt64 = 0xCBF2_9CE4_8422_2325

    /// - Returns: as many scalars, each of the same length in UTF-8. The id itself if none of them can be replaced.
    static func replacement(of id: [UInt32]) -> [UInt32] {
        var substitution = IDSubstitution(id)
        guard !substitution.places.isEmpty else { return id }
        substitution.permute()
        var result = id
        for place in substitution.places { result[place.index] = place.alphabet.scalar(place.digit) }
        return result
    }

    private init(_ id: [UInt32]) {
        let integer = Self.integerDigits(id)
        for (index, scalar) in id.enumerated() {
            let alphabet: Alphabet
            if let integer, index == integer, id.count > integer + 1 {
                // A leading zero stays zero; another first digit never becomes zero.
                alphabet = scalar == 0x30 ? .fixed(scalar) : .range(first: 0x31, count: 9)
            } else {
                alphabet = Alphabet(of: scalar)
            }
            mix(alphabet.form)
            if alphabet.count > 1 {
                places.append(Place(index: index, alphabet: alphabet, digit: alphabet.digit(scalar)))
            }
        }
    }

    /// The index of the first digit of an integer id (digits only, after an optional minus); nil for other ids.
    private static func integerDigits(_ id: [UInt32]) -> Int? {
        let first = id.first == 0x2D ? 1 : 0
        return id.count > first && id[first...].allSatisfy { 0x30...0x39 ~= $0 } ? first : nil
    }

    private mutating func mix(_ number: UInt64) { form = (form ^ number) &* 0x0000_0100_0000_01B3 }

    private mutating func permute() {
        for round in 0..<Self.rounds { shift(round, forwards: true) }
        for index in places.indices { places[index].digit = (places[index].digit + 1) % places[index].alphabet.count }
        for round in (0..<Self.rounds).reversed() { shift(round, forwards: false) }
    }

    /// Shifts every other place by numbers that depend on the rest.
    private mutating func shift(_ round: UInt64, forwards: Bool) {
        let half = Int(round & 1)
        var state = form &+ round &* 0x9E37_79B9_7F4A_7C15
        for index in places.indices where index & 1 != half {
            state = (state ^ UInt64(places[index].digit)) &* 0x0000_0100_0000_01B3
            state ^= state >> 29
        }
        for index in places.indices where index & 1 == half {
            state &+= 0x9E37_79B9_7F4A_7C15
            let count = places[index].alphabet.count
            let amount = UInt32(truncatingIfNeeded: Self.mixed(state) >> 32) % count
            places[index].digit = (places[index].digit + (forwards ? amount : count - amount)) % count
        }
    }

    private static func mixed(_ state: UInt64) -> UInt64 {
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// The scalars that may replace one: letters and digits of its kind, of the same length in UTF-8.
private enum Alphabet {
    /// No other scalar may.
    case fixed(UInt32)
    case range(first: UInt32, count: UInt32)
    /// Those of the same category among the 64 whose UTF-8 differs in the last byte alone.
    case listed([UInt32])

    init(of scalar: UInt32) {
        switch scalar {
        case 0x30...0x39: self = .range(first: 0x30, count: 10)
        case 0x41...0x5A: self = .range(first: 0x41, count: 26)
        case 0x61...0x7A: self = .range(first: 0x61, count: 26)
        case ..<0x80: self = .fixed(scalar)
        case 0x4E00...0x9FFF: self = .range(first: 0x4E00, count: 0x5200)
        case 0xAC00...0xD7A3: self = .range(first: 0xAC00, count: 11_172)
        default:
            guard let category = LetterSubstitution.category(scalar) else {
                self = .fixed(scalar)
                return
            }
            let block = scalar & ~63
            let kin = (block..<block + 64).filter { LetterSubstitution.category($0) == category }
            self = kin.count > 1 ? .listed(kin) : .fixed(scalar)
        }
    }

    var count: UInt32 {
        switch self {
        case .fixed: 1
        case .range(_, let count): count
        case .listed(let scalars): UInt32(scalars.count)
        }
    }

    /// Distinguishes alphabets.
    var form: UInt64 {
        switch self {
        case .fixed(let scalar): UInt64(scalar)
        case .range(let first, let count): UInt64(first) << 32 | UInt64(count) << 1 | 1
        case .listed(let scalars): UInt64(scalars[0]) << 32 | UInt64(scalars.count) << 1
        }
    }

    func digit(_ scalar: UInt32) -> UInt32 {
        switch self {
        case .fixed: 0
        case .range(let first, _): scalar - first
        case .listed(let scalars): UInt32(scalars.firstIndex(of: scalar) ?? 0)
        }
    }

    func scalar(_ digit: UInt32) -> UInt32 {
        switch self {
        case .fixed(let scalar): scalar
        case .range(let first, _): first + digit
        case .listed(let scalars): scalars[Int(digit)]
        }
    }
}
