import Bytes

/// The change of a row in a source's record.
enum RowEvent {
    /// The row's current state.
    case upsert(Row)
    /// The row was deleted. `before` has the columns that the record has, perhaps only the key's.
    case deletion(before: Row?)
    /// A null value: after a deletion, for compaction; or the deletion itself, where it has no record of its own.
    case tombstone
    case truncation
    /// No change of a row, such as a message that an application wrote to the database's log.
    case nothing
}

/// Reads the records of one topic. Used by one thread; returned rows and keys are valid until its next call.
package final class EventReader {
    let format: SourceFormat
    private let values = PayloadReader()
    private let keys = PayloadReader()
    private var document: JSONDocument { values.document }

    init(format: SourceFormat) { self.format = format }

    /// - Parameter schema: the Avro schema of a value that was decoded to JSON; nil: the value was JSON.
    func read(value: Bytes?, schema: AvroSchema? = nil) throws(SourceFailure) -> RowEvent {
        guard let value else { return .tombstone }
        let root = if let schema { try read(value, schema) } else { try payload(of: value) }
        guard document[root].kind == .object else {
            throw SourceFailure("the value is no row: it is JSON, but not an object")
        }
        let row = Row(document: document, node: root, types: values.types)
        switch format {
        case .json: return .upsert(row)
        case .avro: return schema?.isEnvelope ?? false ? try change(row) : flattened(row)
        case .debezium, .jsonSchema: return try change(row)
        }
    }

    /// The record's key as a row of the key's columns; nil where it is no object.
    func keyRow(_ key: Bytes?) -> Row? {
        guard let key, let payload = try? keys.read(key), keys.document[payload].kind == .object else { return nil }
        return Row(document: keys.document, node: payload, types: .none)
    }

    /// The bytes of a key that identify its row, without the schema that Connect's JSON converter puts before them.
    func keyBytes(_ key: Bytes) -> Bytes {
        guard let payload = try? keys.read(key) else { return key }
        return keys.document.text(of: payload)
    }

    // MARK: - Values

    private func read(_ value: Bytes, _ schema: AvroSchema) throws(SourceFailure) -> Int {
        do throws(JSONFault) { return try values.read(value, types: schema.columnTypes) } catch {
            throw SourceFailure("the value's Avro cannot be written as JSON: \(error)")
        }
    }

    /// Reads the value. Returns the index of its `payload` beside a `schema`, or of the value itself.
    private func payload(of value: Bytes) throws(SourceFailure) -> Int {
        do throws(JSONFault) { return try values.read(value) } catch {
            throw SourceFailure("the value is no JSON: \(error)")
        }
    }

    /// A record's key or value for people: without the schema that Connect's JSON converter puts before it.
    package static func withoutSchema(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBytes { text in
            let document = JSONDocument()
            guard (try? document.read(text)) != nil, let found = PayloadReader.payload(in: document) else {
                return bytes
            }
            return Array(document.text(of: found.payload))
        }
    }

    // MARK: - Debezium's changes

    private func change(_ row: Row) throws(SourceFailure) -> RowEvent {
        let before = document.member(Names.before, of: row.node)
        let after = document.member(Names.after, of: row.node)
        guard let operation = document.member(Names.operation, of: row.node), before != nil || after != nil,
            let letter = document.string(of: operation)
        else { return flattened(row) }
        func state(_ node: Int?) -> Row? {
            guard let node, document[node].kind == .object else { return nil }
            return Row(document: document, node: node, types: values.types)
        }
        switch letter {
        case "c", "u", "r":
            guard let after = state(after) else {
                throw SourceFailure("the change (op \(letter)) holds no row in 'after'")
            }
            return .upsert(after)
        case "d": return .deletion(before: state(before))
        case "t": return .truncation
        case "m": return .nothing
        default: throw SourceFailure("the change's op is \(excerpt(letter)), which is none of c, u, r, d, t and m")
        }
    }

    /// Reads a row to which Debezium's own transform has flattened the envelope.
    private func flattened(_ row: Row) -> RowEvent {
        let isDeleted = document.member(Names.deleted, of: row.node).map { RowValue(document, $0).scalar } == "true"
        let operation = document.member(Names.flattenedOperation, of: row.node).flatMap { document.string(of: $0) }
        switch operation {
        case "t": return .truncation
        case "d": return .deletion(before: row)
        default: return isDeleted ? .deletion(before: row) : .upsert(row)
        }
    }

    private enum Names {
        static let before = Array("before".utf8)
        static let after = Array("after".utf8)
        static let operation = Array("op".utf8)
        static let deleted = Array("__deleted".utf8)
        static let flattenedOperation = Array("__op".utf8)
    }
}
