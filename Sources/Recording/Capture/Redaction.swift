import Records

/// Replaces letters and digits in chosen fields of JSON values. Lengths, structure and all other fields stay byte for
/// byte, so valid JSON stays valid.
///
/// A value that is no JSON has no fields to find: all its letters and digits are replaced, rather than let a secret
/// through.
///
/// Not Sendable: belongs to one capture.
package final class Redaction {
    package let fields: [RedactedField]
    /// Replaced strings, by field.
    package private(set) var replaced: [Int]
    /// Numbers in such a field, which stay unchanged.
    package private(set) var numbersKept = 0
    /// Values that are no JSON.
    package private(set) var unreadable = 0
    private var copy: UnsafeMutableBufferPointer<UInt8>

    package init(_ fields: [RedactedField]) {
        self.fields = fields
        replaced = Array(repeating: 0, count: fields.count)
        copy = .allocate(capacity: 1 << 16)
    }

    deinit { copy.deallocate() }

    /// - Returns: the redacted value, of the same length; valid until the next call.
    package func redact(_ value: Bytes) -> Bytes {
        if copy.count < value.count {
            copy.deallocate()
            copy = .allocate(capacity: max(value.count, copy.count * 2))
        }
        let room = UnsafeMutableBufferPointer(rebasing: copy[..<value.count])
        UnsafeMutableRawBufferPointer(room).copyMemory(from: value)
        var walk = FieldWalk(text: room, fields: fields)
        if walk.run() {
            for index in fields.indices { replaced[index] += walk.replaced[index] }
            numbersKept += walk.numbersKept
        } else {
            unreadable += 1
            redactAll(room, of: value)
        }
        return Bytes(room)
    }

    /// Redacts text that is no JSON: every character by itself. The result must be no JSON either. The letters of
    /// escapes and numbers are replaced too, so it could become JSON by chance; then other letters are tried.
    private func redactAll(_ text: UnsafeMutableBufferPointer<UInt8>, of value: Bytes) {
        for attempt in 0..<16 as Range<UInt32> {
            UnsafeMutableRawBufferPointer(text).copyMemory(from: value)
            var seed = LetterSubstitution.Seed()
            for byte in text { seed.add(UInt32(byte)) }
            seed.add(attempt)
            var substitution = LetterSubstitution(seed)
            Self.replace(text) { substitution.replacement(of: $0) }
            var walk = FieldWalk(text: text, fields: [])
            if !walk.run() { return }
        }
        // No word, number or escape of JSON consists of these characters.
        Self.replace(text) { 0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 & ~0x20 ? 0x78 : $0 }
    }

    /// Bytes that are not UTF-8 become 0xFF, which never occurs in UTF-8.
    private static func replace(_ text: UnsafeMutableBufferPointer<UInt8>, by other: (UInt32) -> UInt32) {
        var place = 0
        while place < text.count {
            guard let (scalar, length) = TextScalar.decode(text, place) else {
                text[place] = 0xFF
                place += 1
                continue
            }
            TextScalar.encode(other(scalar), text, place)
            place += length
        }
    }
}

/// Single characters of UTF-8 in memory.
enum TextScalar {
    /// The character that begins at `place`, and its length; nil for malformed UTF-8.
    static func decode(_ text: UnsafeMutableBufferPointer<UInt8>, _ place: Int) -> (scalar: UInt32, length: Int)? {
        guard let base = text.baseAddress, place < text.count else { return nil }
        let here = base + place
        guard here.pointee >= 0x80 else { return (UInt32(here.pointee), 1) }
        guard let length = UTF8Check.length(here, base + text.count) else { return nil }
        var scalar = UInt32(here.pointee) & (0x7F >> UInt32(length))
        for index in 1..<length { scalar = scalar << 6 | UInt32(here[index] & 0x3F) }
        return (scalar, length)
    }

    /// Writes a character over one of the same length.
    static func encode(_ scalar: UInt32, _ text: UnsafeMutableBufferPointer<UInt8>, _ place: Int) {
        func put(_ index: Int, _ byte: UInt32) { text[place + index] = UInt8(truncatingIfNeeded: byte) }
        switch scalar {
        case ..<0x80: put(0, scalar)
        case ..<0x800:
            put(0, 0xC0 | scalar >> 6)
            put(1, 0x80 | scalar & 0x3F)
        case ..<0x10000:
            put(0, 0xE0 | scalar >> 12)
            put(1, 0x80 | scalar >> 6 & 0x3F)
            put(2, 0x80 | scalar & 0x3F)
        default:
            put(0, 0xF0 | scalar >> 18)
            put(1, 0x80 | scalar >> 12 & 0x3F)
            put(2, 0x80 | scalar >> 6 & 0x3F)
            put(3, 0x80 | scalar & 0x3F)
        }
    }
}
