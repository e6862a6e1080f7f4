/// A short piece of a record for an error message: printable, in single quotes, valid UTF-8 whatever the bytes are.
struct Excerpt: CustomStringConvertible {
    /// The most bytes of UTF-8 that the piece may take, quotes and the dots for what is left out not counted.
    private static let longest = 48

    let description: String

    init(_ bytes: Bytes) {
        var text = ""
        // Twice the room is enough to see whether anything is left out, and keeps the work small for long values.
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

    /// The character itself, or its number where it would not show, or would disturb the line that it stands in.
    private static func printable(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
            "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        default: String(scalar)
        }
    }
}
