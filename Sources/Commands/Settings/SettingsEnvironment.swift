import AnswerStore
import Bytes
import Configuration
import Sources

/// Our environment variables: `REJOINDER_` and a key's path in upper snake case.
struct SettingsEnvironment {
    static let prefix = "REJOINDER_"
    /// Names the configuration file, as `--config` does.
    static let configVariable = "REJOINDER_CONFIG"
    static let propertiesPrefix = "REJOINDER_KAFKA_PROPERTIES_"
    /// Variables of the project's own tests; the programs under test inherit them.
    static let testPrefix = "REJOINDER_TEST_"

    /// Values by key path, as swift-configuration reads them.
    let snapshot: any ConfigSnapshot
    /// The librdkafka properties that are set, by property name.
    let properties: [String: String]
    private(set) var problems: [SettingProblem] = []

    init(_ variables: [String: String]) {
        let provider = EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .all)
        snapshot = KeyMappingProvider(upstream: provider, keyMapper: Self.prefixed).snapshot()
        var properties: [String: String] = [:]
        for (name, value) in variables where name.hasPrefix(Self.propertiesPrefix) {
            properties[Self.propertyName(ofVariable: name)] = value
        }
        self.properties = properties

        for name in variables.keys.sorted() where name.hasPrefix(Self.prefix) {
            if let problem = Self.problem(name, value: variables[name] ?? "") { problems.append(problem) }
        }
    }

    /// The variable of a key, such as `REJOINDER_KAFKA_BOOTSTRAP_SERVERS`.
    static func variable(of key: SettingKey) -> String {
        variable(ofPath: key.components)
    }

    /// The variable of a librdkafka property: `sasl.password` is `REJOINDER_KAFKA_PROPERTIES_SASL_PASSWORD`.
    static func variable(ofProperty name: String) -> String {
        variable(ofPath: ["kafka", "properties", name])
    }

    /// Our own encoding: the library's takes an internal type, and the documentation names variables that are not set.
    private static func variable(ofPath components: [String]) -> String {
        var name = prefix.dropLast()[...]
        for component in components {
            name += "_"
            var last: Character = " "
            for character in oneWord(component) {
                if last.isLowercase && character.isUppercase { name += "_" }
                name += character.isLetter || character.isNumber ? character.uppercased() : "_"
                last = character
            }
        }
        return String(name)
    }

    /// Every property that a user can set has a dot where its variable has an underscore, except `log_level`.
    private static func propertyName(ofVariable name: String) -> String {
        let rest = name.dropFirst(propertiesPrefix.count).lowercased()
        return rest == "log_level" ? rest : rest.replacing("_", with: ".")
    }

    /// "MiB" is two words to the library; as one, memoryBudgetMiB becomes MEMORY_BUDGET_MIB, not ..._MI_B.
    private static func oneWord(_ component: String) -> String {
        component.replacing("MiB", with: "Mib")
    }

    @Sendable private static func prefixed(_ key: AbsoluteConfigKey) -> AbsoluteConfigKey {
        AbsoluteConfigKey(["rejoinder"] + key.components.map(oneWord))
    }

    private static let known: [String: SettingKey] = Dictionary(
        uniqueKeysWithValues: SettingKey.allCases.map { (variable(of: $0), $0) })

    /// Likely guesses of a user who knows the flag `--state-dir`: `REJOINDER_STATE_DIR`.
    private static let flagAliases: [String: String] = Dictionary(
        uniqueKeysWithValues: SettingKey.allCases.compactMap { key in
            key.definition.flag.map { flag in
                (prefix + flag.dropFirst(2).uppercased().replacing("-", with: "_"), variable(of: key))
            }
        })

    private static func problem(_ name: String, value: String) -> SettingProblem? {
        if known[name] != nil { return nil }
        if name == configVariable || name == Prefetch.variable || name.hasPrefix(testPrefix) { return nil }
        if isServiceVariable(name, value: value) { return nil }
        if name == variable(ofPath: ["kafka", "properties"]) {
            return SettingProblem(
                message: """
                    \(name) means nothing by itself: set one variable for each property, \
                    as in \(variable(ofProperty: "session.timeout.ms")) for session.timeout.ms.
                    """)
        }
        if name.hasPrefix(propertiesPrefix) { return nil }
        let nearest = NearestName.of(name, in: known.keys.sorted() + [configVariable], aliases: flagAliases)
        return SettingProblem(
            message: "the environment variable \(Printable.quoted(name)) is no setting; the nearest is \(nearest).")
    }

    /// Variables that Kubernetes puts into every pod beside a service whose name starts with "rejoinder". They are
    /// accepted, since a worker that refused to start because of them could not be deployed under its own name.
    private static func isServiceVariable(_ name: String, value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") { return true }
        if name.contains("_SERVICE_PORT_") { return true }
        if name.wholeMatch(of: /REJOINDER_(.*_)?PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?/) != nil { return true }
        return name.hasSuffix("_PORT") && isServiceAddress(value)
    }

    /// For a service called rejoinder-admin Kubernetes sets our variable: `REJOINDER_ADMIN_PORT=tcp://10.0.0.7:9464`.
    static let serviceAddressHint =
        " Kubernetes sets it for a service of that name: put enableServiceLinks: false in the pod, or rename the "
        + "service."

    static func isServiceAddress(_ value: String) -> Bool {
        ["tcp://", "udp://", "sctp://"].contains { value.hasPrefix($0) }
    }
}
