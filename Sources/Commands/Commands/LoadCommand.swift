import ArgumentParser
import KafkaClient
import Recording
import Worker

extension RecordKind: ExpressibleByArgument {}

/// `rejoinder load`
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Publishes JSON lines to the questions, answers or votes topic.",
        discussion: """
            Each line is one record's value; its key is the question id in it, and the key decides the partition as \
            with Java clients. Empty lines are passed over. All lines are checked before the first is published: a bad \
            one is named by its number, and nothing is published, status 65; with --skip-invalid the good ones are \
            published, and it says how many were left out.

            The records go in transactions: should brokers fail, it says how many are there for certain, each once and \
            in order, and ends with status 69 or 70. Without the permission for transactions: --delivery at-least-once.

            A Stack Exchange dump (--stack-exchange) is published row by row, answers first, then votes, then \
            questions. Rows that cannot be mapped, or are longer than message.max.bytes allows, are left out and \
            named, status 65; with --skip-invalid status 0.

            A line cannot say "null value": to delete a question, or to forget the answers or votes of one, publish a \
            record with its id as the key and no value by other means, such as kcat -Z.

            Example:
              rejoinder load answers answers.jsonl --bootstrap-servers localhost:9092
              zcat votes.jsonl.gz | rejoinder load votes -
              rejoinder load --stack-exchange ./dba.stackexchange.com
            """)

    @Argument(help: "questions, answers or votes.")
    var kind: RecordKind?

    @Argument(help: ArgumentHelp("File of JSON lines; - is standard input.", valueName: "file"))
    var file: String?

    @Option(
        help: ArgumentHelp(
            "Load a Stack Exchange data dump instead: a directory with Posts.xml, and Votes.xml or none.",
            valueName: "directory"))
    var stackExchange: String?

    @Flag(help: "Leave bad lines out instead of publishing nothing.")
    var skipInvalid = false

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    /// librdkafka's overhead per record beyond key and value (rdkafka_msg.h: rd_kafka_msg_max_wire_size), rounded up.
    private static let overhead = 64

    func validate() throws {
        if (kind == nil || file == nil) == (stackExchange == nil) {
            throw ValidationError("Name questions, answers or votes and a file, or a dump with --stack-exchange.")
        }
    }

    func run() throws {
        let settings = try options.settings()
        if let stackExchange {
            return try DumpLoader(settings: settings, directory: stackExchange, skipInvalid: skipInvalid).run()
        }
        guard let kind, let file else { return }
        let source = try LoadSource(path: file)
        let topic = kind.topic(of: settings.topics)
        let properties = settings.clientProperties
        let limit = properties.effectiveValue("message.max.bytes").flatMap(SettingKind.integer) ?? 1_000_000
        let check = LineCheck(kind: kind, limit: limit - Self.overhead)

        let found = try check.run(source)
        for reason in found.reasons { LogWriter.standardError.say("\(source.name), \(reason)") }
        if found.bad > found.reasons.count {
            LogWriter.standardError.say("... and \(found.bad - found.reasons.count) more")
        }
        guard found.bad == 0 || skipInvalid else {
            throw CommandFailure(
                .badData,
                "\(found.bad) of \(found.good + found.bad) lines cannot be loaded into \(topic), so nothing was "
                    + "published; mend them, or leave them out with --skip-invalid.")
        }
        var count = 0
        let signals = StopOnSignal()
        if found.good > 0 {
            count = try publish(
                found.good, from: source, to: topic, settings: settings, check: check, stop: signals.stop)
        }
        if signals.stop.isRequested, count < found.good {
            LineWriter.standardOutput.write("stopped: the first \(count) of \(found.good) records are in \(topic)")
            return signals.endProcess()
        }
        let leftOut = found.bad > 0 ? ", \(found.bad) bad lines left out" : ""
        LineWriter.standardOutput.write("\(count) \(count == 1 ? "record" : "records") loaded into \(topic)\(leftOut)")
    }

    private func publish(
        _ expected: Int, from source: LoadSource, to topic: String, settings: Settings, check: LineCheck,
        stop: StopSignal
    ) throws -> Int {
        // librdkafka's failures come back as errors, so its messages are not logged.
        let logger = settings.logger("load", atLeast: .critical)
        let properties = settings.clientProperties
        let admin = try AdminClient(properties: properties, logger: logger)
        defer { admin.close() }
        guard try admin.describe(topics: [topic], timeout: .seconds(10))[topic] != nil else {
            throw CommandFailure(
                .configuration,
                "there is no topic \(topic), so nothing was published; make it with 'rejoinder topics create', or name "
                    + "another with topics.\(kind?.rawValue ?? "") in the configuration.")
        }
        let progress = ProgressLine()
        defer { progress.end() }
        let loader = Loader(
            topic: topic, check: check, properties: properties, delivery: .init(settings.workerConfiguration),
            stop: stop,
            logger: logger)
        let count = try loader.run(source) { progress.show(records: $0, bytes: $1, of: source.size) }
        guard count == expected || stop.isRequested else {
            throw CommandFailure(
                .badData,
                "\(source.name) changed while it was read: \(expected) records were good at first, \(count) were "
                    + "published."
            )
        }
        return count
    }
}
