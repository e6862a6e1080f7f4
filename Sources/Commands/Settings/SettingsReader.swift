import Bytes
import Configuration
import KafkaClient
import Logging
import SchemaRegistry
import Sources
import Worker

/// A command's settings flags.
struct SettingsFlags: Sendable {
    var configFile: String?
    var values: [SettingKey: String] = [:]
    /// `--kafka name=value`, as typed.
    var kafka: [String] = []
}

/// Merges flags, environment, file and defaults. One reading finds all faults.
struct SettingsReader {
    private var problems: [SettingProblem] = []
    private var values: [SettingKey: SettingValue] = [:]
    private var properties: [String: SettingValue] = [:]
    private var sources: [SourceMapping] = []
    private var sourceOrigins: [String: SettingOrigin] = [:]
    private var sourcesText: String?

    /// - Throws: all problems at once.
    static func read(_ flags: SettingsFlags, environment: [String: String]) throws(SettingsError) -> Settings {
        var reader = SettingsReader()
        let path = flags.configFile ?? environment[SettingsEnvironment.configVariable]
        let variables = SettingsEnvironment(environment)
        reader.problems += variables.problems
        var file: SettingsFile?
        do {
            if let path { file = try SettingsFile(path: path) }
        } catch {
            reader.problems += error.problems
        }
        reader.problems += file?.problems ?? []
        reader.sources = file?.sources ?? []
        for source in reader.sources { reader.sourceOrigins[source.topic] = file?.origin(ofSource: source.topic) }
        reader.sourcesText = file?.sourcesText

        let flagProperties = reader.parse(kafkaFlags: flags.kafka)
        reader.readValues(flags: flags.values, variables: variables, file: file)
        reader.readProperties(flags: flagProperties, variables: variables, file: file)
        reader.checkTogether()
        return try reader.settings()
    }

    // MARK: Sources

    private mutating func readValues(flags: [SettingKey: String], variables: SettingsEnvironment, file: SettingsFile?) {
        let given = InMemoryProvider(
            name: "flags",
            values: Dictionary(
                uniqueKeysWithValues: flags.map {
                    (AbsoluteConfigKey($0.key.components), ConfigValue(.string($0.value), isSecret: false))
                }))
        for key in SettingKey.allCases {
            let definition = key.definition
            let sources: [(any ConfigSnapshot, SettingOrigin)] =
                [
                    (given.snapshot(), .flag(definition.flag ?? key.path)),
                    (variables.snapshot, .environment(SettingsEnvironment.variable(of: key))),
                ] + (file?.snapshot.map { [($0, .file(file?.path ?? "", line: file?.lines[key]))] } ?? [])
            for (source, origin) in sources {
                guard let text = Self.text(source, key.components) else { continue }
                // A hidden value is checked too: its fault would show on the day that the flag is removed.
                check(text, of: key, from: origin)
                if values[key] == nil { values[key] = SettingValue(text: text, origin: origin) }
            }
            if values[key] == nil, let standard = definition.standard {
                values[key] = SettingValue(text: standard, origin: .standard)
            }
        }
    }

    private mutating func readProperties(
        flags: [String: String], variables: SettingsEnvironment, file: SettingsFile?
    ) {
        for name in file?.propertyLines.keys.sorted() ?? [] {
            guard let file, let snapshot = file.snapshot, let text = Self.text(snapshot, ["kafka", "properties", name])
            else { continue }
            properties[name] = SettingValue(text: text, origin: file.origin(ofProperty: name))
        }
        for (name, text) in variables.properties.sorted(by: { $0.key < $1.key }) {
            let variable = SettingsEnvironment.variable(ofProperty: name)
            if text.isEmpty {
                report("\(variable) is empty: leave it out, or give the property \(name) a value.")
            }
            properties[name] = SettingValue(text: text, origin: .environment(variable))
        }
        for (name, text) in flags {
            properties[name] = SettingValue(text: text, origin: .flag("--kafka"))
        }
    }

    /// Reports show at most the name before a `=`, never the rest: it may be a password.
    private mutating func parse(kafkaFlags: [String]) -> [String: String] {
        var result: [String: String] = [:]
        for (index, argument) in kafkaFlags.enumerated() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if parts.count < 2 || name.isEmpty {
                report(
                    "--kafka number \(index + 1) is not name=value, as in --kafka session.timeout.ms=6000.", flag: true)
            } else if parts[1].isEmpty {
                report("--kafka \(Printable.text(name))= has no value: leave it out, or give it one.", flag: true)
            } else if result.updateValue(String(parts[1]), forKey: name) != nil {
                report("--kafka \(Printable.text(name)) is given more than once: keep one.", flag: true)
            }
        }
        return result
    }

    private static func text(_ source: any ConfigSnapshot, _ components: [String]) -> String? {
        // Every scalar is available as text, so this cannot fail; we check the kinds ourselves.
        guard let value = try? source.value(forKey: AbsoluteConfigKey(components), type: .string).value,
            case .string(let text) = value.content
        else { return nil }
        return text
    }

    // MARK: Checks

    private mutating func check(_ text: String, of key: SettingKey, from origin: SettingOrigin) {
        let kind = key.definition.kind
        guard !kind.accepts(text) else { return }
        var message = "\(key.path) is \(Printable.quoted(text)) (from \(origin)): it must be \(kind.allowed)."
        if case .registryAddresses = kind, let problem = RegistryConfiguration.problem(ofAddresses: text) {
            message = "\(key.path) (from \(origin)) \(problem)."
        }
        if text.isEmpty { message = "\(key.path) is empty (from \(origin)): it must be \(kind.allowed)." }
        if case .choice(let names) = kind, !text.isEmpty {
            let nearest = NearestName.of(text, in: names)
            if NearestName.distance(nearest, text.lowercased()) <= 2 { message += " Did you mean \(nearest)?" }
        }
        if case .environment = origin, SettingsEnvironment.isServiceAddress(text) {
            message += SettingsEnvironment.serviceAddressHint
        }
        report(message, flag: origin.isFlag)
    }

    private mutating func checkTogether() {
        let topics: [SettingKey] = [
            .questionsTopic, .answersTopic, .votesTopic, .enrichedTopic, .deadLetterTopic, .sourceIndexTopic,
        ]
        for key in topics {
            guard let value = values[key], sources.contains(where: { $0.topic == value.text }) else { continue }
            report(
                "topic in \(place(ofSource: value.text)) is \(Printable.quoted(value.text)), which is \(key.path) "
                    + "(from \(value.origin)): the worker's own topics are no sources.")
        }
        for (index, key) in topics.enumerated() {
            guard let value = values[key], let other = topics[..<index].first(where: { values[$0]?.text == value.text })
            else { continue }
            let origin = value.origin == .standard ? values[other]?.origin ?? .standard : value.origin
            report(
                "\(other.path) and \(key.path) are both \(Printable.quoted(value.text)) (from \(origin)): each needs a "
                    + "topic of its own."
            )
        }
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { check(value, ofProperty: name) }
        checkRegistry()
        checkRecordSize()
    }

    private func place(ofSource topic: String) -> String { sourceOrigins[topic]?.description ?? "sources" }

    private mutating func checkRegistry() {
        guard values[.registryURL] != nil else {
            guard let source = sources.first(where: { $0.format == .avro }) else { return }
            return report(
                "the topic \(Printable.quoted(source.topic)) in \(place(ofSource: source.topic)) is read as avro, "
                    + "which needs registry.url: the address of the schema registry that its records were written "
                    + "with.")
        }
        if let file = values[.registryPasswordFile], values[.registryPassword] != nil {
            report("registry.password and registry.passwordFile (from \(file.origin)) are both set; keep one.")
        }
        for key in [SettingKey.registryPassword, .registryPasswordFile] {
            guard let value = values[key], values[.registryUsername] == nil else { continue }
            report("\(key.path) (from \(value.origin)) needs registry.username: whose password it is.")
        }
        if let key = values[.registryKeyFile], values[.registryCertificateFile] == nil {
            report("registry.keyFile (from \(key.origin)) needs registry.certificateFile: the certificate of that key.")
        }
    }

    private mutating func check(_ value: SettingValue, ofProperty name: String) {
        let label = "the librdkafka property \(Printable.quoted(name)) (from \(value.origin))"
        if let owned = OwnedProperty.of(name), value.text != owned.acceptedValue {
            return report("\(label) cannot be set: \(owned.advice).", flag: value.origin.isFlag)
        }
        do {
            try KafkaProperties([name: value.text]).check()
        } catch {
            let reason = Printable.text(error.reason, limit: 500)
            report("\(label) cannot be used: \(reason)" + (reason.last == "?" ? "" : "."), flag: value.origin.isFlag)
        }
    }

    private mutating func checkRecordSize() {
        guard let value = values[.maxRecordBytes], let bytes = SettingKind.integer(value.text) else { return }
        let given = KafkaProperties(properties.mapValues(\.text))
        guard let limit = given.effectiveValue("message.max.bytes").flatMap(SettingKind.integer) else { return }
        guard bytes >= limit else { return }
        report(
            """
            maxRecordBytes is \(bytes) (from \(value.origin)), but the producer's message.max.bytes is \(limit): raise \
            message.max.bytes under \(SettingKey.propertiesPath) (and max.message.bytes of the topic), or lower \
            maxRecordBytes.
            """, flag: value.origin.isFlag)
    }

    private mutating func report(_ message: String, flag: Bool = false) {
        problems.append(SettingProblem(message: message, isFromFlag: flag))
    }

    // MARK: Result

    private func settings() throws(SettingsError) -> Settings {
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
        // Every text below has passed its kind's check, so the fallbacks after ?? are never used.
        func text(_ key: SettingKey) -> String { values[key]?.text ?? "" }
        func integer(_ key: SettingKey) -> Int { SettingKind.integer(text(key)) ?? 0 }
        return Settings(
            bootstrapServers: text(.bootstrapServers),
            groupID: text(.groupID),
            staticMembership: text(.staticMembership) == "true",
            kafkaProperties: properties.mapValues(\.text),
            topics: TopicNames(
                questions: text(.questionsTopic), answers: text(.answersTopic), votes: text(.votesTopic),
                enriched: text(.enrichedTopic), deadLetter: text(.deadLetterTopic),
                sourceIndex: text(.sourceIndexTopic)),
            delivery: DeliveryMode(rawValue: text(.delivery)) ?? .exactlyOnce,
            publishOn: text(.publishOn) == PublishMode.questions.name
                ? .questions : .changes(coalesce: .milliseconds(integer(.publishCoalesceMs))),
            commitIntervalMilliseconds: integer(.commitIntervalMs),
            offsetMismatch: OffsetMismatchPolicy(rawValue: text(.offsetMismatch)) ?? .stop,
            publishesProvenance: text(.publishesProvenance) == "true",
            lanes: integer(.lanes),
            sourceLanes: integer(.sourceLanes),
            sources: sources,
            sourcesText: sourcesText,
            registry: values[.registryURL].map { url in
                RegistryConfiguration(
                    addresses: RegistryConfiguration.addresses(url.text), username: values[.registryUsername]?.text,
                    password: values[.registryPassword].map { .text($0.text) }
                        ?? values[.registryPasswordFile].map { .file($0.text) },
                    authorityFile: values[.registryAuthorityFile]?.text,
                    certificateFile: values[.registryCertificateFile]?.text,
                    keyFile: values[.registryKeyFile]?.text, keyPassword: values[.registryKeyPassword]?.text)
            },
            storeDirectory: text(.storeDirectory),
            maxRecordBytes: values[.maxRecordBytes].flatMap { SettingKind.integer($0.text) },
            memoryBudgetMiB: integer(.memoryBudgetMiB),
            adminHost: text(.adminHost),
            adminPort: integer(.adminPort),
            adminPeers: SettingKind.targets(text(.adminPeers)) ?? [],
            monitoringIntervalSeconds: integer(.monitoringIntervalSeconds),
            objectiveMilliseconds: integer(.objectiveMs),
            logLevel: Logger.Level(rawValue: text(.logLevel)) ?? .info,
            logFormat: LogFormat(rawValue: text(.logFormat)) ?? .json,
            values: values,
            propertyOrigins: properties.mapValues(\.origin))
    }
}
