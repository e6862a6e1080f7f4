import ArgumentParser
import Logging
import Recording
import Records
import Worker

extension ClusterReplay.Options.Timestamps: ExpressibleByArgument {}
extension WindowReplay.Tables: ExpressibleByArgument {}

extension ReplaySpeed: ExpressibleByArgument {
    /// Reads the argument as ``ReplaySpeed/init(_:)`` does; nil is a usage error.
    public init?(argument: String) { self.init(argument) }
}

/// The ways of `rejoinder replay` that publish to a cluster.
enum ClusterWay: String, CaseIterable {
    case toCluster = "--to-cluster"
    case fromCluster = "--from-cluster"
    case deadLetters = "--dead-letters"
}

/// The flags of the ways of `rejoinder replay` that publish to a cluster.
struct ClusterReplayOptions: ParsableArguments {
    @Flag(help: "Publish the recording to its topics, with keys, headers, timestamps and partitions as recorded.")
    var toCluster = false

    @Option(
        help: ArgumentHelp("Put before each topic's name: 'test.' publishes to test.questions.", valueName: "prefix"))
    var topicPrefix: String?

    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Take recorded topics that begin with OLD as beginning with NEW; may be repeated.", valueName: "old=new"))
    var rename: [String] = []

    @Flag(help: "Let the recording go to topics that a worker may read: those of its own names, or of the settings.")
    var yesToLiveTopics = false

    @Option(
        help: ArgumentHelp(
            "1x (the recorded gaps), 10x, 0.5x, 5000/s, or max (the default), as fast as it goes.", valueName: "speed"))
    var speed: ReplaySpeed?

    @Option(help: ArgumentHelp("keep (the default) or now.", valueName: "which"))
    var timestamps: ClusterReplay.Options.Timestamps?

    @Flag(help: "Place records by key instead of in their recorded partition.")
    var repartition = false

    @Flag(help: "Enrich a window of the live questions topic again, into --output-topic.")
    var fromCluster = false

    @Flag(help: "Publish the dead letters of a window to their source topics again.")
    var deadLetters = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the window begins: beginning, an offset, a time (2024-05-01T09:30:00Z), or a time ago (-1h).",
            valueName: "bound"))
    var from: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where the window ends: end (the default), an offset, a time, a time ago, or a number of records (+1000).",
            valueName: "bound"))
    var to: String?

    @Option(help: ArgumentHelp("Where a window's enriched records go.", valueName: "topic"))
    var outputTopic: String?

    @Option(
        help: ArgumentHelp(
            "now (the default): with the answers and votes as they stand; event: as they stood at each event's "
                + "timestamp.",
            valueName: "when"))
    var asOf: WindowReplay.Tables?

    @Option(
        help: ArgumentHelp(
            "Where events of a window go that cannot be enriched; they are only counted if not given.",
            valueName: "topic"))
    var deadLetterTopic: String?

    @Flag(help: "Let a window's enriched records go to the live output topic.")
    var yesToLiveOutput = false

    @Option(
        help: ArgumentHelp(
            "Only dead letters of this code (\(RecordErrorCode.allCases.map(\.rawValue).joined(separator: ", "))); may "
                + "be repeated.",
            valueName: "code"))
    var code: [String] = []

    @Flag(help: "Show the records that would be published (of dead letters: each), and publish nothing.")
    var dryRun = false

    /// The way that the flags select; nil: a replay in this process.
    var way: ClusterWay? {
        if toCluster { return .toCluster }
        if fromCluster { return .fromCluster }
        return deadLetters ? .deadLetters : nil
    }

    func validate() throws {
        guard [toCluster, fromCluster, deadLetters].count(where: { $0 }) <= 1 else {
            throw ValidationError("--to-cluster, --from-cluster and --dead-letters exclude each other.")
        }
        if !rename.isEmpty, way == .fromCluster || way == .deadLetters {
            throw ValidationError("--rename is for a recording, and does not go with \(way?.rawValue ?? "").")
        }
        for (flag, isGiven, ways) in usage where isGiven && !ways.contains(where: { $0 == way }) {
            let names = ways.map(\.rawValue).joined(separator: " or ")
            throw ValidationError("\(flag) goes with \(names) only.")
        }
        if way == .fromCluster, outputTopic == nil {
            throw ValidationError("--from-cluster needs --output-topic: where the enriched records go.")
        }
        if way == .fromCluster || way == .deadLetters {
            guard from != nil else {
                throw ValidationError("\(way?.rawValue ?? "") needs --from: \(WindowBound.fromForms).")
            }
            _ = try window()
        }
        let known = RecordErrorCode.allCases.map(\.rawValue)
        if let unknown = code.first(where: { !known.contains($0) }) {
            throw ValidationError("--code is '\(unknown)'; it is one of \(known.joined(separator: ", ")).")
        }
    }

    /// The ways that each flag goes with.
    private var usage: [(flag: String, isGiven: Bool, ways: [ClusterWay])] {
        [
            ("--topic-prefix", topicPrefix != nil, [.toCluster]), ("--speed", speed != nil, [.toCluster]),
            ("--timestamps", timestamps != nil, [.toCluster]), ("--repartition", repartition, [.toCluster]),
            ("--from", from != nil, [.fromCluster, .deadLetters]), ("--to", to != nil, [.fromCluster, .deadLetters]),
            ("--output-topic", outputTopic != nil, [.fromCluster]), ("--as-of", asOf != nil, [.fromCluster]),
            ("--dead-letter-topic", deadLetterTopic != nil, [.fromCluster]),
            ("--yes-to-live-output", yesToLiveOutput, [.fromCluster]), ("--code", !code.isEmpty, [.deadLetters]),
            ("--dry-run", dryRun, [.toCluster, .deadLetters]),
            ("--yes-to-live-topics", yesToLiveTopics, [.toCluster]),
        ]
    }

    private func window() throws -> Window {
        do throws(CaptureError) {
            return try Window(
                from: try from.map { text throws(CaptureError) in try WindowBound(from: text) } ?? .beginning,
                to: try to.map { text throws(CaptureError) in try WindowBound(to: text) } ?? .end)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension ClusterReplayOptions {
    /// Goes the way that the flags select; `way` must not be nil. On SIGINT or SIGTERM it reports the records done so
    /// far, and ends the process as the signal would have.
    /// - Parameter files: the recordings; only `--to-cluster` takes one.
    func run(files: [String], settings: Settings) throws {
        let signals = StopOnSignal()
        let stop = signals.stop
        let logger = settings.logger("replay", atLeast: .critical)
        let screen = ReplayScreen()
        let wasStopped: Bool
        switch way {
        case .toCluster: wasStopped = try publish(files, settings, stop, logger, screen)
        case .fromCluster: wasStopped = try enrich(settings, stop, logger, screen)
        case .deadLetters: wasStopped = try returnLetters(settings, stop, logger, screen)
        case nil: wasStopped = false
        }
        if wasStopped { signals.endProcess() }
    }

    private func publish(
        _ files: [String], _ settings: Settings, _ stop: StopSignal, _ logger: Logger, _ screen: ReplayScreen
    ) throws -> Bool {
        guard let file = files.first, files.count == 1 else {
            throw CommandFailure(.usage, "--to-cluster publishes one recording; name one, or - for standard input.")
        }
        var options = ClusterReplay.Options(path: file, properties: settings.clientProperties)
        options.topicPrefix = topicPrefix ?? ""
        options.speed = speed ?? .max
        options.timestamps = timestamps ?? .keep
        options.repartition = repartition
        options.renaming = try TopicRenaming(rename)
        options.liveTopics = Set(settings.topics.inputs + settings.topics.outputs)
        options.allowsLiveTopics = yesToLiveTopics
        options.isDryRun = dryRun
        options.isTransactional = settings.delivery == .exactlyOnce
        options.groupID = settings.groupID
        defer { screen.end() }
        let summary = try ClusterReplay(options: options, stop: stop, logger: logger).run(progress: screen.show)
        screen.end()
        for line in summary.lines { LineWriter.standardOutput.write(line) }
        return summary.wasStopped
    }

    private func enrich(
        _ settings: Settings, _ stop: StopSignal, _ logger: Logger, _ screen: ReplayScreen
    ) throws -> Bool {
        var options = WindowReplay.Options(
            configuration: settings.workerConfiguration, window: try window(), outputTopic: outputTopic ?? "")
        options.tables = asOf ?? .now
        options.deadLetterTopic = deadLetterTopic
        options.allowsLiveOutput = yesToLiveOutput
        defer { screen.end() }
        let summary = try WindowReplay(options: options, stop: stop, logger: logger).run(progress: screen.show)
        screen.end()
        for line in summary.lines(outputTopic: options.outputTopic) { LineWriter.standardOutput.write(line) }
        try refuse(summary.holes)
        return summary.wasStopped
    }

    private func returnLetters(
        _ settings: Settings, _ stop: StopSignal, _ logger: Logger, _ screen: ReplayScreen
    ) throws -> Bool {
        var options = DeadLetterReturn.Options(configuration: settings.workerConfiguration, window: try window())
        options.codes = Set(code)
        options.isDryRun = dryRun
        defer { screen.end() }
        let summary = try DeadLetterReturn(options: options, stop: stop, logger: logger).run(progress: screen.show) {
            // A dry run lists all dead letters, otherwise only those that stay.
            guard dryRun || $0.obstacle != nil else { return }
            screen.end()
            LineWriter.standardOutput.write($0.line)
        }
        screen.end()
        for line in summary.lines(isDryRun: dryRun) { LineWriter.standardOutput.write(line) }
        try refuse(summary.holes)
        return summary.wasStopped
    }

    /// A window with holes is no success.
    private func refuse(_ holes: [WindowHole]) throws(CommandFailure) {
        guard !holes.isEmpty else { return }
        throw CommandFailure(
            .badData,
            "\(holes.reduce(0) { $0 + $1.offsets.count }) offsets of the window were gone before they could be read; "
                + "all else was worked on. Give the topic more retention, or name a later --from.")
    }
}
