import ArgumentParser
import Foundation
import KafkaClient
import Worker
import Workload

extension WorkloadPreset: ExpressibleByArgument {}
extension WorkloadGenerator.Topic: ExpressibleByArgument {}

/// A part of a workload.
enum WorkloadStage: String, CaseIterable, Sendable, ExpressibleByArgument {
    /// The answers and votes that are published before the traffic.
    case tables
    /// The question events, and the votes among them.
    case traffic
}

/// `rejoinder generate`
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Makes up questions, answers and votes, to try out and to size a cluster.",
        discussion: """
            The records go to the topics of the settings' cluster (with --bootstrap-servers or --publish), into a \
            directory as the files answers.jsonl, votes.jsonl and questions.jsonl that 'rejoinder load' reads, or, of \
            one kind, to standard output. The same options give the same bytes on every machine.

            First come the tables: the answers, then the votes. Then the traffic: question events, and with \
            --vote-share votes among them. --stage makes one of the two alone.

            The named workloads: w1, 50,000 questions with three answers of about 420 bytes each, 300,000 votes, then \
            500,000 question events of about 320 bytes, which make enriched records of about 1.8 kB; w2, the same with \
            the events and votes skewed by Zipf's law; w3, the same with nine votes to each question event in the \
            traffic; w4, 1,000,000 questions and 3,000,000 votes; w5, 1,000 events a second for a minute; w6, a site's \
            life without tables before it: 50,000 questions are asked, and those asked so far are answered and voted \
            on, skewed by Zipf's law, 1,000,000 records in all. The other options change what a workload says, w1 if \
            none is named.

            Example:
              rejoinder generate --workload w1 --scale 0.1 --partitions 4 --bootstrap-servers localhost:9092
              rejoinder generate --questions 1000 --events 5000 --directory /tmp/sample
            """)

    @Option(help: "w1, w2, w3, w4, w5 or w6.")
    var workload: WorkloadPreset = .w1

    @Option(help: ArgumentHelp("Times as many questions, votes and events.", valueName: "factor"))
    var scale: Double = 1

    @Option(help: ArgumentHelp("Another seed makes other records of the same kind.", valueName: "number"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How many questions there are.", valueName: "number"))
    var questions: Int?

    @Option(help: ArgumentHelp("Answers of each question: a number, or a range such as 0-50.", valueName: "range"))
    var answersPerQuestion: CountRange?

    @Option(help: ArgumentHelp("Votes before the traffic.", valueName: "number"))
    var votes: Int?

    @Option(help: ArgumentHelp("Records of the traffic.", valueName: "number"))
    var events: Int?

    @Option(help: ArgumentHelp("The votes' part of the traffic, from 0 to 0.999.", valueName: "share"))
    var voteShare: Double?

    @Option(help: ArgumentHelp("An answer's mean size.", valueName: "bytes"))
    var answerBytes: Int?

    @Option(help: ArgumentHelp("A question event's mean size.", valueName: "bytes"))
    var eventBytes: Int?

    @Option(
        help: ArgumentHelp(
            "Which questions are asked and voted on: uniform, or zipf with its exponent.", valueName: "skew"))
    var skew: SkewOption?

    @Option(help: ArgumentHelp("The part of the answers that is withdrawn.", valueName: "share"))
    var withdrawnShare: Double?

    @Option(help: ArgumentHelp("The part of the votes that are counted tallies.", valueName: "share"))
    var countedShare: Double?

    @Option(help: "tables or traffic. Default: both.")
    var stage: WorkloadStage?

    @Option(
        help: ArgumentHelp("Records of the traffic a second. Default: w5 1000, else no limit.", valueName: "number"))
    var rate: Double?

    @Option(help: ArgumentHelp("Makes the topics that are missing, with so many partitions.", valueName: "number"))
    var partitions: Int32?

    @Option(help: ArgumentHelp("Writes files of JSON lines there instead of publishing.", valueName: "path"))
    var directory: String?

    @Option(
        help: ArgumentHelp(
            "Writes one kind to standard output instead: questions, answers or votes.", valueName: "kind"))
    var print: WorkloadGenerator.Topic?

    @Flag(help: "Publishes to the settings' cluster though --bootstrap-servers is not given.")
    var publish = false

    @OptionGroup(title: "Settings")
    var options: SettingsOptions

    /// The workload that the options describe.
    var plan: WorkloadPlan {
        var plan = workload.plan.scaled(by: scale)
        plan.seed = seed
        plan.questions = questions ?? plan.questions
        plan.answersPerQuestion = answersPerQuestion?.range ?? plan.answersPerQuestion
        plan.votes = votes ?? plan.votes
        plan.events = events ?? plan.events
        plan.voteShare = voteShare ?? plan.voteShare
        plan.answerBytes = answerBytes ?? plan.answerBytes
        plan.eventBytes = eventBytes ?? plan.eventBytes
        plan.skew = skew?.skew ?? plan.skew
        plan.withdrawnShare = withdrawnShare ?? plan.withdrawnShare
        plan.countedShare = countedShare ?? plan.countedShare
        return plan
    }

    private var stages: Set<WorkloadStage> { stage.map { [$0] } ?? Set(WorkloadStage.allCases) }

    func validate() throws {
        func check<Number: Comparable>(_ name: String, _ value: Number?, _ range: ClosedRange<Number>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError("--\(name) must be from \(range.lowerBound) to \(range.upperBound), not \(value).")
        }
        let counts = 0...WorkloadPlan.recordLimit
        try check("scale", scale, 0.000_001...1_000)
        try check("questions", questions, 1...WorkloadPlan.questionLimit)
        try check("votes", votes, counts)
        try check("events", events, counts)
        try check("vote-share", voteShare, 0...0.999)
        try check("answer-bytes", answerBytes, 1...WorkloadPlan.sizeLimit)
        try check("event-bytes", eventBytes, 1...WorkloadPlan.sizeLimit)
        try check("withdrawn-share", withdrawnShare, 0...1)
        try check("counted-share", countedShare, 0...1)
        try check("rate", rate, 0.001...10_000_000)
        try check("partitions", partitions, 1...10_000)
        let plan = plan
        guard plan.questions <= WorkloadPlan.questionLimit, plan.votes <= WorkloadPlan.recordLimit,
            plan.events <= WorkloadPlan.recordLimit
        else { throw ValidationError("--scale \(scale) makes more than can be counted; take a smaller one.") }
        let destinations = [directory != nil, print != nil, publish || options.bootstrapServers != nil].count { $0 }
        guard destinations == 1 else {
            throw ValidationError(
                destinations == 0
                    ? "say where the records are to go: --bootstrap-servers host:port, or --publish, --directory or "
                        + "--print."
                    : "the records can go to one place only: a cluster, --directory or --print.")
        }
    }

    func run() throws {
        let generator = WorkloadGenerator(plan)
        if let print {
            try write(generator, into: [print: WorkloadFile(path: nil)])
        } else if let directory {
            try write(generator, inDirectory: directory)
        } else {
            try publish(generator)
        }
    }

    // MARK: - Files

    private func write(_ generator: WorkloadGenerator, inDirectory directory: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(
                .usage,
                "cannot make the directory \(Printable.text(directory)): \(String(cString: strerror(errno))); name "
                    + "another."
            )
        }
        var files: [WorkloadGenerator.Topic: WorkloadFile] = [:]
        let topics: [WorkloadGenerator.Topic] =
            stage == .traffic && plan.voteShare == 0
            ? [.questions]
            : stage == .tables
                ? [.answers, .votes] : WorkloadGenerator.Topic.allCases
        for topic in topics { files[topic] = try WorkloadFile(path: "\(directory)/\(topic.rawValue).jsonl") }
        let counts = try write(generator, into: files)
        for topic in topics {
            LineWriter.standardOutput.write("\(counts[topic] ?? 0) \(topic.rawValue) in \(files[topic]?.name ?? "")")
        }
    }

    @discardableResult
    private func write(
        _ generator: WorkloadGenerator, into files: [WorkloadGenerator.Topic: WorkloadFile]
    ) throws -> WorkloadPublisher.Counts {
        var counts: WorkloadPublisher.Counts = [:]
        func write(_ topic: WorkloadGenerator.Topic, _: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws
        {
            guard let file = files[topic] else { return }
            try file.write(line: value)
            counts[topic, default: 0] += 1
        }
        if stages.contains(.tables) { try generator.tables(write) }
        if stages.contains(.traffic) { try generator.traffic(write) }
        for file in files.values { try file.close() }
        return counts
    }

    // MARK: - Cluster

    private func publish(_ generator: WorkloadGenerator) throws {
        let settings = try options.settings()
        let logger = settings.logger("generate", atLeast: .critical)
        try prepareTopics(settings)
        let progress = ProgressLine()
        let publisher = WorkloadPublisher(
            topics: settings.topics, properties: settings.clientProperties, rate: rate ?? workload.rate, logger: logger)
        let began = ContinuousClock.now
        let counts: WorkloadPublisher.Counts
        do {
            defer { progress.end() }
            counts = try publisher.run(generator, stages: stages) { count in progress.show { "\(count) records" } }
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let text = [
            (settings.topics.answers, WorkloadGenerator.Topic.answers), (settings.topics.votes, .votes),
            (settings.topics.questions, .questions),
        ].compactMap { name, topic in counts[topic].map { "\($0) into \(name)" } }
        LineWriter.standardOutput.write(
            "\(text.isEmpty ? "no records" : text.joined(separator: ", ")), in \(String(format: "%.1f", seconds)) s")
    }

    private func prepareTopics(_ settings: Settings) throws {
        let logger = settings.logger("generate", atLeast: .critical)
        if let partitions {
            let maker = TopicMaker(
                configuration: settings.workerConfiguration, partitions: partitions, replicationFactor: nil,
                logger: logger)
            let advice = try maker.run { _ in }
            guard advice.isEmpty else { throw CommandFailure(.configuration, lines: advice) }
            return
        }
        let admin = try AdminClient(properties: settings.clientProperties, logger: logger)
        defer { admin.close() }
        let inputs = settings.topics.inputs
        let found = try admin.describe(topics: inputs, timeout: .seconds(10))
        let missing = inputs.filter { found[$0] == nil }
        guard missing.isEmpty else {
            throw CommandFailure(
                .configuration,
                "there is no topic \(missing.joined(separator: ", ")), so nothing was published; make the missing ones "
                    + "with --partitions, or with 'rejoinder topics create'.")
        }
    }
}

/// "3" or "0-50".
struct CountRange: ExpressibleByArgument {
    static let limit = 1_000
    let range: ClosedRange<Int>

    init?(argument: String) {
        let ends = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first >= 0,
            first <= last,
            last <= Self.limit
        else { return nil }
        range = first...last
    }
}

/// "uniform", "zipf" or "zipf:0.8".
struct SkewOption: ExpressibleByArgument {
    let skew: WorkloadPlan.Skew

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        switch parts[0] {
        case "uniform" where parts.count == 1:
            skew = .uniform
        case "zipf" where parts.count <= 2:
            guard let exponent = parts.count == 2 ? Double(parts[1]) : 1, (0.01...10).contains(exponent) else {
                return nil
            }
            skew = .zipf(exponent: exponent)
        default:
            return nil
        }
    }
}
