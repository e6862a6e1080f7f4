import SchemaRegistry

/// A configuration key. Its raw value is the path in the configuration file; the rest is in `definition`, the one table
/// behind reading, the unknown-key check, `rejoinder config` and the documentation.
enum SettingKey: String, CaseIterable, Sendable {
    case bootstrapServers = "kafka.bootstrapServers"
    case groupID = "kafka.groupId"
    case staticMembership = "kafka.staticMembership"
    case questionsTopic = "topics.questions"
    case answersTopic = "topics.answers"
    case votesTopic = "topics.votes"
    case enrichedTopic = "topics.enriched"
    case deadLetterTopic = "topics.deadLetter"
    case sourceIndexTopic = "topics.sourceIndex"
    case delivery = "delivery"
    case publishOn = "publish.on"
    case publishCoalesceMs = "publish.coalesceMs"
    case publishesProvenance = "publish.fromHeader"
    case commitIntervalMs = "commitIntervalMs"
    case offsetMismatch = "offsets.onMismatch"
    case lanes = "lanes"
    case sourceLanes = "sourceLanes"
    case registryURL = "registry.url"
    case registryUsername = "registry.username"
    case registryPassword = "registry.password"
    case registryPasswordFile = "registry.passwordFile"
    case registryAuthorityFile = "registry.caFile"
    case registryCertificateFile = "registry.certificateFile"
    case registryKeyFile = "registry.keyFile"
    case registryKeyPassword = "registry.keyPassword"
    case storeDirectory = "store.directory"
    case maxRecordBytes = "maxRecordBytes"
    case memoryBudgetMiB = "memoryBudgetMiB"
    case adminHost = "admin.host"
    case adminPort = "admin.port"
    case adminPeers = "admin.peers"
    case monitoringIntervalSeconds = "monitoring.intervalSeconds"
    case objectiveMs = "monitoring.objectiveMs"
    case logLevel = "log.level"
    case logFormat = "log.format"

    /// The mapping of librdkafka properties by name; no key of its own, since it holds many values.
    static let propertiesPath = "kafka.properties"

    /// The list of sources; no key of its own, since it holds mappings.
    static let sourcesPath = "sources"

    /// The path in the configuration file, such as `kafka.groupId`.
    var path: String { rawValue }

    /// The parts of the path: section and name, or the name alone.
    var components: [String] { rawValue.split(separator: ".").map(String.init) }

    /// Names of the file's top-level mappings, such as `kafka`.
    static let sections: Set<String> = Set(
        allCases.compactMap { $0.components.count > 1 ? $0.components.first : nil })

    /// Keys by path: the file's top-level keys and the keys of its sections.
    static let byPath: [String: SettingKey] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.path, $0) })
}

/// The type and range of a setting's value.
enum SettingKind: Sendable {
    case text
    case topicName
    case path
    case boolean
    case integer(ClosedRange<Int>)
    case choice([String])
    /// Addresses, separated by commas.
    case addresses
    /// Addresses of a schema registry. A wrong one is not shown: it may hold a password.
    case registryAddresses

    /// For people: the end of "must be ...".
    var allowed: String {
        switch self {
        case .text: "text, not empty"
        case .topicName: "a topic name: 1 to 249 of the characters a-z, A-Z, 0-9, '.', '_' and '-', not '.' or '..'"
        case .path: "a path, not empty"
        case .boolean: "true or false"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .addresses: "addresses such as http://worker-1:9464, separated by commas"
        case .registryAddresses: "`http://` or `https://` addresses, several separated by commas"
        }
    }

    /// Whether `text` is a valid value. File, environment and flags accept the same words.
    func accepts(_ text: String) -> Bool {
        switch self {
        case .text: !text.allSatisfy(\.isWhitespace)
        case .path: !text.allSatisfy(\.isWhitespace) && !text.utf8.contains(0)
        case .topicName:
            (1...249).contains(text.utf8.count) && text != "." && text != ".."
                && text.utf8.allSatisfy { Self.topicBytes.contains($0) }
        case .boolean: text == "true" || text == "false"
        case .integer(let range): Self.integer(text).map(range.contains) ?? false
        case .choice(let names): names.contains(text)
        case .addresses: Self.targets(text) != nil
        case .registryAddresses: RegistryConfiguration.problem(ofAddresses: text) == nil
        }
    }

    /// Plain decimal digits with an optional minus: no hexadecimal, underscores or base 60, all of which YAML allows.
    static func integer(_ text: String) -> Int? {
        text.utf8.first == UInt8(ascii: "+") ? nil : Int(text)
    }

    /// nil: one of them is no address.
    static func targets(_ text: String) -> [HealthCommand.Target]? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let targets = words.compactMap { word in try? HealthCommand.Target(url: word.filter { !$0.isWhitespace }) }
        return targets.count == words.count ? targets : nil
    }

    private static let topicBytes = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8)
}

/// A setting's type, default, flag and help.
struct SettingDefinition: Sendable {
    var kind: SettingKind
    /// The default; nil: worked out from other settings, as `help` says.
    var standard: String?
    /// The command-line flag; nil: none.
    var flag: String?
    /// Never shown.
    var isSecret = false
    /// Whether there is no value where none is given.
    var isOptional = false
    /// One sentence, for the documentation.
    var help: String

    /// A setting that has no value unless it is given one.
    static func optional(_ kind: SettingKind, isSecret: Bool = false, _ help: String) -> SettingDefinition {
        SettingDefinition(kind: kind, isSecret: isSecret, isOptional: true, help: help)
    }
}
