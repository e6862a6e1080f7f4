/// Replaces letters and digits, one by one, by others of the same kind and the same length in UTF-8.
///
/// The result depends on the text alone: the same text becomes the same in every field, file and run. It cannot be
/// reversed, but a guessed text can be verified, as there is no secret in it.
struct LetterSubstitution {
    /// FNV-1a over the text's characters.
    struct Seed {
        fileprivate var hash: UInt64 = 0xCBF2_9CE4_8422_2325

        mutating func add(_ scalar: UInt32) {
            hash = (hash ^ UInt64(scalar)) &* 0x0000_0100_0000_01B3
        }
    }

    private var state: UInt64

    init(_ seed: Seed) { state = seed.hash }

    /// SplitMix64: the next of a sequence of pseudo-random numbers.
    private mutating func next(below bound: UInt32) -> UInt32 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: (mixed ^ mixed >> 31) >> 32) % bound
    }

    /// Another letter for a letter, another digit for a digit; other characters unchanged.
    mutating func replacement(of scalar: UInt32) -> UInt32 {
        switch scalar {
        case 0x30...0x39: return shift(scalar, in: 0x30, count: 10)
        case 0x41...0x5A: return shift(scalar, in: 0x41, count: 26)
        case 0x61...0x7A: return shift(scalar, in: 0x61, count: 26)
        case ..<0x80: return scalar
        // Han and Hangul: any of thousands.
        case 0x4E00...0x9FFF: return shift(scalar, in: 0x4E00, count: 0x5200)
        case 0xAC00...0xD7A3: return shift(scalar, in: 0xAC00, count: 11_172)
        default: return beyondASCII(scalar)
        }
    }

    private mutating func shift(_ scalar: UInt32, in first: UInt32, count: UInt32) -> UInt32 {
        first + (scalar - first + 1 + next(below: count - 1)) % count
    }

    /// A neighbour of the same category. The 64 scalars whose UTF-8 differs in the last byte alone are mostly of one
    /// script.
    private mutating func beyondASCII(_ scalar: UInt32) -> UInt32 {
        guard let category = Self.category(scalar) else { return scalar }
        let start = next(below: 64)
        for step in 0..<64 as Range<UInt32> {
            let candidate = scalar & ~63 | (start + step) & 63
            if candidate != scalar, Self.category(candidate) == category { return candidate }
        }
        // The only one of its kind there: any letter of the same length.
        return switch scalar {
        case ..<0x800: scalar == 0xE9 ? 0xE8 : 0xE9
        case ..<0x10000: shift(0x4E00, in: 0x4E00, count: 0x5200)
        default: shift(0x20000, in: 0x20000, count: 0xA6D0)
        }
    }

    /// The category of a letter or a number; nil for other characters.
    static func category(_ scalar: UInt32) -> Unicode.GeneralCategory? {
        guard let category = Unicode.Scalar(scalar)?.properties.generalCategory else { return nil }
        return switch category {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            category
        default: nil
        }
    }
}
