import AnswerStore
import Enrichment
import Foundation
import KafkaClient
import Logging
import Records
import Worker

/// Enriches a window of the live `questions` topic once more, into another topic.
///
/// Joins no group and commits no offset: reads manually assigned partitions, one after the other, into its own stores
/// in a temporary directory. Outputs go in transactions (``ClusterOutput``); a new run publishes the outputs of a
/// stopped one again. Blocks the thread that calls `run`. Not Sendable.
package final class WindowReplay {
    /// The state of the tables that the questions are enriched with.
    package enum Tables: String, Sendable, CaseIterable {
        /// The answers and votes as they stand when the replay starts.
        case now
        /// The answers and votes as they stood at each question event's timestamp. Every table record of the partition
        /// whose timestamp is not later counts, so at equal timestamps the tables come first. Table records are applied
        /// in the order of their timestamps, then offsets. A record without a timestamp counts as older than all
        /// others.
        case event
    }

    /// The events to enrich, and the topics for the results.
    package struct Options: Sendable {
        /// The worker's settings: the live topics' names, `maxRecordBytes`, librdkafka's properties. The state
        /// directory and the group are not used.
        package var configuration: WorkerConfiguration
        /// The window of the questions topic.
        package var window: Window
        /// An existing topic; the live output topic only with ``allowsLiveOutput``.
        package var outputTopic: String
        /// The state of the tables; by default the present one.
        package var tables = Tables.now
        /// The topic for question events that cannot be enriched; nil: they are only counted.
        package var deadLetterTopic: String?
        /// Whether the live output topic may be written to.
        package var allowsLiveOutput = false
        /// Bytes that each of up to four sorters holds in memory before it uses a temporary file.
        var sorterBytes = 16 << 20

        /// - Parameter window: of the questions topic.
        package init(configuration: WorkerConfiguration, window: Window, outputTopic: String) {
            self.configuration = configuration
            self.window = window
            self.outputTopic = outputTopic
        }
    }

    /// The result of a replay, also of one that was stopped.
    package struct Summary: Sendable, Equatable {
        /// Question events of the window that were read.
        package var events = 0
        /// Enriched records published, deleted questions' null values included.
        package var enriched = 0
        /// Question events that cannot be enriched, by code.
        package var deadLetters: [RecordErrorCode: Int] = [:]
        /// Whether those were published.
        package var deadLettersPublished = false
        /// Answers and votes applied.
        package var tableRecords = 0
        /// Invalid table records, skipped as the worker skips them.
        package var tableRecordsRefused = 0
        /// Enriched records older than the output topic's retention: the broker will delete them.
        package var beyondRetention = 0
        /// Records of the window, or of the tables, that the broker deleted before they were read.
        package var holes: [WindowHole] = []
        /// Of the whole run, the loading of the tables included.
        package var elapsed = Duration.zero
        /// It was told to stop before its end.
        package var wasStopped = false

        /// Of a replay that has read no event.
        package init() {}
    }

    let options: Options
    let stop: StopSignal
    let logger: Logger
    let topics: TopicNames
    let reader = TableReader()
    var summary = Summary()
    private let properties: ClientProperties

    /// - Parameter stop: ends the replay; `run` returns once the published records are acknowledged.
    package init(options: Options, stop: StopSignal, logger: Logger) {
        self.options = options
        self.stop = stop
        self.logger = logger
        topics = options.configuration.topics
        var configuration = options.configuration
        configuration.groupID = "rejoinder"
        configuration.staticMembership = false
        properties = ClientProperties(configuration: configuration, identity: "replay", lane: 0)
    }

    /// - Throws: ``WorkerError`` for unusable topics, before reading or publishing begins; ``PublishFailure``,
    ///   `KafkaError` or ``StoreError`` for failures on the way.
    package func run(progress: @escaping (ReplayEvent) -> Void) throws -> Summary {
        let began = ContinuousClock.now
        summary = Summary()
        summary.deadLettersPublished = options.deadLetterTopic != nil
        try refuseTopicsInUse()
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        let layout = try Layout(options, admin)
        let scan = try PartitionScan(properties: properties.follower, stop: stop, logger: logger)
        defer { scan.close() }
        let stores = try TemporaryState()
        let output = try ClusterOutput(
            properties: options.configuration.kafkaProperties, delivery: .init(options.configuration), stop: stop,
            logger: logger)
        defer { output.close() }
        let target = try TargetTopics(admin: admin).find(options.outputTopic)
        let sink = try WindowSink(options: options, layout: layout, output: output, target: target)

        let work = try plan(layout, scan, progress)
        let tracker = WindowProgress(total: work.reduce(0) { $0 + $1.records }, began: began, tell: progress)
        do {
            for partition in work where !stop.isRequested {
                let store = try stores.makeStore(
                    partition: partition.number, answersTopic: topics.answers, votesTopic: topics.votes)
                defer {
                    store.close()
                    stores.removeNames()
                }
                let window = WindowPartition(
                    work: partition, store: store, scan: scan, sink: sink, filePrefix: stores.path, tracker: tracker)
                switch options.tables {
                case .now: try replayWithTablesAsOfNow(window)
                case .event: try replayWithTablesAsOfEvent(window)
                }
            }
            try output.finish()
        } catch {
            if !(error is PublishFailure) { output.endEarly(progress) }
            throw error
        }
        summary.holes = scan.holes
        summary.enriched = sink.enriched
        summary.deadLetters = sink.deadLetters
        summary.beyondRetention = sink.beyondRetention
        summary.wasStopped = stop.isRequested
        summary.elapsed = ContinuousClock.now - began
        return summary
    }

    /// Refuses topics that must not be written to, before the first request to the cluster.
    private func refuseTopicsInUse() throws(WorkerError) {
        let output = options.outputTopic
        if topics.inputs.contains(output) || output == topics.deadLetter {
            throw WorkerError(
                .configuration,
                "The output topic '\(output)' is one that the live worker works with; name another with --output-topic")
        }
        if output == topics.enriched, !options.allowsLiveOutput {
            throw WorkerError(
                .configuration,
                "'\(output)' is the live output topic: its readers would get every question of the window again. Name "
                    + "another with --output-topic, or add --yes-to-live-output if they are meant")
        }
        if let letters = options.deadLetterTopic,
            topics.inputs.contains(letters) || letters == topics.enriched || letters == output
        {
            throw WorkerError(
                .configuration,
                "The topic '\(letters)' is for other records than dead letters; name another with --dead-letter-topic")
        }
    }

    /// The ranges to read: the window of the questions, and all of the tables, both as of now.
    private func plan(
        _ layout: Layout, _ scan: PartitionScan, _ tell: (ReplayEvent) -> Void
    ) throws -> [PartitionWork] {
        let windows = try scan.ranges(
            of: options.window, in: topics.questions, partitions: layout.partitions, tell)
        var work: [PartitionWork] = []
        for (place, questions) in windows.sorted(by: { $0.key < $1.key }) {
            var tables: [OffsetRange] = []
            for table in Table.allCases {
                let place = topic(of: table, place.partition)
                let range = try scan.watermarks(of: place)
                if range.lowerBound > 0 {
                    tell(
                        .warning(
                            "\(place) begins at offset \(range.lowerBound): earlier records were deleted and are not "
                                + "attached"))
                }
                tables.append(range)
            }
            work.append(PartitionWork(number: place.partition, questions: questions, tables: tables))
        }
        let events = work.reduce(0) { $0 + $1.questions.count }
        tell(
            .note(
                "enriching \(Wording.count(events, "event")) of \(topics.questions) in "
                    + "\(Wording.count(work.count, "partition")) into \(options.outputTopic), with "
                    + (options.tables == .now
                        ? "the tables as they stand" : "the tables as they stood at each event's timestamp")))
        return work
    }

    func topic(of table: Table, _ partition: Int32) -> TopicPartition {
        TopicPartition(topic: table == .answers ? topics.answers : topics.votes, partition: partition)
    }
}

extension WindowReplay {
    /// The topics' numbers of partitions.
    struct Layout {
        let partitions: Int32
        /// Whether the output topic has as many partitions as the questions; if not, records go where their keys hash.
        let outputHasSame: Bool
        let deadLetterHasSame: Bool

        init(_ options: Options, _ admin: AdminClient) throws {
            let topics = options.configuration.topics
            let names = topics.inputs + [options.outputTopic] + [options.deadLetterTopic].compactMap { $0 }
            let found = try admin.describe(topics: names, timeout: .seconds(10)).mapValues(\.partitionCount)
            let missing = names.filter { found[$0] == nil }
            guard missing.isEmpty, let questions = found[topics.questions] else {
                throw WorkerError(
                    .configuration,
                    "The cluster has no topic \(missing.map { "'\($0)'" }.joined(separator: ", ")); make it, or name "
                        + "another")
            }
            guard topics.inputs.allSatisfy({ found[$0] == questions }) else {
                let counts = topics.inputs.map { "'\($0)' has \(found[$0] ?? 0)" }.joined(separator: ", ")
                throw WorkerError(
                    .configuration,
                    "The input topics must have equal partition counts, since a question is joined with the answers "
                        + "and votes of its own partition number, but \(counts)")
            }
            partitions = questions
            outputHasSame = found[options.outputTopic] == questions
            deadLetterHasSame = options.deadLetterTopic.map { found[$0] == questions } ?? false
        }
    }

    /// The ranges to read of one partition number.
    struct PartitionWork {
        let number: Int32
        let questions: OffsetRange
        /// By `Table.rawValue`.
        let tables: [OffsetRange]

        var records: Int { questions.count + tables.reduce(0) { $0 + $1.count } }
    }
}

/// Counts the records read, and reports progress.
final class WindowProgress {
    private let total: Int
    private let began: ContinuousClock.Instant
    private let tell: (ReplayEvent) -> Void
    private var records = 0
    private var bytes = 0

    init(total: Int, began: ContinuousClock.Instant, tell: @escaping (ReplayEvent) -> Void) {
        self.total = total
        self.began = began
        self.tell = tell
    }

    func count(_ byteCount: Int) {
        records += 1
        bytes += byteCount
        if records & 1023 == 0 { show() }
    }

    func show() {
        tell(
            .advanced(
                ReplayAdvance(records: records, total: total, bytes: bytes, elapsed: ContinuousClock.now - began)))
    }

    func warn(_ text: String) { tell(.warning(text)) }
}
