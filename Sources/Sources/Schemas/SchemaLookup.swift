/// A schema as a registry holds it.
package struct RegisteredSchema: Sendable, Equatable {
    /// `AVRO`, `JSON` or `PROTOBUF`.
    package var type: String
    /// The schema's own text: Avro's is JSON.
    package var text: String
    /// The texts of the referenced schemas, each after its own references.
    package var references: [String]

    /// - Parameter references: the texts of the referenced schemas, each after its own references.
    package init(type: String = "AVRO", text: String, references: [String] = []) {
        self.type = type
        self.text = text
        self.references = references
    }
}

/// Finds schemas by their ids. Used by one thread; may wait for a server.
package protocol SchemaLookup: AnyObject {
    /// - Throws: `SourceFailure` when there is no such schema; asking again does not help. ``RegistryOutage`` when the
    ///   registry gives no usable answer.
    func schema(_ id: SchemaID) throws -> RegisteredSchema
}

/// The registry does not answer, or not as a registry does. The record is not at fault, so it waits for its schema.
package struct RegistryOutage: Error, Sendable, CustomStringConvertible {
    /// A sentence for people, without secrets.
    package let description: String
    /// The schema that was asked for.
    package let schema: SchemaID?

    /// - Parameter description: a sentence for people, without secrets.
    package init(_ description: String, schema: SchemaID?) {
        self.description = description
        self.schema = schema
    }
}
