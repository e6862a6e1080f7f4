import Bytes

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
        guard let answer = body.withUnsafeBytes({ JSONValue($0) }), answer.kind == .object else { return nil }
        func text(_ value: JSONValue) -> String { value.text(loneSurrogates: .refused) ?? value.source }
        if let code = answer["error_code"] {
            guard Self.unknownCodes.contains(text(code)) else { return nil }
            self = .unknown
            return
        }
        guard let schema = answer.member("schema").text(loneSurrogates: .refused) else { return nil }
        var references: [Reference] = []
        for reference in answer.member("references").elements ?? [] {
            guard let subject = reference.member("subject").text(loneSurrogates: .refused),
                let version = reference["version"].map(text), Int(version) != nil
            else { return nil }
            references.append(Reference(subject: subject, version: version))
        }
        let type = answer.member("schemaType").text(loneSurrogates: .refused) ?? "AVRO"
        self = .schema(Schema(type: type, text: schema, references: references))
    }
}
