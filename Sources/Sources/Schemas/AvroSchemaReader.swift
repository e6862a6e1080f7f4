import Bytes

/// Reads Avro schemas from their JSON. A schema shares its names with the schemas it refers to, which are read first.
struct AvroSchemaReader {
    /// Types nested in types; deeper ones are refused.
    private static let deepest = 100
    private static let mostNodes = 200_000

    private var nodes: [AvroSchema.Node] = []
    /// Named types by their full names.
    private var names: [String: Int] = [:]
    private let document = JSONDocument()

    static func read(_ schema: RegisteredSchema) throws(SourceFailure) -> AvroSchema {
        var reader = AvroSchemaReader()
        for text in schema.references { _ = try reader.read(text) }
        let root = try reader.read(schema.text)
        let size = schema.references.reduce(schema.text.utf8.count) { $0 + $1.utf8.count }
        return AvroSchema(nodes: reader.nodes, root: root, size: size)
    }

    private mutating func read(_ text: String) throws(SourceFailure) -> Int {
        // The document points into the text while it is read.
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.utf8.count), alignment: 1)
        defer { bytes.deallocate() }
        bytes.copyBytes(from: text.utf8)
        do throws(JSONFault) { try document.read(Bytes(rebasing: bytes[..<text.utf8.count])) } catch {
            // A primitive's name may stand by itself, without the quotes of JSON.
            if let kind = Self.primitives[text] { return try append(AvroSchema.Node(kind: kind)) }
            throw SourceFailure("it is no JSON: \(error)")
        }
        return try type(JSONDocument.root, namespace: "", depth: 0)
    }

    private mutating func append(_ node: AvroSchema.Node) throws(SourceFailure) -> Int {
        guard nodes.count < Self.mostNodes else { throw SourceFailure("it has more than \(Self.mostNodes) types") }
        nodes.append(node)
        return nodes.count - 1
    }

    // MARK: - Types

    private mutating func type(_ value: Int, namespace: String, depth: Int) throws(SourceFailure) -> Int {
        guard depth < Self.deepest else { throw SourceFailure("it has types nested more than \(Self.deepest) deep") }
        switch document[value].kind {
        case .string: return try named(document.string(of: value) ?? "", namespace)
        case .array:
            let branches = try children(of: value) { reader, child throws(SourceFailure) in
                try reader.type(child, namespace: namespace, depth: depth + 1)
            }
            return try append(AvroSchema.Node(kind: .union(branches)))
        case .object: return try complex(value, namespace: namespace, depth: depth)
        default: throw SourceFailure("it has \(excerpt(text(value))) where a type belongs")
        }
    }

    private mutating func named(_ name: String, _ namespace: String) throws(SourceFailure) -> Int {
        if let kind = Self.primitives[name] { return try append(AvroSchema.Node(kind: kind)) }
        if let known = names[Self.fullName(name, namespace)] ?? names[name] { return known }
        throw SourceFailure("it names the type \(excerpt(name)), which is defined neither in it nor in its references")
    }

    private mutating func complex(_ value: Int, namespace: String, depth: Int) throws(SourceFailure) -> Int {
        guard let type = member("type", of: value) else { throw SourceFailure("it has a type without 'type'") }
        guard let name = document.string(of: type) else {
            return try self.type(type, namespace: namespace, depth: depth + 1)
        }
        switch name {
        case "record", "error":
            let (index, space) = try define(value, namespace)
            guard let list = member("fields", of: value), document[list].kind == .array else {
                throw SourceFailure("it has a record without 'fields'")
            }
            let fields = try children(of: list) { reader, field throws(SourceFailure) in
                try reader.field(field, namespace: space, depth: depth + 1)
            }
            nodes[index].kind = .record(fields)
            return index
        case "enum":
            let (index, _) = try define(value, namespace)
            guard let list = member("symbols", of: value), document[list].kind == .array else {
                throw SourceFailure("it has an enum without 'symbols'")
            }
            nodes[index].kind = .enumeration(
                try children(of: list) { reader, symbol throws(SourceFailure) in
                    var text = JSONWriter(capacity: 32)
                    text.string(reader.document.string(of: symbol) ?? "")
                    return text.array
                })
            return index
        case "fixed":
            let (index, _) = try define(value, namespace)
            guard let size = integer("size", of: value), 0...(1 << 30) ~= size else {
                throw SourceFailure("it has a fixed without a 'size'")
            }
            nodes[index].kind = .fixed(size: size)
            nodes[index].meaning = meaning(value, of: .fixed(size: size))
            return index
        case "array", "map":
            guard let inner = member(name == "array" ? "items" : "values", of: value) else {
                throw SourceFailure("it has \(name == "array" ? "an array without 'items'" : "a map without 'values'")")
            }
            let item = try self.type(inner, namespace: namespace, depth: depth + 1)
            return try append(AvroSchema.Node(kind: name == "array" ? .array(item) : .map(item)))
        default:
            guard let kind = Self.primitives[name] else { return try named(name, namespace) }
            return try append(AvroSchema.Node(kind: kind, meaning: meaning(value, of: kind)))
        }
    }

    private mutating func field(
        _ value: Int, namespace: String, depth: Int
    ) throws(SourceFailure) -> AvroSchema.Field {
        guard let name = string("name", of: value), let type = member("type", of: value) else {
            throw SourceFailure("it has a field without 'name' or 'type'")
        }
        return AvroSchema.Field(
            name: name, member: JSONWriter.member(name),
            type: try self.type(type, namespace: namespace, depth: depth), aliases: strings("aliases", of: value))
    }

    /// Adds a named type before its content is read, as the content may refer to it.
    private mutating func define(_ value: Int, _ namespace: String) throws(SourceFailure) -> (Int, namespace: String) {
        guard let name = string("name", of: value) else { throw SourceFailure("it has a named type without 'name'") }
        let index = try append(AvroSchema.Node(kind: .null))
        let full = Self.fullName(name, string("namespace", of: value) ?? namespace)
        names[full] = index
        return (index, full.lastIndex(of: ".").map { String(full[..<$0]) } ?? "")
    }

    private static func fullName(_ name: String, _ namespace: String) -> String {
        name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
    }

    // MARK: - Logical types

    /// A logical type that is unknown or does not fit its type is ignored, as the specification requires.
    private func meaning(_ value: Int, of kind: AvroSchema.Kind) -> AvroSchema.Meaning {
        switch (string("logicalType", of: value), kind) {
        case ("date", .int): return .time(.days)
        case ("timestamp-millis", .long), ("local-timestamp-millis", .long): return .time(.millis)
        case ("timestamp-micros", .long), ("local-timestamp-micros", .long): return .time(.micros)
        case ("timestamp-nanos", .long), ("local-timestamp-nanos", .long): return .time(.nanos)
        case ("time-millis", .int): return .timeOfDay(.millis)
        case ("time-micros", .long): return .timeOfDay(.micros)
        case ("decimal", .bytes), ("decimal", .fixed):
            let scale = integer("scale", of: value) ?? 0
            return 0...10_000 ~= scale ? .decimal(scale: scale) : .plain
        case ("uuid", .fixed(16)): return .uuid
        case ("duration", .fixed(12)): return .duration
        default: return connectMeaning(value, of: kind)
        }
    }

    /// Kafka Connect's converter notes the name of a Connect schema, by which Debezium declares its columns' types.
    private func connectMeaning(_ value: Int, of kind: AvroSchema.Kind) -> AvroSchema.Meaning {
        guard let name = string("connect.name", of: value) else { return .plain }
        let parameters = member("connect.parameters", of: value)
        let type = LogicalType(name: name) { key in parameters.flatMap { string(key, of: $0) } }
        switch (type, kind) {
        case (.time(let unit)?, .int), (.time(let unit)?, .long): return unit == .rfc3339 ? .plain : .time(unit)
        case (.decimal(let scale)?, .bytes) where 0...10_000 ~= scale: return .decimal(scale: scale)
        case (.json?, .string): return .json
        default: break
        }
        switch (name, kind) {
        case ("io.debezium.time.Time", .int): return .timeOfDay(.millis)
        case ("io.debezium.time.MicroTime", .long): return .timeOfDay(.micros)
        case ("io.debezium.time.NanoTime", .long): return .timeOfDay(.nanos)
        default: return .plain
        }
    }

    // MARK: - JSON

    private static let primitives: [String: AvroSchema.Kind] = [
        "null": .null, "boolean": .boolean, "int": .int, "long": .long, "float": .float, "double": .double,
        "bytes": .bytes, "string": .string,
    ]

    private func member(_ name: String, of object: Int) -> Int? { document.member(Array(name.utf8), of: object) }

    private func string(_ name: String, of object: Int) -> String? {
        member(name, of: object).flatMap { document.string(of: $0) }
    }

    private func integer(_ name: String, of object: Int) -> Int? {
        member(name, of: object).flatMap { document[$0].kind == .number ? Int(text($0)) : nil }
    }

    private func strings(_ name: String, of object: Int) -> [String] {
        guard let list = member(name, of: object), document[list].kind == .array else { return [] }
        var texts: [String] = []
        document.forEachChild(of: list) { if let text = document.string(of: $0) { texts.append(text) } }
        return texts
    }

    private func text(_ value: Int) -> String { String(decoding: document.text(of: value), as: UTF8.self) }

    private mutating func children<Result>(
        of container: Int, _ body: (inout Self, Int) throws(SourceFailure) -> Result
    ) throws(SourceFailure) -> [Result] {
        var results: [Result] = []
        var index = container + 1
        while index < document[container].next {
            results.append(try body(&self, index))
            index = document[index].next
        }
        return results
    }
}
