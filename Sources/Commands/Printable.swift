/// Text from outside, made safe for one line of a terminal or a log.
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
            if movesTheCursor(scalar) {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Joiners and other formatting characters are kept: many scripts need them.
    private static func movesTheCursor(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.value == 0xFEFF || scalar.properties.isBidiControl
        default: false
        }
    }

    /// The same in single quotes.
    static func quoted(_ text: String, limit: Int = 100) -> String { "'\(self.text(text, limit: limit))'" }
}
