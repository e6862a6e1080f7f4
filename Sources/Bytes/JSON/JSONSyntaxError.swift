/// The position and expectation of a JSON syntax error. A trivial type, so that throwing it never allocates.
@usableFromInline package struct JSONSyntaxError: Error {
    /// The grammar's alternatives at the place of the error.
    @usableFromInline package enum Expectation: UInt8, Sendable {
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
    @usableFromInline package let address: UInt
    /// The part that the grammar wants at ``address``.
    @usableFromInline package let expected: Expectation

    /// - Parameter position: of the first byte that does not fit; only its number is kept.
    @inlinable
    package init(position: Position, expected: Expectation) {
        address = UInt(bitPattern: position)
        self.expected = expected
    }
}

extension JSONSyntaxError.Expectation {
    /// The expectation as the object of "expected".
    package var phrase: String {
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

extension JSONSyntaxError {
    /// The byte that does not fit, as a clause.
    package static func found(at offset: Int, in value: Bytes) -> String {
        guard offset < value.count else { return "the value ends there" }
        let byte = value[offset]
        return switch byte {
        case 0x21...0x7E: "found '\(Unicode.Scalar(byte))'"
        case ASCII.space: "found a space"
        case 0xEF where offset == 0 && value.prefix(3).elementsEqual([0xEF, 0xBB, 0xBF]):
            "found a byte order mark"
        default: "found byte 0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
}
