import Bytes

/// RFC 4648's base64, strictly: with padding, without whitespace.
enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// Indexed by character; 0xFF for characters outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for index in 0..<64 { values[Int(alphabet.utf8Start[index])] = UInt8(truncatingIfNeeded: index) }
        return values
    }()

    static func encodedCount(of count: Int) -> Int { (count + 2) / 3 * 4 }

    /// - Parameter out: has room for `encodedCount(of:)` bytes.
    static func encode(_ bytes: Bytes, to out: UnsafeMutablePointer<UInt8>) {
        let letters = alphabet.utf8Start
        var out = out
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let first = UInt32(bytes[index])
            let second = left > 1 ? UInt32(bytes[index + 1]) : 0
            let third = left > 2 ? UInt32(bytes[index + 2]) : 0
            let group = first << 16 | second << 8 | third
            out[0] = letters[Int(group >> 18)]
            out[1] = letters[Int(group >> 12 & 63)]
            out[2] = left > 1 ? letters[Int(group >> 6 & 63)] : UInt8(ascii: "=")
            out[3] = left > 2 ? letters[Int(group & 63)] : UInt8(ascii: "=")
            out += 4
            index += 3
        }
    }

    /// - Parameter out: has room for three bytes per four characters; may be where `text` begins.
    /// - Returns: the number of bytes written; nil when the text is not base64.
    static func decode(_ text: Bytes, to out: UnsafeMutablePointer<UInt8>) -> Int? {
        guard text.count % 4 == 0 else { return nil }
        return values.withUnsafeBufferPointer { values in
            var count = 0
            var index = 0
            while index < text.count {
                let isLast = index + 4 == text.count
                let padding =
                    isLast && text[index + 3] == UInt8(ascii: "=")
                    ? (text[index + 2] == UInt8(ascii: "=") ? 2 : 1) : 0
                var group: UInt32 = 0
                for place in 0..<4 - padding {
                    let value = values[Int(text[index + place])]
                    guard value != 0xFF else { return nil }
                    group |= UInt32(value) << UInt32(18 - 6 * place)
                }
                // Unused bits must be zero, so that each value has exactly one text.
                guard padding == 0 || group & (padding == 1 ? 0xFF : 0xFFFF) == 0 else { return nil }
                out[count] = UInt8(truncatingIfNeeded: group >> 16)
                if padding < 2 { out[count + 1] = UInt8(truncatingIfNeeded: group >> 8) }
                if padding < 1 { out[count + 2] = UInt8(truncatingIfNeeded: group) }
                count += 3 - padding
                index += 4
            }
            return count
        }
    }
}
