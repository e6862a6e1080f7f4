import Foundation
import Testing

@testable import Commands

@Suite struct SettingsReaderTests {
    private func read(
        yaml: String? = nil, environment: [String: String] = [:], flags: [SettingKey: String] = [:],
        kafka: [String] = []
    ) throws -> Settings {
        let directory = try TemporaryDirectory()
        let file = try yaml.map { try directory.file($0) }
        return try SettingsReader.read(
            SettingsFlags(configFile: file, values: flags, kafka: kafka), environment: environment)
    }

    private func problems(
        yaml: String? = nil, environment: [String: String] = [:], flags: [SettingKey: String] = [:],
        kafka: [String] = []
    ) -> [String] {
        do {
            _ = try read(yaml: yaml, environment: environment, flags: flags, kafka: kafka)
            return []
        } catch let error as SettingsError {
            return error.problems.map(\.message)
        } catch {
            return ["unexpected: \(error)"]
        }
    }

    // MARK: Precedence

    @Test func defaultsHoldWhereNothingIsSet() throws {
        let settings = try read()
        #expect(settings.bootstrapServers == "localhost:9092")
        #expect(settings.groupID == "rejoinder")
        #expect(settings.delivery == .exactlyOnce)
        #expect(settings.commitIntervalMilliseconds == 100)
        #expect(settings.lanes == 1)
        #expect(settings.maxRecordBytes == nil)
        #expect(settings.memoryBudgetMiB == 256)
        #expect(settings.adminPort == 9464)
        #expect(settings.monitoringIntervalSeconds == 10)
        #expect(settings.logFormat == .json)
        #expect(settings.logLevel == .info)
        #expect(settings.topics.enriched == "questions.enriched")
        #expect(settings.topics.deadLetter == "questions.dead-letter")
        #expect(settings.staticMembership == false)
        #expect(settings.origin(of: .lanes) == .standard)
    }

    @Test func flagWinsOverEnvironmentOverFileOverDefault() throws {
        let yaml = "lanes: 2\nkafka:\n  groupId: from-file\nlog:\n  level: debug\n"
        let environment = ["REJOINDER_LANES": "3", "REJOINDER_KAFKA_GROUP_ID": "from-environment"]
        let settings = try read(yaml: yaml, environment: environment, flags: [.lanes: "4"])
        #expect(settings.lanes == 4)
        #expect(settings.origin(of: .lanes) == .flag("--lanes"))
        #expect(settings.groupID == "from-environment")
        #expect(settings.origin(of: .groupID) == .environment("REJOINDER_KAFKA_GROUP_ID"))
        #expect(settings.logLevel == .debug)
        guard case .file(let path, let line) = settings.origin(of: .logLevel) else { throw Unexpected() }
        #expect(path.hasSuffix("rejoinder.yaml"))
        #expect(line == 5)
        #expect(settings.origin(of: .adminPort) == .standard)
    }

    @Test(arguments: SettingKey.allCases)
    func everyKeyIsReadFromFileAndEnvironment(key: SettingKey) throws {
        let value = sample(key)
        let parts = key.components
        let yaml = parts.count == 1 ? "\(parts[0]): \(value)" : "\(parts[0]):\n  \(parts[1]): \(value)"
        #expect(try read(yaml: yaml).values[key]?.text == value)
        let fromEnvironment = try read(environment: [SettingsEnvironment.variable(of: key): value])
        #expect(fromEnvironment.values[key]?.text == value)
        #expect(fromEnvironment.origin(of: key) == .environment(SettingsEnvironment.variable(of: key)))
    }

    @Test func variableNames() {
        #expect(SettingsEnvironment.variable(of: .bootstrapServers) == "REJOINDER_KAFKA_BOOTSTRAP_SERVERS")
        #expect(SettingsEnvironment.variable(of: .adminPort) == "REJOINDER_ADMIN_PORT")
        #expect(SettingsEnvironment.variable(of: .storeDirectory) == "REJOINDER_STORE_DIRECTORY")
        #expect(SettingsEnvironment.variable(of: .commitIntervalMs) == "REJOINDER_COMMIT_INTERVAL_MS")
        #expect(SettingsEnvironment.variable(of: .memoryBudgetMiB) == "REJOINDER_MEMORY_BUDGET_MIB")
        #expect(SettingsEnvironment.variable(of: .deadLetterTopic) == "REJOINDER_TOPICS_DEAD_LETTER")
        #expect(
            SettingsEnvironment.variable(ofProperty: "sasl.password") == "REJOINDER_KAFKA_PROPERTIES_SASL_PASSWORD")
    }

    @Test func propertiesMergeByName() throws {
        let settings = try read(
            yaml: "kafka:\n  properties:\n    linger.ms: 5\n    debug: \"cgrp,eos\"\n    client.id: file\n",
            environment: [
                "REJOINDER_KAFKA_PROPERTIES_CLIENT_ID": "environment",
                "REJOINDER_KAFKA_PROPERTIES_LOG_LEVEL": "7",
            ],
            kafka: ["linger.ms=7", "sasl.password=a=b,c"])
        #expect(
            settings.kafkaProperties == [
                "linger.ms": "7", "debug": "cgrp,eos", "client.id": "environment", "sasl.password": "a=b,c",
                "log_level": "7",
            ])
        #expect(settings.propertyOrigins["linger.ms"] == .flag("--kafka"))
        #expect(settings.propertyOrigins["client.id"] == .environment("REJOINDER_KAFKA_PROPERTIES_CLIENT_ID"))
        guard case .file(_, let line) = settings.propertyOrigins["debug"] else { throw Unexpected() }
        #expect(line == 4)
    }

    @Test func fileIsNamedByEnvironmentToo() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("lanes: 5")
        let settings = try SettingsReader.read(SettingsFlags(), environment: ["REJOINDER_CONFIG": file])
        #expect(settings.lanes == 5)
    }

    // MARK: Unknown names

    @Test(arguments: [
        ("kafka:\n  groupID: x", "'kafka.groupID'", "line 2", "kafka.groupId"),
        ("groupId: x", "'groupId'", "line 1", "kafka.groupId"),
        ("lanse: 1", "'lanse'", "line 1", "lanes"),
        ("topics:\n  deadletter: x", "'topics.deadletter'", "line 2", "topics.deadLetter"),
        ("kafka:\n  property:\n    a: b", "'kafka.property'", "line 2", "kafka.properties"),
        ("\n\nstores:\n  directory: x", "'stores'", "line 3", "known key is store."),
        ("store:\n  dir: x", "'store.dir'", "line 2", "store.directory"),
        ("kafka.groupId: x", "'kafka.groupId'", "line 1", "kafka: and below it groupId:"),
        ("<<: {lanes: 1}", "'<<'", "line 1", "nearest known key is "),
    ])
    func unknownKeyIsNamedWithTheNearest(yaml: String, key: String, line: String, nearest: String) {
        let found = problems(yaml: yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains("unknown key \(key)") == true)
        #expect(found.first?.contains(line) == true)
        #expect(found.first?.contains(nearest) == true, "\(found)")
    }

    @Test(arguments: [
        ("REJOINDER_LANE", "REJOINDER_LANES"), ("REJOINDER_STATE_DIR", "REJOINDER_STORE_DIRECTORY"),
        ("REJOINDER_KAFKA_BOOTSTRAP_SERVER", "REJOINDER_KAFKA_BOOTSTRAP_SERVERS"),
        ("REJOINDER_CONFIG_FILE", "REJOINDER_CONFIG"), ("REJOINDER_", "the nearest is REJOINDER_"),
        ("REJOINDER_MEMORY_BUDGET_MI_B", "REJOINDER_MEMORY_BUDGET_MIB"),
    ])
    func unknownVariableIsNamedWithTheNearest(variable: String, nearest: String) {
        let found = problems(environment: [variable: "1"])
        #expect(found.count == 1)
        #expect(found.first?.contains("'\(variable)'") == true)
        #expect(found.first?.contains(nearest) == true, "\(found)")
    }

    @Test func propertiesVariableSaysHowToWriteIt() {
        let found = problems(environment: ["REJOINDER_KAFKA_PROPERTIES": "a=b"])
        #expect(found.count == 1)
        #expect(found.first?.contains("REJOINDER_KAFKA_PROPERTIES_SESSION_TIMEOUT_MS") == true)
    }

    @Test func whatKubernetesAndTheTestsSetIsNoError() throws {
        _ = try read(environment: [
            "REJOINDER_SERVICE_HOST": "10.0.0.7", "REJOINDER_SERVICE_PORT": "9464", "REJOINDER_SERVICE_PORT_ADMIN": "1",
            "REJOINDER_PORT": "tcp://10.0.0.7:9464", "REJOINDER_PORT_9464_TCP": "tcp://10.0.0.7:9464",
            "REJOINDER_PORT_9464_TCP_PROTO": "tcp", "REJOINDER_PORT_9464_TCP_PORT": "9464",
            "REJOINDER_WEB_PORT_80_TCP_ADDR": "10.0.0.7", "REJOINDER_TEST_BOOTSTRAP_SERVERS": "x:1", "PATH": "/bin",
        ])
        #expect(problems(environment: ["REJOINDER_PORT": "9464"]).count == 1)
        let collision = problems(environment: ["REJOINDER_ADMIN_PORT": "tcp://10.0.0.7:9464"])
        #expect(collision.count == 1)
        #expect(collision.first?.contains("enableServiceLinks") == true)
    }

    // MARK: Bad values

    @Test(arguments: [
        ("lanes", "0"), ("lanes", "65"), ("lanes", "2.5"), ("lanes", "two"), ("lanes", "0x2"), ("lanes", "+2"),
        ("lanes", "99999999999999999999"), ("delivery", "at-most-once"), ("delivery", "Exactly-Once"),
        ("kafka.staticMembership", "yes"), ("topics.questions", "a b"), ("topics.votes", ".."),
        ("admin.port", "65536"), ("admin.port", "-1"), ("admin.peers", "worker-1,,worker-2"), ("log.level", "warn"),
        ("log.format", "xml"),
        ("memoryBudgetMiB", "63"), ("commitIntervalMs", "0"), ("maxRecordBytes", "10"),
        ("monitoring.intervalSeconds", "0"), ("kafka.groupId", "\"  \""), ("store.directory", "\"\""),
    ])
    func badValueIsNamedWithWhatIsAllowed(path: String, value: String) throws {
        let key = try #require(SettingKey(rawValue: path))
        let parts = key.components
        let yaml = parts.count == 1 ? "\(path): \(value)" : "\(parts[0]):\n  \(parts[1]): \(value)"
        let line = "line \(parts.count)"
        let found = problems(yaml: yaml)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(path + " is ") == true, "\(found)")
        #expect(found.first?.contains(line) == true, "\(found)")
        #expect(found.first?.contains(key.definition.kind.allowed) == true)

        let text = value.trimmingCharacters(in: ["\""])
        let variable = SettingsEnvironment.variable(of: key)
        let fromEnvironment = problems(environment: [variable: text])
        #expect(fromEnvironment.count == 1)
        #expect(fromEnvironment.first?.contains("from \(variable)") == true)
        if !text.isEmpty { #expect(fromEnvironment.first?.contains("'\(text)'") == true) }
    }

    @Test(arguments: [
        "lanes:", "lanes: ~", "lanes: [1]", "lanes: {a: 1}", "lanes: !env LANES", "kafka: 5", "kafka: [a]",
        "kafka:\n  groupId:", "kafka:\n  properties: 5", "kafka:\n  properties:\n    sasl:\n      password: x",
        "kafka:\n  properties:\n    linger.ms:", "kafka:\n  properties:\n    linger.ms: [1]", "[a, b]: 1",
    ])
    func wrongShapeIsAnError(yaml: String) {
        let found = problems(yaml: yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains("line ") == true, "\(found)")
    }

    @Test func emptySectionsSetNothing() throws {
        #expect(try read(yaml: "kafka:\n  properties:\nlog:\nlanes: 2\n").lanes == 2)
    }

    @Test func everyProblemIsReportedAtOnce() {
        let found = problems(
            yaml: "lanes: 0\nlane: 1\nkafka:\n  groupID: x\n",
            environment: ["REJOINDER_LANES": "x", "REJOINDER_FOO": ""],
            flags: [.delivery: "never"], kafka: ["nothing"])
        // The file's values are not looked at while its keys are wrong; everything else is.
        #expect(found.count == 6, "\(found)")
    }

    @Test func aHiddenBadValueIsReportedToo() {
        #expect(problems(yaml: "lanes: 0", flags: [.lanes: "2"]).count == 1)
    }

    @Test func topicsMustDiffer() {
        let found = problems(yaml: "topics:\n  answers: votes")
        #expect(found.count == 1)
        #expect(found.first?.contains("topics.answers and topics.votes are both 'votes'") == true, "\(found)")
    }

    @Test func recordSizeMustFitTheProducer() throws {
        #expect(problems(yaml: "maxRecordBytes: 1000000").count == 1)
        #expect(
            try read(yaml: "maxRecordBytes: 1000000", kafka: ["message.max.bytes=2000000"]).maxRecordBytes == 1_000_000)
    }

    @Test(arguments: ["group.id=x", "bootstrap.servers=x:1", "enable.auto.commit=true", "transactional.id=t"])
    func propertiesThatTheWorkerOwnsAreRefused(argument: String) {
        let found = problems(kafka: [argument])
        #expect(found.count == 1)
        #expect(found.first?.contains("cannot be set") == true)
    }

    @Test func propertiesAreTriedOnLibrdkafka() {
        let found = problems(
            yaml: "kafka:\n  properties:\n    sesion.timeout.ms: 5\n    check.crcs: many\n",
            environment: ["REJOINDER_KAFKA_PROPERTIES_SASL_MECHANISMS_": "x"])
        #expect(found.count == 3, "\(found)")
        #expect(
            found.contains {
                $0.contains("'sesion.timeout.ms'") && $0.contains("session.timeout.ms") && $0.contains("line 3")
            })
        #expect(found.contains { $0.contains("'check.crcs'") && $0.contains("many") && $0.contains("line 4") })
        #expect(found.contains { $0.contains("REJOINDER_KAFKA_PROPERTIES_SASL_MECHANISMS_") })
    }

    @Test func anOwnedPropertyMayRepeatWhatHoldsAnyway() throws {
        #expect(try read(kafka: ["enable.auto.commit=false"]).kafkaProperties["enable.auto.commit"] == "false")
    }

    @Test(arguments: [["linger.ms"], ["=b"], ["linger.ms="], ["linger.ms=1", "linger.ms=2"]])
    func badKafkaFlags(arguments: [String]) {
        #expect(problems(kafka: arguments).count == 1)
    }

    // MARK: Secrets

    @Test func noErrorShowsASecret() {
        let secret = "hunter2"
        let cases = [
            problems(kafka: ["sasl.password \(secret)"]),
            problems(kafka: ["sasl.passwort=\(secret)"]),
            problems(environment: ["REJOINDER_KAFKA_PROPERTIES_SSL_KEY_PASWORD": secret]),
            problems(kafka: ["sasl.password=\(secret)", "sasl.password=\(secret)"]),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: [\(secret)]"),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: {\(secret): 1}"),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: \"\(secret)\n  x: [\n"),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: *\(secret)"),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: %\(secret)"),
            problems(yaml: "kafka:\n  properties:\n    sasl.password: \(secret): x"),
            problems(yaml: "kafka:\n  properties: sasl.password=\(secret)"),
            problems(environment: ["REJOINDER_REGISTRY_URL": "https://user:\(secret)@registry:8081"]),
            problems(yaml: "registry:\n  url: \(secret)@registry:8081"),
            problems(yaml: "registry:\n  url: http://registry\n  password: \(secret)"),
            problems(yaml: "registry:\n  password: [\(secret)]"),
        ]
        for found in cases {
            #expect(!found.isEmpty)
            #expect(!found.joined().contains(secret), "\(found)")
        }
    }

    private struct Unexpected: Error {}

    private func sample(_ key: SettingKey) -> String {
        switch key.definition.kind {
        case .text: "some:1"
        case .addresses: "http://worker-1:9464, worker-2"
        case .topicName: "a.topic"
        case .path: "/a/b"
        case .boolean: "true"
        case .integer(let range): String(min(range.upperBound, range.lowerBound + 5))
        case .choice(let names): names[names.count - 1]
        case .registryAddresses: "http://a:1"
        }
    }
}
