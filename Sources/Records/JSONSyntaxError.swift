/// The position and expectation of a JSON syntax error. A trivial type, so that throwing it never allocates.
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

    /// The address of the first byte that does not fit, or of the end of a text that is cut short. A number rather than
    /// a pointer, because errors are `Sendable` and the memory may be freed by then.
    let address: UInt
    let expected: Expectation

    init(position: Position, expected: Expectation) {
        address = UInt(bitPattern: position)
        self.expected = expected
    }
}

extension JSONSyntaxError.Expectation {
    /// The expectation as the object of "expected".
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
