import Bytes

/// Parses JSON as Kafka Connect's converter writes it, with a schema before the payload, or bare. Used by one thread.
///
/// The schema is nearly always that of the text before: it is parsed once, and its bytes are compared after that.
final class PayloadReader {
    let document = JSONDocument()
    /// Types of the payload's columns, from the schema.
    private(set) var types = ColumnTypes.none
    /// The last text's bytes up to its payload; empty: it had no schema, or more behind its payload.
    private var prefix: [UInt8] = []

    /// - Returns: the payload's index in ``document``, or of the whole value where it is bare.
    func read(_ text: Bytes) throws(JSONFault) -> Int {
        if !prefix.isEmpty, text.count > prefix.count, text.starts(with: prefix),
            let end = try? document.readValue(text, from: prefix.count), isClosed(text, from: end)
        {
            return JSONDocument.root
        }
        try document.read(text)
        types = .none
        prefix.removeAll(keepingCapacity: true)
        guard let (schema, payload) = Self.payload(in: document) else { return JSONDocument.root }
        types = ColumnTypes(document, schema: schema)
        // Only where the payload is the last member: later members would not be read.
        if document[payload].next == document.count, schema < payload {
            prefix.append(contentsOf: text[..<document[payload].start])
        }
        return payload
    }

    /// Parses JSON with the columns' types known.
    func read(_ text: Bytes, types: ColumnTypes) throws(JSONFault) -> Int {
        prefix.removeAll(keepingCapacity: true)
        self.types = types
        try document.read(text)
        return JSONDocument.root
    }

    /// Whether a brace and nothing else follows.
    private func isClosed(_ text: Bytes, from end: Int) -> Bool {
        guard end < text.count, text[end] == UInt8(ascii: "}") else { return false }
        return text[(end + 1)...].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
    }

    /// The members of a parsed text that are Connect's schema and the payload under it; nil: the text is bare.
    static func payload(in document: JSONDocument) -> (schema: Int, payload: Int)? {
        guard let payload = document.member(Names.payload, of: JSONDocument.root),
            let schema = document.member(Names.schema, of: JSONDocument.root), document[schema].kind != .string
        else { return nil }
        return (schema, payload)
    }

    private enum Names {
        static let schema = Array("schema".utf8)
        static let payload = Array("payload".utf8)
    }
}
