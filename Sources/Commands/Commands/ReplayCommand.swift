import ArgumentParser
import Recording

extension ProcessReplay.Output: ExpressibleByArgument {}

/// `rejoinder replay`
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Replays a recording in this process or to a cluster, or a cluster's own topics once more.",
        discussion: """
            In this process (the default) the records go, in the file's order, through the checks, the store and the \
            rendering that 'run' uses, with no broker; the enriched records and dead letters come out as a recording. \
            The same recording gives the same bytes on every run and machine. With --expect the output is compared \
            with an earlier one, question by question: status 0 when they are equal, 1 and what differs when not.

            --to-cluster publishes the recording's records to their topics, at their own pace or another. \
            --from-cluster enriches a window of the live questions once more, into another topic. --dead-letters \
            publishes dead letters to the topics they came from. None of these joins a group or moves an offset.

            Example:
              rejoinder replay site.jsonl.zst -o golden.jsonl
              rejoinder replay site.jsonl.zst --expect golden.jsonl --junit report.xml
              rejoinder replay site.jsonl.zst --to-cluster --topic-prefix test. --speed 10x
              rejoinder replay --from-cluster --from -1h --output-topic questions.again --as-of event
              rejoinder replay --dead-letters --from -1d --code schema --dry-run
            """)

    @Argument(help: ArgumentHelp("Recordings, read one after the other; - is standard input.", valueName: "file"))
    var files: [String] = []

    @OptionGroup(title: "In this process")
    var inProcess: InProcessOptions

    @OptionGroup(title: "To and from a cluster")
    var cluster: ClusterReplayOptions

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    func validate() throws {
        switch cluster.way {
        case nil, .toCluster:
            guard !files.isEmpty else {
                throw ValidationError("Name a recording, or - for standard input; 'rejoinder record' makes one.")
            }
        case .fromCluster, .deadLetters:
            guard files.isEmpty else {
                throw ValidationError("\(cluster.way?.rawValue ?? "") reads the cluster's topics, and takes no file.")
            }
        }
        if let way = cluster.way, let flag = inProcess.firstGiven {
            throw ValidationError("\(flag) is for a replay in this process, and does not go with \(way.rawValue).")
        }
    }

    func run() throws {
        let settings = try options.settings()
        if cluster.way == nil {
            try inProcess.replay(files, renaming: try TopicRenaming(cluster.rename), settings: settings).run()
        } else {
            try cluster.run(files: files, settings: settings)
        }
    }
}

/// The flags of a replay in this process.
struct InProcessOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where the output goes; .gz and .zst are packed. Standard output if not given.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Compare with this earlier output instead of writing one.", valueName: "golden"))
    var expect: String?

    @Flag(help: "Write the output over the file of --expect instead of comparing.")
    var update = false

    @Option(
        name: .customLong("ignore"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Leave a JSON path out of the comparison, such as 'answers[].answer.author.rating', or @timestamp, "
                + "@partition, @headers, @headers.NAME; may be repeated.",
            valueName: "path"))
    var ignored: [String] = []

    @Option(help: ArgumentHelp("Write the comparison as a JUnit report too.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("enriched or dead-letters: only these are written and compared.", valueName: "output"))
    var only: ProcessReplay.Output?

    @Option(
        help: ArgumentHelp("Begin with a copy of this state directory's stores; it is not changed.", valueName: "path"))
    var startState: String?

    @Flag(help: "Of each question only its last enriched record, as a compacted topic would hold it.")
    var final = false

    @Flag(help: "All answers and votes before the first question, as a worker meets them that starts afterwards.")
    var tablesFirst = false

    @Option(
        help: ArgumentHelp(
            "What the topics' names begin with in the recording, before their configured names.", valueName: "text"))
    var recordedPrefix = ""

    func validate() throws {
        if expect == nil {
            if update { throw ValidationError("--update needs --expect with the file to write") }
            if junit != nil { throw ValidationError("--junit needs --expect: it reports a comparison") }
            if !ignored.isEmpty { throw ValidationError("--ignore needs --expect: it is for a comparison") }
        }
        if update, junit != nil { throw ValidationError("--update compares nothing, so --junit has nothing to report") }
    }

    /// The first of these flags that was given; nil: none.
    var firstGiven: String? {
        let flags: [(name: String, isGiven: Bool)] = [
            ("--output", output != nil), ("--expect", expect != nil), ("--update", update),
            ("--ignore", !ignored.isEmpty),
            ("--junit", junit != nil), ("--only", only != nil), ("--start-state", startState != nil),
            ("--final", final), ("--tables-first", tablesFirst), ("--recorded-prefix", !recordedPrefix.isEmpty),
        ]
        return flags.first { $0.isGiven }?.name
    }

    func replay(_ files: [String], renaming: TopicRenaming, settings: Settings) throws -> ProcessReplay {
        ProcessReplay(
            replay: Recording.Replay(files: files, order: tablesFirst ? .tablesFirst : .asRecorded), settings: settings,
            recordedPrefix: recordedPrefix, renaming: renaming, startState: startState, only: only, isFinal: final,
            output: output,
            golden: try expect.map { file in
                ProcessReplay.Golden(
                    file: file, isUpdated: update, ignored: try ignored.map { try IgnoredPath($0) }, junit: junit)
            })
    }
}
