import Bytes

/// Replaces letters and digits in chosen fields of JSON values. Lengths, structure and all other fields stay byte for
/// byte, so valid JSON stays valid.
///
/// A value that is no JSON has no fields to find: all its letters and digits are replaced, rather than let a secret
/// through.
///
/// Not Sendable: belongs to one capture.
package final class Redaction {
    /// In the order of the counts in ``replaced``.
    package let fields: [RedactedField]
    /// Replaced strings, by field.
    package private(set) var replaced: [Int]
    /// Numbers in such a field, which stay unchanged.
    package private(set) var numbersKept = 0
    /// Values that are no JSON.
    package private(set) var unreadable = 0
    private var copy: UnsafeMutableBufferPointer<UInt8>
    private let document = JSONDocument()

    /// Begins with all counts at 0.
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
        var walk = FieldWalk(text: room, fields: fields, document: document)
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
            var walk = FieldWalk(text: text, fields: [], document: document)
            if !walk.run() { return }
        }
        // No word, number or escape of JSON consists of these characters.
        Self.replace(text) { 0x30...0x39 ~= $0 || 0x41...0x5A ~= $0 & ~0x20 ? 0x78 : $0 }
    }

    /// Bytes that are not UTF-8 become 0xFF, which never occurs in UTF-8.
    private static func replace(_ text: UnsafeMutableBufferPointer<UInt8>, by other: (UInt32) -> UInt32) {
        guard var here = text.baseAddress else { return }
        let end = here + text.count
        while here < end {
            if let (scalar, length) = UTF8Text.decode(here, end) {
                UTF8Text.encode(other(scalar), to: here)
                here += length
            } else {
                here.pointee = 0xFF
                here += 1
            }
        }
    }
}
