import Admin
import ArgumentParser
import Foundation
import KafkaClient
import Logging
import Synchronization
import Worker

/// `rejoinder sandbox`
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "A broker, the topics and a worker in one process, for tests in any language.",
        discussion: """
            Starts an embedded broker with the topics of the configuration and the worker that 'run' runs, prints one \
            line of JSON on standard output when clients can connect, and goes on until SIGTERM or SIGINT. Everything \
            is gone after it. Settings are those of 'run', other than brokers and state directory, which are the \
            sandbox's own.

            Tests publish to and read from the topics with any Kafka client, or over HTTP:
              GET  /sandbox                      brokers, topics, fixtures
              POST /sandbox/wait-idle            answers when all that was published has been worked on \
              (?timeoutMs=10000)
              POST /sandbox/reset                forgets everything; says where the topics begin from then on
              POST /sandbox/fixtures/{name}      publishes a recording of --fixtures
              POST /sandbox/records              publishes the lines of a recording
              GET  /sandbox/records/{topic}      the topic's records since the last reset, as a recording

            It is no Kafka cluster: transactions are taken and mean nothing, nothing is on disk, retention and \
            compaction do not happen, a partition keeps about 5 MiB, and there are no permissions. What depends on \
            those is to be tried on a cluster.

            Example:
              rejoinder sandbox --port 9092 --admin-port 8080
              rejoinder sandbox --load site.jsonl.zst --publish-on changes
            """)

    @Option(
        help: ArgumentHelp("Port of 127.0.0.1 for clients' bootstrap.servers; 0: any free one.", valueName: "number"))
    var port = 0

    @Option(help: ArgumentHelp("Port of 127.0.0.1 for HTTP; 0: any free one.", valueName: "number"))
    var adminPort = 0

    @Option(help: ArgumentHelp("Partitions of each topic.", valueName: "number"))
    var partitions: Int32 = 4

    @Option(help: ArgumentHelp("A recording to begin with; may be repeated.", valueName: "file"))
    var load: [String] = []

    @Option(
        help: ArgumentHelp(
            "Directory of recordings (.jsonl, .jsonl.gz, .jsonl.zst) that tests publish by name.",
            valueName: "directory"))
    var fixtures: String?

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func validate() throws {
        for number in [port, adminPort] where !(0...65_535).contains(number) {
            throw ValidationError("\(number) is no port; there are 0 to 65535.")
        }
        guard (1...64).contains(partitions) else {
            throw ValidationError("\(partitions) partitions: a sandbox has 1 to 64 of each topic.")
        }
        if options.bootstrapServers != nil {
            throw ValidationError(
                "A sandbox has a broker of its own; leave --bootstrap-servers out, or use 'rejoinder run'.")
        }
        if options.stateDir != nil { throw ValidationError("A sandbox keeps nothing; leave --state-dir out.") }
    }

    func run() async throws {
        let recordings = try fixtures.map(Self.recordings(in:)) ?? [:]
        var settings = try options.settings()
        WorkerProcess.endOnSignal()
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        let forwarder = port == 0 ? nil : try await PortForwarder(port: port, target: try Self.port(of: broker))
        let state = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-sandbox-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: state) }
        settings.move(to: broker, stateDirectory: state.path, adminPort: adminPort)
        let inputs = settings.topics.inputs + settings.sources.map(\.topic)
        let all = Set(inputs + settings.workerConfiguration.allTopics)
        for topic in all.sorted() { try broker.createTopic(topic, partitions: partitions) }

        let lanes = Mutex<[LaneReport]>([])
        let site = try SandboxSite(
            description: SandboxDescription(
                bootstrapServers: forwarder.map { "127.0.0.1:\($0.port)" } ?? broker.bootstrapServers,
                topics: settings.topics.byPurpose, partitions: partitions, fixtures: recordings.keys.sorted()),
            topics: settings.topics, inputs: inputs, fixtures: recordings, properties: settings.clientProperties,
            reports: { lanes.withLock { $0 } }, logger: settings.logger("sandbox"))
        defer { site.close() }
        for path in load { try await Self.load(path, into: site) }
        let worker = try WorkerService(configuration: settings.workerConfiguration, logger: settings.logger("worker"))
        lanes.withLock { $0 = worker.reports }
        let process = try await WorkerProcess(worker, settings: settings, sandbox: site)
        LineWriter.standardOutput.write(
            try Self.line(Ready(admin: "http://\(process.admin.address)", sandbox: site.description)))
        try await process.run()
        await forwarder?.close()
    }

    private struct Ready: Encodable {
        let admin: String
        let sandbox: SandboxDescription

        private enum CodingKeys: String, CodingKey { case admin }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(admin, forKey: .admin)
            try sandbox.encode(to: encoder)
        }
    }

    private static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func load(_ path: String, into site: SandboxSite) async throws {
        do {
            _ = try await site.publish(recording: path)
        } catch {
            throw CommandFailure(error.kind == .content ? .badData : .internalError, error.message)
        }
    }

    private static func port(of broker: EmbeddedBroker) throws(CommandFailure) -> Int {
        guard let port = broker.bootstrapServers.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw CommandFailure(.internalError, "the embedded broker has no port in '\(broker.bootstrapServers)'")
        }
        return port
    }

    private static func recordings(in directory: String) throws(CommandFailure) -> [String: String] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw CommandFailure(
                .usage,
                "the fixtures' directory '\(Printable.text(directory))' cannot be read; name another with --fixtures")
        }
        var recordings: [String: String] = [:]
        for name in names.sorted() {
            for suffix in [".jsonl", ".jsonl.gz", ".jsonl.zst"] where name.hasSuffix(suffix) {
                recordings[String(name.dropLast(suffix.count))] = directory + "/" + name
            }
        }
        return recordings
    }
}

extension Settings {
    /// Points the settings at the sandbox's broker and state directory, and drops security and static membership.
    fileprivate mutating func move(to broker: EmbeddedBroker, stateDirectory: String, adminPort: Int) {
        bootstrapServers = broker.bootstrapServers
        storeDirectory = stateDirectory
        staticMembership = false
        adminHost = "127.0.0.1"
        self.adminPort = adminPort
        // The embedded broker holds an empty fetch for its whole wait.
        if kafkaProperties["fetch.wait.max.ms"] == nil { kafkaProperties["fetch.wait.max.ms"] = "20" }
        for name in kafkaProperties.keys
        where name.hasPrefix("ssl.") || name.hasPrefix("sasl.") || name == "security.protocol" {
            kafkaProperties[name] = nil
        }
        if origin(of: .commitIntervalMs) == .standard { commitIntervalMilliseconds = 20 }
        if origin(of: .logLevel) == .standard { logLevel = .warning }
    }
}

extension TopicNames {
    fileprivate var byPurpose: [String: String] {
        ["questions": questions, "answers": answers, "votes": votes, "enriched": enriched, "deadLetter": deadLetter]
    }
}
