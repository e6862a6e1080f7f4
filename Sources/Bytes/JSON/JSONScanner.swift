/// JSON's grammar (RFC 8259) over bytes in memory: checks them and keeps nothing.
///
/// Every function takes the start of its part and returns the position after it, both in registers; that, iteration
/// instead of recursion, and reading strings eight bytes at a time make it fast. Nothing is allocated while a document
/// stays within the contract's depth. The bytes are read once, in order, and never past `end`. All of it is inlinable,
/// because the walk of records, in a module above, has its speed from being compiled with it.
@usableFromInline package struct JSONScanner {
    /// The first byte that is not read.
    @usableFromInline package let end: Position
    /// The owner's; two scanners that are in use at once need one each.
    @usableFromInline package let nesting: UnsafeMutablePointer<NestingStack>

    /// - Parameter nesting: outlives the scanner.
    @inlinable
    package init(end: Position, nesting: UnsafeMutablePointer<NestingStack>) {
        self.end = end
        self.nesting = nesting
    }

    /// Skips the four characters that JSON calls whitespace.
    @inlinable @inline(__always)
    package func skipWhitespace(_ start: Position) -> Position {
        // Most gaps between tokens are empty: one comparison detects that.
        if start < end, start.pointee > ASCII.space { return start }
        return skipWhitespaceRun(start)
    }

    @inlinable @inline(never)
    func skipWhitespaceRun(_ start: Position) -> Position {
        var here = start
        while here < end {
            switch here.pointee {
            case 0x20, 0x09, 0x0A, 0x0D: here += 1
            default: return here
            }
        }
        return here
    }

    /// Checks the value of any type that begins at `start`, and returns the position after it.
    ///
    /// - Parameter depth: the number of open arrays and objects around it.
    @inlinable
    package func skipValue(_ start: Position, depth: Int) throws(JSONSyntaxError) -> Position {
        var here = start
        var open = 0
        value: while true {
            guard here < end else { throw JSONSyntaxError(position: here, expected: .value) }
            switch here.pointee {
            case ASCII.quote:
                here = try string(after: here + 1).closingQuote + 1
            case ASCII.openBrace:
                nesting.pointee.open(isObject: true, level: open, depth: depth &+ open &+ 1)
                here = skipWhitespace(here + 1)
                if here < end, here.pointee == ASCII.closeBrace {
                    here += 1
                } else {
                    open &+= 1
                    here = try skipName(here, expected: .nameOrClosingBrace)
                    continue value
                }
            case ASCII.openBracket:
                nesting.pointee.open(isObject: false, level: open, depth: depth &+ open &+ 1)
                here = skipWhitespace(here + 1)
                if here < end, here.pointee == ASCII.closeBracket {
                    here += 1
                } else {
                    open &+= 1
                    continue value
                }
            default:
                here = try scalar(here)
            }

            // The value ends here: close the containers that end with it, up to the next comma.
            while true {
                if open == 0 { return here }
                here = skipWhitespace(here)
                let isObject = nesting.pointee.isObject(level: open &- 1)
                let byte = here < end ? here.pointee : 0
                if byte == ASCII.comma {
                    here = skipWhitespace(here + 1)
                    if isObject { here = try skipName(here, expected: .name) }
                    continue value
                }
                guard byte == (isObject ? ASCII.closeBrace : ASCII.closeBracket) else {
                    throw JSONSyntaxError(
                        position: here, expected: isObject ? .commaOrClosingBrace : .commaOrClosingBracket)
                }
                here += 1
                open &-= 1
            }
        }
    }

    /// Checks a field's name and the colon after it; returns the start of the field's value.
    @inlinable @inline(__always)
    func skipName(
        _ start: Position, expected: JSONSyntaxError.Expectation
    ) throws(JSONSyntaxError) -> Position {
        guard start < end, start.pointee == ASCII.quote else {
            throw JSONSyntaxError(position: start, expected: expected)
        }
        return try skipColon(string(after: start + 1).closingQuote + 1)
    }

    /// Checks the colon after a field's name; returns the start of the field's value.
    @inlinable @inline(__always)
    package func skipColon(_ start: Position) throws(JSONSyntaxError) -> Position {
        let here = skipWhitespace(start)
        guard here < end, here.pointee == ASCII.colon else {
            throw JSONSyntaxError(position: here, expected: .colon)
        }
        return skipWhitespace(here + 1)
    }

    /// A number, `true`, `false` or `null`. `start` is before `end`.
    @inlinable @inline(__always)
    package func scalar(_ start: Position) throws(JSONSyntaxError) -> Position {
        switch start.pointee {
        case ASCII.minus, ASCII.zero...ASCII.nine: try number(start)
        default: try literal(start)
        }
    }

    /// `true`, `false` or `null`. `start` is before `end`.
    @inlinable
    package func literal(_ start: Position) throws(JSONSyntaxError) -> Position {
        let word: StaticString
        switch start.pointee {
        case ASCII.letter("t"): word = "true"
        case ASCII.letter("f"): word = "false"
        case ASCII.letter("n"): word = "null"
        default: throw JSONSyntaxError(position: start, expected: .value)
        }
        for index in 0..<word.utf8CodeUnitCount {
            guard start + index < end, start[index] == word.utf8Start[index] else {
                throw JSONSyntaxError(position: start + index, expected: .literal)
            }
        }
        return start + word.utf8CodeUnitCount
    }

    /// A number of any size and precision. `start` is before `end` and holds a minus or a digit.
    @inlinable
    package func number(_ start: Position) throws(JSONSyntaxError) -> Position {
        var here = start
        if here.pointee == ASCII.minus { here += 1 }
        if here < end, here.pointee == ASCII.zero {
            here += 1
        } else {
            here = try digits(here)
        }
        if here < end, here.pointee == ASCII.point { here = try digits(here + 1) }
        if here < end, here.pointee | ASCII.lowercaseBit == ASCII.letter("e") {
            here += 1
            if here < end, here.pointee == ASCII.plus || here.pointee == ASCII.minus { here += 1 }
            here = try digits(here)
        }
        return here
    }

    /// At least one digit.
    @inlinable @inline(__always)
    func digits(_ start: Position) throws(JSONSyntaxError) -> Position {
        var here = start
        while here < end, ASCII.isDigit(here.pointee) { here += 1 }
        guard here > start else { throw JSONSyntaxError(position: here, expected: .digit) }
        return here
    }
}
