import Bytes
import Foundation

/// A value of a row: in the record's JSON, or in the JSON of a text column, such as PostgreSQL's `jsonb` from Debezium.
struct RowValue {
    let document: JSONDocument
    let index: Int
    /// Owns the text of `document`; nil: it is the record's.
    private let owner: JSONTree?

    init(_ document: JSONDocument, _ index: Int, owner: JSONTree? = nil) {
        self.document = document
        self.index = index
        self.owner = owner
    }

    var kind: JSONDocument.Kind { document[index].kind }

    /// The value's JSON text.
    var text: Bytes { document.text(of: index) }

    /// A string's unescaped text; nil for other values, and for a string with half a surrogate pair.
    var string: String? { document.string(of: index) }

    /// As text, for comparing: nil is NULL.
    var scalar: ScalarText {
        switch kind {
        case .null: nil
        case .string: string ?? String(decoding: document.content(of: index), as: UTF8.self)
        default: String(decoding: text, as: UTF8.self)
        }
    }

    /// The text in a string of Base64, as JSON has the bytes of a `blob`; nil: they are not UTF-8.
    var textOfBytes: String? {
        string.flatMap { Data(base64Encoded: $0) }.flatMap { String(data: $0, encoding: .utf8) }
    }

    /// Whether an object has `scale` and `value` and nothing else, as Debezium's `VariableScaleDecimal`.
    var isVariableDecimal: Bool {
        guard kind == .object, document[index].next == index + 3, let scale = member("scale"),
            let unscaled = member("value")
        else { return false }
        return scale.kind == .number && unscaled.kind == .string
    }

    func member(_ name: String) -> RowValue? {
        document.member(Array(name.utf8), of: index).map { RowValue(document, $0, owner: owner) }
    }

    /// The target of a pointer's step: a member, an element, or either within JSON in a string.
    func child(_ step: [UInt8]) -> RowValue? {
        switch kind {
        case .object: return document.member(step, of: index).map { RowValue(document, $0, owner: owner) }
        case .array: return element(step).map { RowValue(document, $0, owner: owner) }
        case .string: return embedded?.child(step)
        case .number, .boolean, .null: return nil
        }
    }

    /// The names of the members that a pointer's step can name.
    var names: [String] {
        guard kind != .string else { return embedded?.names ?? [] }
        guard kind == .object else { return [] }
        var names: [String] = []
        document.forEachChild(of: index) { names.append(document.name(of: $0)) }
        return names
    }

    /// The object or array in a string's text.
    private var embedded: RowValue? {
        guard let text = string, let first = text.utf8.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let json = JSONTree.read(text)
        else { return nil }
        return RowValue(json.document, JSONDocument.root, owner: json)
    }

    /// The element that a pointer's step names: digits without leading zeros.
    private func element(_ step: [UInt8]) -> Int? {
        guard let number = Int(String(decoding: step, as: UTF8.self)), number >= 0,
            String(number).utf8.elementsEqual(step)
        else { return nil }
        var (here, left) = (index + 1, number)
        let end = document[index].next
        while here < end, left > 0 {
            here = document[here].next
            left -= 1
        }
        return here < end ? here : nil
    }
}

/// Debezium's placeholder for an unchanged value that the database stores apart and did not send (TOAST): the same word
/// as text, in an array, as an array of its bytes, or in Base64, by the column's type.
enum UnavailableValue {
    static let word = Array("__debezium_unavailable_value".utf8)
    private static let base64 = Array("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==".utf8)

    static func stands(in value: RowValue) -> Bool {
        let (document, index) = (value.document, value.index)
        switch value.kind {
        case .string: return isWord(document.content(of: index))
        case .array where document[index].next > index + 1:
            guard document[index + 1].kind == .number else { return isOnlyChild(index, document) }
            guard document[index].next - index - 1 == word.count else { return false }
            return word.indices.allSatisfy {
                document.text(of: index + 1 + $0).elementsEqual(String(word[$0]).utf8)
            }
        case .object where document[index].next == index + 2: return isOnlyChild(index, document)
        case .array, .object, .number, .boolean, .null: return false
        }
    }

    private static func isOnlyChild(_ index: Int, _ document: JSONDocument) -> Bool {
        document[index].next == index + 2 && document[index + 1].kind == .string
            && isWord(document.content(of: index + 1))
    }

    private static func isWord(_ content: Bytes) -> Bool {
        (content.count == word.count && content.elementsEqual(word))
            || (content.count == base64.count && content.elementsEqual(base64))
    }
}
