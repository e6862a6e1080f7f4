import Bytes

/// One pass over one value: checks the JSON to the last byte, and finds and checks the contract's fields on the way.
///
/// A field that breaks its rule is only recorded, because broken JSON or too deep nesting later in the value takes
/// precedence. Lives on the stack for one record; the memory it points to belongs to the `RecordReader`.
struct RecordWalk {
    let scanner: JSONScanner
    let scratch: Scratch
    let table: FieldTable

    /// Fields present, fields present more than once, and fields with an invalid value.
    private(set) var seen: FieldSet = 0
    private(set) var repeated: FieldSet = 0
    private(set) var wrong: FieldSet = 0

    /// Set when the value is JSON but not an object.
    private(set) var isNotAnObject = false

    init(scanner: JSONScanner, scratch: Scratch, table: FieldTable) {
        self.scanner = scanner
        self.scratch = scratch
        self.table = table
    }

    /// Walks the whole value.
    mutating func run(from start: Position) throws(JSONSyntaxError) {
        var here = scanner.skipWhitespace(start)
        if here < scanner.end, here.pointee == ASCII.openBrace {
            here = try object(here, fields: 0, count: table.rootCount, depth: 1)
        } else {
            isNotAnObject = true
            here = try scanner.skipValue(here, depth: 0)
        }
        here = scanner.skipWhitespace(here)
        guard here == scanner.end else { throw JSONSyntaxError(position: here, expected: .endOfText) }
    }

    /// Walks an object with the table's fields `first..<first + count`. Recurses for the author only.
    private mutating func object(
        _ openBrace: Position, fields first: Int, count: Int, depth: Int
    ) throws(JSONSyntaxError) -> Position {
        var here = scanner.skipWhitespace(openBrace + 1)
        if here < scanner.end, here.pointee == ASCII.closeBrace { return here + 1 }
        var expected = JSONSyntaxError.Expectation.nameOrClosingBrace
        while true {
            guard here < scanner.end, here.pointee == ASCII.quote else {
                throw JSONSyntaxError(position: here, expected: expected)
            }
            let name = try scanner.string(after: here + 1)
            let index = find(Bytes(from: here + 1, to: name.closingQuote), name.hasEscapes, first, count)
            here = try scanner.skipColon(name.closingQuote + 1)
            here = index < 0 ? try scanner.skipValue(here, depth: depth) : try contractField(index, here, depth: depth)
            here = scanner.skipWhitespace(here)
            let byte = here < scanner.end ? here.pointee : 0
            if byte == ASCII.closeBrace { return here + 1 }
            guard byte == ASCII.comma else { throw JSONSyntaxError(position: here, expected: .commaOrClosingBrace) }
            here = scanner.skipWhitespace(here + 1)
            expected = .name
        }
    }

    /// The index of the field of that name, or -1. Names are compared unescaped: `"\u0069d"` is `"id"`.
    @inline(__always)
    private func find(_ raw: Bytes, _ hasEscapes: Bool, _ first: Int, _ count: Int) -> Int {
        hasEscapes ? findEscaped(raw, first, count) : findPlain(raw, first, count)
    }

    @inline(__always)
    private func findPlain(_ name: Bytes, _ first: Int, _ count: Int) -> Int {
        guard name.count <= FieldTable.PackedName.longest else { return -1 }
        let packed = FieldTable.PackedName(name)
        var index = first
        let end = first &+ count
        while index < end {
            let candidate = table.entries[index].name
            if candidate.low == packed.low, candidate.high == packed.high { return index }
            index &+= 1
        }
        return -1
    }

    @inline(never)
    private func findEscaped(_ raw: Bytes, _ first: Int, _ count: Int) -> Int {
        withUnsafeTemporaryAllocation(byteCount: FieldTable.PackedName.longest, alignment: 8) { room in
            guard let start = raw.baseAddress?.assumingMemoryBound(to: UInt8.self),
                let length = JSONText.unescape(from: start, to: start + raw.count, into: room)
            else { return -1 }
            let name = Bytes(rebasing: UnsafeRawBufferPointer(room)[..<length])
            // Packing pads with zeros, and an escape can put one into a name: "id\u0000" is not "id".
            return name.contains(0) ? -1 : findPlain(name, first, count)
        }
    }

    /// Checks the value of a contract field.
    private mutating func contractField(_ index: Int, _ start: Position, depth: Int) throws(JSONSyntaxError) -> Position
    {
        let entry = table.entries + index
        let bit = entry.pointee.bit
        repeated |= seen & bit
        seen |= bit
        scratch.starts[index] = start
        guard start < scanner.end else { throw JSONSyntaxError(position: start, expected: .value) }

        let type = entry.pointee.type
        var isRight = false
        var end = start
        switch (type, start.pointee) {
        case (.id, ASCII.quote), (.string, ASCII.quote), (.nonEmptyString, ASCII.quote), (.time, ASCII.quote):
            let string = try scanner.string(after: start + 1)
            end = string.closingQuote + 1
            isRight = check(string, from: start + 1, type, slot: entry.pointee.slot)
        case (.voteValue, ASCII.minus), (.voteValue, ASCII.zero...ASCII.nine),
            (.voteCount, ASCII.minus), (.voteCount, ASCII.zero...ASCII.nine),
            (.integer, ASCII.minus), (.integer, ASCII.zero...ASCII.nine),
            (.number, ASCII.minus), (.number, ASCII.zero...ASCII.nine):
            end = try scanner.number(start)
            isRight = check(numberFrom: start, to: end, type, slot: entry.pointee.slot)
        case (.id, ASCII.minus), (.id, ASCII.zero...ASCII.nine):
            end = try scanner.number(start)
            isRight = check(integerIDFrom: start, to: end, slot: entry.pointee.slot)
        case (.boolean, ASCII.letter("t")), (.boolean, ASCII.letter("f")):
            end = try scanner.literal(start)
            if entry.pointee.slot >= 0 {
                scratch.values[Int(entry.pointee.slot)].integer = start.pointee == ASCII.letter("t") ? 1 : 0
            }
            isRight = true
        case (.author, ASCII.openBrace):
            end = try object(
                start, fields: table.rootCount, count: table.count &- table.rootCount, depth: depth &+ 1)
            isRight = true
        case (.arrayOfStrings, ASCII.openBracket):
            (end, isRight) = try arrayOfStrings(start, depth: depth &+ 1)
        default:
            end = try scanner.skipValue(start, depth: depth)
        }
        if !isRight { wrong |= bit }
        return end
    }

    private func check(_ string: StringEnd, from start: Position, _ type: FieldType, slot: Int8) -> Bool {
        switch type {
        case .string:
            return true
        case .nonEmptyString:
            return string.closingQuote > start
        case .time:
            guard let instant = Scratch.instant(string, from: start) else { return false }
            if slot >= 0 { scratch.values[Int(slot)].instant = instant }
            return true
        default:
            guard let id = scratch.id(string, from: start, slot: slot) else { return false }
            if slot >= 0 { scratch.values[Int(slot)].bytes = id }
            return true
        }
    }

    /// An id written as an integer: equal to the string id with the same digits.
    private func check(integerIDFrom start: Position, to end: Position, slot: Int8) -> Bool {
        guard end - start <= Scratch.longestID else { return false }
        var here = start.pointee == ASCII.minus ? start + 1 : start
        while here < end {
            guard ASCII.isDigit(here.pointee) else { return false }
            here += 1
        }
        if slot >= 0 { scratch.values[Int(slot)].bytes = Bytes(from: start, to: end) }
        return true
    }

    private func check(numberFrom start: Position, to end: Position, _ type: FieldType, slot: Int8) -> Bool {
        if type == .number { return true }
        let integer = JSONInteger(from: start, to: end)
        if type == .integer { return integer != .notAnInteger }
        guard case .value(let value) = integer, type == .voteCount || -1...1 ~= value else { return false }
        if slot >= 0 { scratch.values[Int(slot)].integer = value }
        return true
    }

    /// Checks an array of strings; elements of other kinds are still checked as JSON.
    private func arrayOfStrings(
        _ openBracket: Position, depth: Int
    ) throws(JSONSyntaxError) -> (end: Position, isRight: Bool) {
        var isRight = true
        var here = scanner.skipWhitespace(openBracket + 1)
        if here < scanner.end, here.pointee == ASCII.closeBracket { return (here + 1, true) }
        while true {
            if here < scanner.end, here.pointee == ASCII.quote {
                here = try scanner.string(after: here + 1).closingQuote + 1
            } else {
                isRight = false
                here = try scanner.skipValue(here, depth: depth)
            }
            here = scanner.skipWhitespace(here)
            let byte = here < scanner.end ? here.pointee : 0
            if byte == ASCII.closeBracket { return (here + 1, isRight) }
            guard byte == ASCII.comma else { throw JSONSyntaxError(position: here, expected: .commaOrClosingBracket) }
            here = scanner.skipWhitespace(here + 1)
        }
    }
}
