/// The words that databases have for true and false.
enum BooleanText {
    /// - Returns: nil where the text is neither.
    static func value(of text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "t", "1", "y", "yes", "on": true
        case "false", "f", "0", "n", "no", "off", "": false
        default: nil
        }
    }
}
