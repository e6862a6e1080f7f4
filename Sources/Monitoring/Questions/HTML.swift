/// HTML that is made of text. Whatever comes from records goes through ``escaped(_:)``, in content and in attributes alike, which
/// are all in double quotes.
enum HTML {
    static func escaped(_ text: some StringProtocol) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // HTML has no place for them; shown as what they are.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}":
                result += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
