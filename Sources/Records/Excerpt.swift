import Bytes

/// A short piece of a record for an error message: printable, in single quotes, valid UTF-8 even if the record is not.
struct Excerpt: CustomStringConvertible {
    /// The piece's limit in bytes of UTF-8, without the quotes and the ellipsis.
    private static let longest = 48

    let description: String

    init(_ bytes: Bytes) {
        var text = ""
        // Decoding twice the limit suffices to see whether the piece is complete, and bounds the work for long values.
        var rest = Substring(String(decoding: bytes.prefix(Self.longest * 2), as: UTF8.self)).unicodeScalars
        while let scalar = rest.first {
            let piece = Self.printable(scalar)
            if text.utf8.count + piece.utf8.count > Self.longest { break }
            text += piece
            rest.removeFirst()
        }
        let isWhole = rest.isEmpty && bytes.count <= Self.longest * 2
        description = "'\(text)\(isWhole ? "" : "...")'"
    }

    /// The character itself, or its code point if the character is invisible or would break the log line.
    private static func printable(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        default: String(scalar)
        }
    }
}
