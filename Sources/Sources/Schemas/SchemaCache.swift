/// A bounded cache of parsed schemas by their ids. Used by one thread.
final class SchemaCache {
    /// Time until a failed schema is asked for again: a lagging replica of a registry may know it later.
    private static let patience = Duration.seconds(10)
    static let mostSchemas = 1_000
    static let mostBytes = 64 << 20

    private enum Entry {
        case schema(AvroSchema)
        case failure(SourceFailure, until: ContinuousClock.Instant)

        var size: Int { if case .schema(let schema) = self { schema.size } else { 0 } }
    }

    private let lookup: (any SchemaLookup)?
    private var entries: [SchemaID: Entry] = [:]
    /// The ids in the order in which they came.
    private var order: [SchemaID] = []
    private var size = 0
    /// The schema of the last call: most topics have one schema for a long time.
    private var last: (id: SchemaID, schema: AvroSchema)?

    init(_ lookup: (any SchemaLookup)?) { self.lookup = lookup }

    var count: Int { entries.count }

    /// - Throws: `SourceFailure`: there is no such schema, or none that can be used. `RegistryOutage`.
    func schema(_ id: SchemaID) throws -> AvroSchema {
        if let last, last.id == id { return last.schema }
        switch entries[id] {
        case .schema(let schema)?:
            last = (id, schema)
            return schema
        case .failure(let failure, let until)? where .now < until: throw failure
        default: break
        }
        do {
            let schema = try read(id)
            keep(.schema(schema), id)
            last = (id, schema)
            return schema
        } catch let failure as SourceFailure {
            keep(.failure(failure, until: .now + Self.patience), id)
            throw failure
        }
    }

    private func read(_ id: SchemaID) throws -> AvroSchema {
        guard let lookup else { throw SourceFailure("no schema registry is configured; set registry.url") }
        let registered = try lookup.schema(id)
        guard registered.type == "AVRO" else {
            throw SourceFailure(
                "\(id) is of type \(excerpt(registered.type)) in the schema registry, and the source's format is avro"
                    + (registered.type == "JSON" ? "; set format: json-schema" : ""))
        }
        do throws(SourceFailure) { return try AvroSchemaReader.read(registered) } catch {
            throw SourceFailure("\(id) is no Avro schema that can be used: \(error)")
        }
    }

    private func keep(_ entry: Entry, _ id: SchemaID) {
        if let old = entries.updateValue(entry, forKey: id) { size -= old.size } else { order.append(id) }
        size += entry.size
        while order.count > 1, order.count > Self.mostSchemas || size > Self.mostBytes {
            let oldest = order.removeFirst()
            if let old = entries.removeValue(forKey: oldest) { size -= old.size }
        }
    }
}
