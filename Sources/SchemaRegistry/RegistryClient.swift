import Sources

/// Asks a Confluent-compatible schema registry. Used by one thread; keeps nothing.
package final class RegistryClient: SchemaLookup {
    /// Limits of a schema's references: their nesting, and their total.
    private static let deepest = 16
    private static let mostReferences = 200

    private let configuration: RegistryConfiguration
    private let transport: RegistryTransport
    /// The address that answered last.
    private var preferred = 0

    /// - Parameter isCancelled: asked about once a second while a request lasts, on the same thread; true ends it.
    package init(_ configuration: RegistryConfiguration, isCancelled: @escaping () -> Bool = { false }) {
        self.configuration = configuration
        transport = RegistryTransport(configuration, isCancelled: isCancelled)
    }

    /// Asks for a schema, and for those that it refers to, one request each. Blocks its thread.
    /// - Throws: `RegistryOutage` where the registry does not answer or refuses the user; `SourceFailure` where it
    ///   lacks a schema.
    package func schema(_ id: SchemaID) throws -> RegisteredSchema {
        let path =
            switch id {
            case .number: "/schemas/ids/\(id.text)"
            case .guid: "/schemas/guids/\(id.text)"
            }
        let answer = try ask(path, about: "\(id)", id)
        guard case .schema(let schema) = answer else {
            throw SourceFailure("the schema registry knows no \(id)")
        }
        var texts: [String] = []
        var seen: Set<RegistryAnswer.Reference> = []
        for reference in schema.references { try resolve(reference, of: id, depth: 0, &seen, &texts) }
        return RegisteredSchema(type: schema.type, text: schema.text, references: texts)
    }

    /// Whether the registry answers, and takes the user.
    /// - Throws: `RegistryOutage`.
    package func check() throws(RegistryOutage) {
        // No registry has this id, and a registry answers so.
        _ = try ask("/schemas/ids/2147483647", about: "a schema id", nil)
    }

    private func resolve(
        _ reference: RegistryAnswer.Reference, of id: SchemaID, depth: Int,
        _ seen: inout Set<RegistryAnswer.Reference>, _ texts: inout [String]
    ) throws {
        guard seen.insert(reference).inserted else { return }
        guard depth < Self.deepest, seen.count <= Self.mostReferences else {
            throw SourceFailure(
                "\(id) refers to more than \(Self.mostReferences) schemas, or more than \(Self.deepest) deep")
        }
        let name = "version \(reference.version) of a subject that \(id) refers to"
        let path = "/subjects/\(Self.escaped(reference.subject))/versions/\(reference.version)?deleted=true"
        guard case .schema(let schema) = try ask(path, about: name, id) else {
            throw SourceFailure("the schema registry has not \(name)")
        }
        for inner in schema.references { try resolve(inner, of: id, depth: depth + 1, &seen, &texts) }
        texts.append(schema.text)
    }

    // MARK: - Requests

    /// Asks one address after the other.
    private func ask(_ path: String, about subject: String, _ id: SchemaID?) throws(RegistryOutage) -> RegistryAnswer {
        var reason = "registry.url names no address"
        for turn in 0..<configuration.addresses.count {
            let place = (preferred + turn) % configuration.addresses.count
            let address = configuration.addresses[place]
            switch judge(address, path, subject) {
            case .answer(let answer):
                preferred = place
                return answer
            case .none(let why): reason = "the schema registry at \(address) \(why)"
            }
        }
        throw RegistryOutage(reason, schema: id)
    }

    private enum Judgement {
        case answer(RegistryAnswer)
        /// A sentence's end.
        case none(String)
    }

    private func judge(_ address: String, _ path: String, _ subject: String) -> Judgement {
        let answer: RegistryTransport.Answer
        do throws(RegistryTransport.Failure) { answer = try transport.get(address + path) } catch {
            switch error {
            case .unreachable(let why): return .none("cannot be asked: \(why)")
            case .cancelled: return .none("was not waited for: the worker stops")
            case .tooLarge:
                return .none("answers for \(subject) with more than \(RegistryTransport.longestAnswer >> 20) MiB")
            }
        }
        switch answer.status {
        case 200, 404:
            if let parsed = RegistryAnswer(answer.body), parsed.isUnknown == (answer.status == 404) {
                return .answer(parsed)
            }
            return .none(
                answer.status == 404
                    ? "answers 404 for \(subject), and not as a registry that does not know it: see that registry.url "
                        + "has its path, and that it is new enough for schema GUIDs where records carry them"
                    : "answers for \(subject) with \(answer.body.count) bytes that hold no schema: see that "
                        + "registry.url is a schema registry's")
        case 300..<400:
            return .none(
                "answers \(answer.status), which leads elsewhere: set registry.url to the registry's own address")
        case 401 where configuration.password == nil:
            return .none("asks for a user name and a password (401): set registry.username and registry.password")
        case 401:
            return .none("refuses the user name or the password (401): see registry.username and registry.password")
        case 403: return .none("does not let this user read \(subject) (403): give the user the right to read schemas")
        default: return .none("answers \(answer.status) for \(subject)")
        }
    }

    /// Percent-encodes a subject, which may hold any character, for a path (RFC 3986).
    static func escaped(_ subject: String) -> String {
        var text = ""
        for byte in subject.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (byte < 16 ? "0" : "") + digits
            }
        }
        return text
    }
}
