extension JSONText {
    /// `text` as a JSON string with its quotes. Swift text is always valid Unicode, so the result is valid JSON.
    package static func append(_ text: String, to line: inout String) {
        line += "\""
        var plain = text.utf8.startIndex
        for index in text.utf8.indices {
            let byte = text.utf8[index]
            guard byte < 0x20 || byte == 0x22 || byte == 0x5C || byte == 0x7F else { continue }
            line += text[plain..<index]
            plain = text.utf8.index(after: index)
            switch byte {
            case 0x22: line += "\\\""
            case 0x5C: line += "\\\\"
            case 0x0A: line += "\\n"
            case 0x0D: line += "\\r"
            case 0x09: line += "\\t"
            default:
                line += byte < 0x10 ? "\\u000" : "\\u00"
                line += String(byte, radix: 16)
            }
        }
        line += text[plain...]
        line += "\""
    }

    package static func string(_ text: String) -> String {
        var line = ""
        append(text, to: &line)
        return line
    }
}
