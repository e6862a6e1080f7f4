/// Text from outside, made fit for one line of a terminal or a log.
enum Printable {
    /// Control characters escaped, cut after `limit` characters.
    static func text(_ text: String, limit: Int = 200) -> String {
        var result = ""
        var count = 0
        for scalar in text.unicodeScalars {
            if count == limit {
                result += "..."
                break
            }
            count += 1
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += scalar.escaped(asASCII: true)
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The same in single quotes.
    static func quoted(_ text: String, limit: Int = 100) -> String { "'\(self.text(text, limit: limit))'" }
}
