import Bytes

/// Records in the frames of a schema registry's serializers.
extension SourceTranslator {
    /// Whether records of a topic come in the frame of a schema registry's serializers.
    package func isFramed(_ topic: String) -> Bool { sources[topic]?.reader.format.isFramed ?? false }

    /// Asks again for a schema that was not available.
    /// - Throws: `RegistryOutage` when it still is not.
    package func fetch(_ schema: SchemaID) throws { try framed.fetch(schema) }

    /// A record of a topic as JSON, for people; nil where it is JSON already, or cannot be decoded.
    package func readable(
        topic: String, key: Bytes?, value: Bytes?, headers: SchemaHeaders
    ) -> (key: [UInt8]?, value: [UInt8]?)? {
        guard let source = sources[topic], isFramed(topic),
            let (key, content) = try? content(source, key, value, headers)
        else { return nil }
        return (key.map(Array.init), content.map { Array($0.json) })
    }

    /// Key and value without their frames.
    func content(
        _ source: TopicSources, _ key: Bytes?, _ value: Bytes?, _ headers: SchemaHeaders
    ) throws -> (key: Bytes?, value: FramedRecordReader.Content?) {
        let format = source.reader.format
        guard format.isFramed else { return (key, value.map { FramedRecordReader.Content(json: $0, schema: nil) }) }
        let content = try value.map { try framed.value($0, format, header: headers.value) }
        return (try key.map { try framed.key($0, format, header: headers.key) }, content)
    }
}
