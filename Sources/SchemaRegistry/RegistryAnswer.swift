import Records

/// A registry's answer: a schema, or that it has none.
enum RegistryAnswer: Equatable {
    struct Reference: Hashable {
        var subject: String
        var version: String
    }

    struct Schema: Equatable {
        var type: String
        var text: String
        var references: [Reference]
    }

    case schema(Schema)
    case unknown

    var isUnknown: Bool { self == .unknown }

    /// Error codes of the registry's: no such subject, version, schema.
    private static let unknownCodes = ["40401", "40402", "40403"]

    /// - Returns: nil: it is no registry's answer.
    init?(_ body: [UInt8]) {
        let document = JSONDocument()
        let answer: RegistryAnswer? = body.withUnsafeBytes { bytes in
            guard (try? document.read(bytes)) != nil, document[JSONDocument.root].kind == .object else { return nil }
            func member(_ name: String, _ object: Int = JSONDocument.root) -> Int? {
                document.member(Array(name.utf8), of: object)
            }
            func text(_ index: Int) -> String {
                document.string(of: index) ?? String(decoding: document.text(of: index), as: UTF8.self)
            }
            if let code = member("error_code") { return Self.unknownCodes.contains(text(code)) ? .unknown : nil }
            guard let schema = member("schema").flatMap({ document.string(of: $0) }) else { return nil }
            var references: [Reference] = []
            var areRight = true
            if let list = member("references"), document[list].kind == .array {
                document.forEachChild(of: list) { reference in
                    guard let subject = member("subject", reference).flatMap({ document.string(of: $0) }),
                        let version = member("version", reference).map(text), Int(version) != nil
                    else {
                        areRight = false
                        return
                    }
                    references.append(Reference(subject: subject, version: version))
                }
            }
            guard areRight else { return nil }
            let type = member("schemaType").flatMap { document.string(of: $0) } ?? "AVRO"
            return .schema(Schema(type: type, text: schema, references: references))
        }
        guard let answer else { return nil }
        self = answer
    }
}
