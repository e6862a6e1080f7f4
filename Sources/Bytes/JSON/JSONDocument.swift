/// A parsed JSON text (RFC 8259): its values in document order, each with its position in the text.
///
/// Reused for text after text: it allocates only when a text has more values or deeper nesting than any before.
/// `JSONScanner`, which checks records, checks the text too. Confined to one thread; the text must outlive every access
/// to the document.
package final class JSONDocument {
    /// The type of a JSON value.
    package enum Kind: UInt8, Sendable {
        case object, array, string, number, boolean, null
    }

    /// A value. An array's or object's contents follow it; `next` is the index of the first value after them.
    package struct Node {
        /// The value's type.
        package let kind: Kind
        /// Whether a string must be unescaped to yield its text.
        package let hasEscapes: Bool
        fileprivate let nameHasEscapes: Bool
        /// Where the value begins in the text, a string's quotes included.
        package let start: Int
        /// The offset after the value's last byte in the text.
        package fileprivate(set) var end: Int
        fileprivate let nameStart: Int
        fileprivate let nameEnd: Int
        /// The index of the first value that is not inside this one: its next sibling, if it has one.
        package fileprivate(set) var next: Int
    }

    /// Behind a pointer, as every access to a class's variable is checked for others at the same time.
    private struct Contents {
        var nodes = UnsafeMutablePointer<Node>.allocate(capacity: 256)
        var capacity = 256
        var count = 0
        var open: [Int] = []
        var text = Bytes(start: nil, count: 0)
    }

    private let contents: UnsafeMutablePointer<Contents>
    private let nesting: UnsafeMutablePointer<NestingStack>

    /// A document without a text; it keeps its memory from text to text.
    package init() {
        contents = .allocate(capacity: 1)
        contents.initialize(to: Contents())
        nesting = .allocate(capacity: 1)
        nesting.initialize(to: NestingStack())
    }

    deinit {
        nodes.deallocate()
        contents.deinitialize(count: 1)
        contents.deallocate()
        nesting.pointee.deallocate()
        nesting.deallocate()
    }

    private var nodes: UnsafeMutablePointer<Node> { contents.pointee.nodes }
    /// The number of values read; of a text that is not JSON, those are of no use.
    package var count: Int { contents.pointee.count }
    /// The text last read, which the caller keeps alive.
    package var text: Bytes { contents.pointee.text }

    /// Reads a whole text.
    package func read(_ text: Bytes) throws(JSONFault) {
        let end = try readValue(text, from: 0)
        guard end == text.count else { throw fault(at: end, .endOfText) }
    }

    /// Reads the value that begins at `start`, and skips the whitespace after it.
    /// - Returns: the position after the value and that whitespace.
    package func readValue(_ text: Bytes, from start: Int) throws(JSONFault) -> Int {
        contents.pointee.text = text
        contents.pointee.count = 0
        contents.pointee.open.removeAll(keepingCapacity: true)
        guard let address = text.baseAddress else { throw fault(at: 0, .value) }
        let base = address.assumingMemoryBound(to: UInt8.self)
        let scanner = JSONScanner(end: base + text.count, nesting: nesting)
        do throws(JSONSyntaxError) {
            return try walk(scanner, base, from: base + start) - base
        } catch {
            contents.pointee.count = 0
            throw fault(at: Int(error.address - UInt(bitPattern: base)), error.expected)
        }
    }

    private func walk(
        _ scanner: JSONScanner, _ base: Position, from start: Position
    ) throws(JSONSyntaxError) -> Position {
        var here = scanner.skipWhitespace(start)
        var name = (start: 0, end: 0, hasEscapes: false)
        while true {
            guard here < scanner.end else { throw JSONSyntaxError(position: here, expected: .value) }
            let first = here
            switch here.pointee {
            case ASCII.quote:
                let string = try scanner.string(after: here + 1)
                here = string.closingQuote + 1
                append(.string, first - base, here - base, name, hasEscapes: string.hasEscapes)
            case ASCII.openBrace:
                append(.object, first - base, 0, name)
                here = scanner.skipWhitespace(here + 1)
                if here < scanner.end, here.pointee == ASCII.closeBrace {
                    here += 1
                    nodes[count - 1].end = here - base
                } else {
                    contents.pointee.open.append(count - 1)
                    here = try readName(scanner, base, here, &name, expected: .nameOrClosingBrace)
                    continue
                }
            case ASCII.openBracket:
                append(.array, first - base, 0, name)
                here = scanner.skipWhitespace(here + 1)
                if here < scanner.end, here.pointee == ASCII.closeBracket {
                    here += 1
                    nodes[count - 1].end = here - base
                } else {
                    contents.pointee.open.append(count - 1)
                    name = (0, 0, false)
                    continue
                }
            case ASCII.minus, ASCII.zero...ASCII.nine:
                here = try scanner.number(here)
                append(.number, first - base, here - base, name)
            default:
                here = try scanner.literal(here)
                append(first.pointee == ASCII.letter("n") ? .null : .boolean, first - base, here - base, name)
            }
            // The value ends here: close the containers that end with it, up to the next comma.
            while true {
                here = scanner.skipWhitespace(here)
                guard let container = contents.pointee.open.last else { return here }
                let isObject = nodes[container].kind == .object
                let byte = here < scanner.end ? here.pointee : 0
                if byte == ASCII.comma {
                    here = scanner.skipWhitespace(here + 1)
                    name = (0, 0, false)
                    if isObject { here = try readName(scanner, base, here, &name, expected: .name) }
                    break
                }
                guard byte == (isObject ? ASCII.closeBrace : ASCII.closeBracket) else {
                    throw JSONSyntaxError(
                        position: here, expected: isObject ? .commaOrClosingBrace : .commaOrClosingBracket)
                }
                here += 1
                contents.pointee.open.removeLast()
                nodes[container].end = here - base
                nodes[container].next = count
            }
        }
    }

    @inline(__always)
    private func readName(
        _ scanner: JSONScanner, _ base: Position, _ start: Position,
        _ name: inout (start: Int, end: Int, hasEscapes: Bool), expected: JSONSyntaxError.Expectation
    ) throws(JSONSyntaxError) -> Position {
        guard start < scanner.end, start.pointee == ASCII.quote else {
            throw JSONSyntaxError(position: start, expected: expected)
        }
        let string = try scanner.string(after: start + 1)
        name = (start + 1 - base, string.closingQuote - base, string.hasEscapes)
        return try scanner.skipColon(string.closingQuote + 1)
    }

    @inline(__always)
    private func append(
        _ kind: Kind, _ start: Int, _ end: Int, _ name: (start: Int, end: Int, hasEscapes: Bool),
        hasEscapes: Bool = false
    ) {
        if count == contents.pointee.capacity { grow() }
        (nodes + count).initialize(
            to: Node(
                kind: kind, hasEscapes: hasEscapes, nameHasEscapes: name.hasEscapes, start: start, end: end,
                nameStart: name.start, nameEnd: name.end, next: count + 1))
        contents.pointee.count += 1
    }

    private func grow() {
        let grown = UnsafeMutablePointer<Node>.allocate(capacity: contents.pointee.capacity * 2)
        grown.moveInitialize(from: nodes, count: count)
        nodes.deallocate()
        contents.pointee.nodes = grown
        contents.pointee.capacity *= 2
    }

    private func fault(at offset: Int, _ expected: JSONSyntaxError.Expectation) -> JSONFault {
        JSONFault(offset: offset, expected: expected, in: text)
    }
}

// MARK: - Access to the parsed text

extension JSONDocument {
    /// The root's index.
    package static let root = 0

    /// Not checked: `index` must be below ``count``.
    package subscript(index: Int) -> Node { nodes[index] }

    /// A value's text as written.
    package func text(of index: Int) -> Bytes {
        Bytes(rebasing: text[nodes[index].start..<nodes[index].end])
    }

    /// A string's raw content, without the quotes.
    package func content(of index: Int) -> Bytes {
        Bytes(rebasing: text[nodes[index].start + 1..<nodes[index].end - 1])
    }

    /// A member's name as written, without the quotes; empty for elements.
    package func rawName(of index: Int) -> Bytes {
        Bytes(rebasing: text[nodes[index].nameStart..<nodes[index].nameEnd])
    }

    /// A member's name, unescaped; "" for elements, and for a name with a lone surrogate that is refused.
    package func name(of index: Int, loneSurrogates: LoneSurrogates = .refused) -> String {
        JSONText.text(
            of: rawName(of: index), hasEscapes: nodes[index].nameHasEscapes, loneSurrogates: loneSurrogates) ?? ""
    }

    /// A string's text, unescaped; nil for other values, and for a string with a lone surrogate that is refused.
    package func string(of index: Int, loneSurrogates: LoneSurrogates = .refused) -> String? {
        guard nodes[index].kind == .string else { return nil }
        return JSONText.text(
            of: content(of: index), hasEscapes: nodes[index].hasEscapes, loneSurrogates: loneSurrogates)
    }

    /// The object's member of that name; the first of several.
    package func member(_ name: [UInt8], of object: Int) -> Int? {
        name.withUnsafeBytes { member($0, of: object) }
    }

    /// The object's member of that name; the first of several. nil also where the value is no object.
    package func member(_ name: Bytes, of object: Int) -> Int? {
        let nodes = nodes
        guard nodes[object].kind == .object else { return nil }
        let end = nodes[object].next
        var index = object + 1
        while index < end {
            // Most names differ in their length.
            let mayMatch =
                nodes[index].nameEnd &- nodes[index].nameStart == name.count || nodes[index].nameHasEscapes
            if mayMatch, isNamed(name, index) { return index }
            index = nodes[index].next
        }
        return nil
    }

    /// Calls `body` with the index of each member or element.
    package func forEachChild(of container: Int, _ body: (Int) -> Void) {
        var index = container + 1
        let end = nodes[container].next
        while index < end {
            body(index)
            index = nodes[index].next
        }
    }

    /// Whether the member at `index` has the name.
    @inline(__always)
    package func isNamed(_ name: Bytes, _ index: Int) -> Bool {
        let node = nodes[index]
        guard !node.nameHasEscapes else { return self.name(of: index).utf8.elementsEqual(name) }
        return rawName(of: index).isEqual(to: name)
    }
}

/// A JSON syntax error as the end of a sentence: "at byte 5 expected ':' after a field name, found '='".
package struct JSONFault: Error, Sendable, CustomStringConvertible {
    /// Holds one byte of the text at most, so no value of a record reaches a log.
    package let description: String

    init(offset: Int, expected: JSONSyntaxError.Expectation, in text: Bytes) {
        description =
            "at byte \(offset) expected \(expected.phrase), \(JSONSyntaxError.found(at: offset, in: text))"
    }
}
