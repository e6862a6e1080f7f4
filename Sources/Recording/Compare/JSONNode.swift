/// A JSON value as a tree, for showing differences: keeps member order, repeated names and the text of numbers.
indirect enum JSONNode: Equatable {
    struct Member: Equatable {
        var name: String
        var value: JSONNode
    }

    case object([Member])
    case array([JSONNode])
    case string(String)
    /// A number, `true`, `false` or `null`, as written.
    case literal(String)

    /// The first member of that name.
    subscript(name: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var elements: [JSONNode]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Short JSON on one line, for people.
    var summary: String {
        switch self {
        case .object(let members): members.isEmpty ? "{}" : "{...}"
        case .array(let elements): elements.isEmpty ? "[]" : "[\(elements.count) elements]"
        case .string(let text): "\"\(Excerpt.text(text))\""
        case .literal(let text): Excerpt.text(text)
        }
    }
}

/// Reads JSON into a tree. Returns nil for JSON that it cannot read, and never crashes: such values are compared as
/// bytes.
struct JSONTreeReader {
    /// Slightly more than the depth limit of records, so that every published record can be read.
    private static let maxDepth = 600

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    static func read(_ bytes: [UInt8]) -> JSONNode? {
        var reader = JSONTreeReader(bytes: bytes)
        guard let node = reader.value() else { return nil }
        reader.skipSpace()
        return reader.place == bytes.count ? node : nil
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let next, next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard next == byte else { return false }
        place += 1
        return true
    }

    private mutating func value() -> JSONNode? {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return nested { $0.object() }
        case UInt8(ascii: "["): return nested { $0.array() }
        case UInt8(ascii: "\""): return string().map { .string($0) }
        case nil: return nil
        default: return literal()
        }
    }

    private mutating func nested(_ body: (inout Self) -> JSONNode?) -> JSONNode? {
        guard depth < Self.maxDepth else { return nil }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return body(&self)
    }

    private mutating func object() -> JSONNode? {
        var members: [JSONNode.Member] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string(), take(UInt8(ascii: ":")), let value = value() else {
                return nil
            }
            members.append(JSONNode.Member(name: name, value: value))
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func array() -> JSONNode? {
        var elements: [JSONNode] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            guard let value = value() else { return nil }
            elements.append(value)
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
    }

    private mutating func literal() -> JSONNode? {
        let start = place
        while let next, !" \n\r\t,]}:{[\"".utf8.contains(next) { place += 1 }
        guard place > start else { return nil }
        return .literal(String(decoding: bytes[start..<place], as: UTF8.self))
    }

    private mutating func string() -> String? {
        place += 1
        var text: [UInt8] = []
        while let byte = next {
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text.append(contentsOf: String(Character(scalar)).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let letter = next else { return nil }
        place += 1
        switch letter {
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: return Unicode.Scalar(letter)
        }
        guard let unit = codeUnit() else { return nil }
        guard case 0xD800...0xDBFF = unit else { return Unicode.Scalar(unit) }
        guard next == UInt8(ascii: "\\"), place + 1 < bytes.count, bytes[place + 1] == UInt8(ascii: "u") else {
            return nil
        }
        place += 2
        guard let low = codeUnit(), case 0xDC00...0xDFFF = low else { return nil }
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func codeUnit() -> UInt32? {
        guard bytes.count - place >= 4 else { return nil }
        defer { place += 4 }
        return UInt32(String(decoding: bytes[place..<place + 4], as: UTF8.self), radix: 16)
    }
}
