/// Walks through a JSON text (RFC 8259, strictly), finds the strings of chosen fields and replaces their letters and
/// digits in place. Not recursive, so the text may be nested to any depth.
struct FieldWalk {
    private struct Frame {
        let isObject: Bool
        /// Index of the chosen field that contains this.
        let field: Int?
        /// The name of the member whose value is being read, without its quotes.
        var name: Range<Int> = 0..<0
    }

    private let text: UnsafeMutableBufferPointer<UInt8>
    private let fields: [RedactedField]
    private var frames: [Frame] = []
    private var place = 0

    private(set) var replaced: [Int]
    private(set) var numbersKept = 0

    init(text: UnsafeMutableBufferPointer<UInt8>, fields: [RedactedField]) {
        self.text = text
        self.fields = fields
        replaced = Array(repeating: 0, count: fields.count)
    }

    /// - Returns: false when the text is no JSON; some of it may have been replaced by then.
    mutating func run() -> Bool {
        var field: Int?
        value: while true {
            skipSpace()
            switch byte {
            case UInt8(ascii: "\""):
                guard let content = string() else { return false }
                if let field {
                    if isID { redactID(content) } else { redact(content) }
                    replaced[field] += 1
                }
            case UInt8(ascii: "{"):
                place += 1
                frames.append(Frame(isObject: true, field: field))
                skipSpace()
                if byte == UInt8(ascii: "}") {
                    place += 1
                    frames.removeLast()
                } else {
                    guard name(&field) else { return false }
                    continue value
                }
            case UInt8(ascii: "["):
                place += 1
                skipSpace()
                if byte == UInt8(ascii: "]") {
                    place += 1
                } else {
                    frames.append(Frame(isObject: false, field: field))
                    continue value
                }
            case UInt8(ascii: "-"), 0x30...0x39:
                let start = place
                guard number() else { return false }
                if let field {
                    if isID, isInteger(start..<place) {
                        redactID(start..<place)
                        replaced[field] += 1
                    } else {
                        numbersKept += 1
                    }
                }
            default:
                guard word("true") || word("false") || word("null") else { return false }
            }
            // A value has ended: close the objects and arrays that end with it, up to the next comma.
            while true {
                skipSpace()
                guard let frame = frames.last else { return place == text.count }
                if byte == UInt8(ascii: ",") {
                    place += 1
                    field = frame.field
                    if frame.isObject {
                        skipSpace()
                        guard name(&field) else { return false }
                    }
                    continue value
                }
                guard byte == UInt8(ascii: frame.isObject ? "}" : "]") else { return false }
                place += 1
                frames.removeLast()
            }
        }
    }

    /// Reads a member's name and colon; sets `field` to the chosen field that contains its value.
    private mutating func name(_ field: inout Int?) -> Bool {
        guard byte == UInt8(ascii: "\""), let name = string() else { return false }
        skipSpace()
        guard byte == UInt8(ascii: ":") else { return false }
        place += 1
        let last = frames.count - 1
        frames[last].name = name
        field = frames[last].field ?? fields.indices.first { isAt(fields[$0]) }
        return true
    }

    /// Whether the innermost names are the field's parts.
    private func isAt(_ field: RedactedField) -> Bool {
        var frame = frames.count - 1
        for part in field.parts.reversed() {
            while frame >= 0, !frames[frame].isObject { frame -= 1 }
            guard frame >= 0, isName(frames[frame].name, part) else { return false }
            frame -= 1
        }
        return true
    }

    private func isName(_ name: Range<Int>, _ part: [UInt8]) -> Bool {
        guard text[name].contains(UInt8(ascii: "\\")) else { return text[name].elementsEqual(part) }
        // Names with escapes are rare but valid, and must not slip through unredacted.
        var scalars = String.UnicodeScalarView()
        var here = name.lowerBound
        while here < name.upperBound, let (scalar, length) = character(here) {
            guard let scalar = Unicode.Scalar(scalar) else { return false }
            scalars.append(scalar)
            here += length
        }
        return String(scalars).utf8.elementsEqual(part)
    }

    // MARK: Strings

    /// Checks a string and passes over it. Returns its content without the quotes.
    private mutating func string() -> Range<Int>? {
        let start = place + 1
        var here = start
        while here < text.count {
            if text[here] == UInt8(ascii: "\"") {
                place = here + 1
                return start..<here
            }
            guard let (_, length) = character(here) else { return nil }
            here += length
        }
        return nil
    }

    /// The character at `here`, escaped or not, and its length in bytes; nil for malformed text. Half of a surrogate
    /// pair stands for itself: a record may hold it (RFC 8259, section 8.2).
    private func character(_ here: Int) -> (scalar: UInt32, length: Int)? {
        let first = text[here]
        guard first == UInt8(ascii: "\\") else {
            return first < 0x20 ? nil : TextScalar.decode(text, here)
        }
        guard here + 1 < text.count else { return nil }
        switch text[here + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return (UInt32(text[here + 1]), 2)
        case UInt8(ascii: "n"): return (0x0A, 2)
        case UInt8(ascii: "t"): return (0x09, 2)
        case UInt8(ascii: "r"): return (0x0D, 2)
        case UInt8(ascii: "b"): return (0x08, 2)
        case UInt8(ascii: "f"): return (0x0C, 2)
        case UInt8(ascii: "u"): break
        default: return nil
        }
        guard let unit = codeUnit(here + 2) else { return nil }
        guard 0xD800...0xDFFF ~= unit else { return (unit, 6) }
        guard unit < 0xDC00, here + 7 < text.count, text[here + 6] == UInt8(ascii: "\\"),
            text[here + 7] == UInt8(ascii: "u"), let low = codeUnit(here + 8), 0xDC00...0xDFFF ~= low
        else { return (unit, 6) }
        return (0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), 12)
    }

    private func codeUnit(_ here: Int) -> UInt32? {
        guard here + 4 <= text.count else { return nil }
        var unit: UInt32 = 0
        for byte in text[here..<here + 4] {
            switch byte {
            case 0x30...0x39: unit = unit << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: unit = unit << 4 | UInt32(byte - 0x41 + 10)
            case 0x61...0x66: unit = unit << 4 | UInt32(byte - 0x61 + 10)
            default: return nil
            }
        }
        return unit
    }

    /// Replaces a checked string's letters and digits. An escape stays an escape, so the length stays the same.
    private func redact(_ content: Range<Int>) {
        var seed = LetterSubstitution.Seed()
        var here = content.lowerBound
        while here < content.upperBound, let (scalar, length) = character(here) {
            seed.add(scalar)
            here += length
        }
        var substitution = LetterSubstitution(seed)
        here = content.lowerBound
        while here < content.upperBound, let (scalar, length) = character(here) {
            let other = substitution.replacement(of: scalar)
            if other != scalar { put(other, at: here, length) }
            here += length
        }
    }

    /// Writes a character over one of the same form: an escape stays an escape.
    private func put(_ scalar: UInt32, at here: Int, _ length: Int) {
        switch (text[here] == UInt8(ascii: "\\"), length) {
        case (false, _): TextScalar.encode(scalar, text, here)
        case (true, 6): putUnit(scalar, here + 2)
        default:
            putUnit(0xD800 + (scalar - 0x10000) >> 10, here + 2)
            putUnit(0xDC00 + (scalar - 0x10000) & 0x3FF, here + 8)
        }
    }

    /// Whether the value's name ends with "id". Such a text must stay one id, distinct from all others.
    private var isID: Bool {
        guard let frame = frames.last(where: \.isObject) else { return false }
        let name = text[frame.name]
        guard name.count > 2, !name.contains(UInt8(ascii: "\\")) else { return isName(frame.name, Array("id".utf8)) }
        let last = name.suffix(2)
        let (i, d, before) = (last[last.startIndex], last[last.startIndex + 1], name[last.startIndex - 1])
        switch (i, d) {
        // voterId, voterID: not in "valid" or "PAID".
        case (UInt8(ascii: "I"), UInt8(ascii: "d")): return true
        case (UInt8(ascii: "I"), UInt8(ascii: "D")): return !(0x41...0x5A ~= before)
        case (UInt8(ascii: "i"), UInt8(ascii: "d")): return before == UInt8(ascii: "_") || before == UInt8(ascii: "-")
        default: return false
        }
    }

    /// Whether the number is an integer as the contract allows in ids: digits only, after an optional minus.
    private func isInteger(_ number: Range<Int>) -> Bool {
        let digits = text[number.lowerBound] == UInt8(ascii: "-") ? number.dropFirst() : number
        return digits.allSatisfy { 0x30...0x39 ~= text[$0] }
    }

    /// Replaces an id (a string's content or an integer) so that distinct ids stay distinct.
    private func redactID(_ content: Range<Int>) {
        var scalars: [UInt32] = []
        var here = content.lowerBound
        while here < content.upperBound, let (scalar, length) = character(here) {
            scalars.append(scalar)
            here += length
        }
        here = content.lowerBound
        for (scalar, other) in zip(scalars, IDSubstitution.replacement(of: scalars)) {
            let length = character(here)?.length ?? 1
            if other != scalar { put(other, at: here, length) }
            here += length
        }
    }

    private func putUnit(_ unit: UInt32, _ here: Int) {
        for index in 0..<4 {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt32(12 - 4 * index) & 15)
            text[here + index] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
        }
    }

    // MARK: Other values

    /// The current byte, or 0 at the end, which no token begins with.
    private var byte: UInt8 { place < text.count ? text[place] : 0 }

    private mutating func skipSpace() {
        while place < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[place]) { place += 1 }
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let end = place + word.utf8CodeUnitCount
        guard end <= text.count else { return false }
        for index in 0..<word.utf8CodeUnitCount where text[place + index] != word.utf8Start[index] { return false }
        place = end
        return true
    }

    private mutating func number() -> Bool {
        if byte == UInt8(ascii: "-") { place += 1 }
        if byte == UInt8(ascii: "0") { place += 1 } else if !digits() { return false }
        if byte == UInt8(ascii: ".") {
            place += 1
            guard digits() else { return false }
        }
        if byte | 0x20 == UInt8(ascii: "e") {
            place += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { place += 1 }
            guard digits() else { return false }
        }
        return true
    }

    private mutating func digits() -> Bool {
        let first = place
        while byte &- 0x30 <= 9 { place += 1 }
        return place > first
    }
}
