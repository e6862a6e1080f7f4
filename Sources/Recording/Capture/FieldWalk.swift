import Bytes

/// Finds the strings of chosen fields in a JSON text, and replaces their letters and digits in place. Not recursive, so
/// the text may be nested to any depth.
struct FieldWalk {
    private struct Frame {
        let isObject: Bool
        /// The index of the first value after the container.
        let next: Int
        /// Index of the chosen field that contains this.
        let field: Int?
        /// The member whose value is being read.
        var member = 0
    }

    private let text: UnsafeMutableBufferPointer<UInt8>
    private let fields: [RedactedField]
    private let document: JSONDocument
    private var frames: [Frame] = []

    private(set) var replaced: [Int]
    private(set) var numbersKept = 0

    /// - Parameter document: reused memory.
    init(text: UnsafeMutableBufferPointer<UInt8>, fields: [RedactedField], document: JSONDocument) {
        self.text = text
        self.fields = fields
        self.document = document
        replaced = Array(repeating: 0, count: fields.count)
    }

    /// - Returns: false when the text is no JSON; nothing has been replaced then.
    mutating func run() -> Bool {
        // Replacing keeps every length, so the parsed positions stay right.
        guard (try? document.read(Bytes(text))) != nil else { return false }
        for index in 0..<document.count {
            while let frame = frames.last, frame.next <= index { frames.removeLast() }
            var field = frames.last?.field
            if let last = frames.indices.last, frames[last].isObject {
                frames[last].member = index
                field = field ?? fields.indices.first { isAt(fields[$0]) }
            }
            let node = document[index]
            switch node.kind {
            case .object, .array:
                frames.append(Frame(isObject: node.kind == .object, next: node.next, field: field))
            case .string:
                guard let field else { continue }
                let content = node.start + 1..<node.end - 1
                if isID { redactID(content) } else { redact(content) }
                replaced[field] += 1
            case .number:
                guard let field else { continue }
                if isID, isInteger(node.start..<node.end) {
                    redactID(node.start..<node.end)
                    replaced[field] += 1
                } else {
                    numbersKept += 1
                }
            case .boolean, .null: continue
            }
        }
        return true
    }

    /// Whether the innermost names are the field's parts.
    private func isAt(_ field: RedactedField) -> Bool {
        var frame = frames.count - 1
        for part in field.parts.reversed() {
            while frame >= 0, !frames[frame].isObject { frame -= 1 }
            guard frame >= 0, isName(frames[frame], part) else { return false }
            frame -= 1
        }
        return true
    }

    /// Compares unescaped: names with escapes must not slip through unredacted.
    private func isName(_ frame: Frame, _ part: [UInt8]) -> Bool {
        part.withUnsafeBytes { document.isNamed($0, frame.member) }
    }

    // MARK: Strings

    /// The characters of a checked string or an integer, each with its place.
    private func characters(_ content: Range<Int>) -> [(scalar: UInt32, place: Range<Int>)] {
        guard let base = text.baseAddress else { return [] }
        var characters: [(scalar: UInt32, place: Range<Int>)] = []
        var here = UnsafePointer(base + content.lowerBound)
        while here < base + content.upperBound {
            let first = here - UnsafePointer(base)
            let scalar = JSONText.next(&here, base + content.upperBound)
            characters.append((scalar, first..<here - UnsafePointer(base)))
        }
        return characters
    }

    /// Replaces a checked string's letters and digits. An escape stays an escape, so the length stays the same.
    private func redact(_ content: Range<Int>) {
        var seed = LetterSubstitution.Seed()
        let characters = characters(content)
        for (scalar, _) in characters { seed.add(scalar) }
        var substitution = LetterSubstitution(seed)
        for (scalar, place) in characters {
            let other = substitution.replacement(of: scalar)
            if other != scalar { put(other, at: place) }
        }
    }

    /// Writes a character over one of the same form: an escape stays an escape.
    private func put(_ scalar: UInt32, at place: Range<Int>) {
        switch (text[place.lowerBound] == ASCII.backslash, place.count) {
        case (false, _): if let base = text.baseAddress { UTF8Text.encode(scalar, to: base + place.lowerBound) }
        case (true, 6): putUnit(scalar, place.lowerBound + 2)
        default:
            putUnit(0xD800 + (scalar - 0x10000) >> 10, place.lowerBound + 2)
            putUnit(0xDC00 + (scalar - 0x10000) & 0x3FF, place.lowerBound + 8)
        }
    }

    /// Whether the value's name ends with "id". Such a text must stay one id, distinct from all others.
    private var isID: Bool {
        guard let frame = frames.last(where: \.isObject) else { return false }
        let name = document.rawName(of: frame.member)
        guard name.count > 2, !name.contains(ASCII.backslash) else { return isName(frame, Array("id".utf8)) }
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
        let characters = characters(content)
        let others = IDSubstitution.replacement(of: characters.map(\.scalar))
        for ((scalar, place), other) in zip(characters, others) where other != scalar { put(other, at: place) }
    }

    private func putUnit(_ unit: UInt32, _ here: Int) {
        for index in 0..<4 {
            let digit = UInt8(truncatingIfNeeded: unit >> UInt32(12 - 4 * index) & 15)
            text[here + index] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
        }
    }
}
