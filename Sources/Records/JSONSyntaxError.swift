/// Where a text stops being JSON, and what should have stood there. Trivial on purpose: throwing it costs no allocation.
struct JSONSyntaxError: Error {
    enum Expectation: UInt8 {
        case value
        case nameOrClosingBrace
        case name
        case colon
        case commaOrClosingBrace
        case commaOrClosingBracket
        case literal
        case digit
        case escape
        case hexDigits
        case escapedControlCharacter
        case closingQuote
        case utf8
        case endOfText
    }

    /// The address of the first byte that does not fit, or of the end of the text when it stops too early. A number and
    /// not a pointer, because errors are `Sendable` and nobody may follow it later.
    let address: UInt
    let expected: Expectation

    init(position: Position, expected: Expectation) {
        address = UInt(bitPattern: position)
        self.expected = expected
    }
}

extension JSONSyntaxError.Expectation {
    /// What should have stood there, as the object of "expected".
    var phrase: String {
        switch self {
        case .value: "a JSON value"
        case .nameOrClosingBrace: "a field name in double quotes or '}'"
        case .name: "a field name in double quotes"
        case .colon: "':' after a field name"
        case .commaOrClosingBrace: "',' or '}' after a field"
        case .commaOrClosingBracket: "',' or ']' after an element"
        case .literal: "'true', 'false' or 'null'"
        case .digit: "a digit of a number"
        case .escape: "one of \" \\ / b f n r t u after a backslash"
        case .hexDigits: "four hexadecimal digits after \\u"
        case .escapedControlCharacter: "control characters in a string to be escaped"
        case .closingQuote: "a closing double quote"
        case .utf8: "UTF-8 text"
        case .endOfText: "nothing more after the value"
        }
    }
}
