import Bytes

/// Removes the frames of Confluent's serializers from records, and decodes them to JSON. Used by one thread.
final class FramedRecordReader {
    /// A key or value as JSON, valid until the next one of its kind is read.
    struct Content {
        var json: Bytes
        /// nil: it was JSON before.
        var schema: AvroSchema?
    }

    private let cache: SchemaCache
    private let values = AvroDecoder()
    private let keys = AvroDecoder()

    init(_ lookup: (any SchemaLookup)?) { cache = SchemaCache(lookup) }

    /// Fetches a schema if it is not cached.
    /// - Throws: `RegistryOutage`.
    func fetch(_ id: SchemaID) throws {
        do { _ = try cache.schema(id) } catch is SourceFailure {}
    }

    /// - Throws: `SourceFailure`, `RegistryOutage`.
    func value(_ bytes: Bytes, _ format: SourceFormat, header: [UInt8]?) throws -> Content {
        guard let frame = SchemaFrame(bytes, header: header) else {
            throw SourceFailure(Self.unframed(bytes, format, header))
        }
        guard format == .avro else { return Content(json: frame.payload, schema: nil) }
        let schema = try cache.schema(frame.id)
        do throws(SourceFailure) {
            return Content(json: try values.decode(frame.payload, schema), schema: schema)
        } catch {
            throw SourceFailure("the value is no Avro of \(frame.id): \(error)")
        }
    }

    /// A key identifies its row. A key without a frame, or with an unknown schema, does so undecoded.
    /// - Throws: `RegistryOutage`.
    func key(_ bytes: Bytes, _ format: SourceFormat, header: [UInt8]?) throws -> Bytes {
        guard let frame = SchemaFrame(bytes, header: header) else { return bytes }
        guard format == .avro else { return frame.payload.first == UInt8(ascii: "{") ? frame.payload : bytes }
        // Registries count from 1; a key that is a number begins with zeros, too.
        if case .number(0) = frame.id { return bytes }
        do { return try keys.decode(frame.payload, try cache.schema(frame.id)) } catch is SourceFailure {
            return bytes
        }
    }

    private static func unframed(_ bytes: Bytes, _ format: SourceFormat, _ header: [UInt8]?) -> String {
        if let header {
            return
                "its header \(SchemaHeaders.valueName) of \(header.count) bytes is neither 0 and a schema id nor 1 and "
                + "a GUID"
        }
        let expected =
            "the value does not begin with the byte 0 and a schema's id, nor is there a header "
            + "\(SchemaHeaders.valueName)"
        let isJSON = bytes.first == UInt8(ascii: "{")
        return expected
            + (isJSON
                ? "; it looks like JSON without a schema registry: set format: json or debezium"
                : "; format \(format.rawValue) is for records that were written with a schema registry")
    }
}
