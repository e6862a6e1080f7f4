import Foundation
import KafkaClient
import Logging
import Worker

/// Publishes a recording to the topics of a cluster, at the recorded pace or another.
///
/// Reads the recording twice: first to check that it is whole and fits the topics, then to publish it. If the check
/// fails, no record is published. Blocks the thread that calls `run`. Not Sendable.
package final class ClusterReplay {
    /// The recording, its targets and its pace.
    package struct Options: Sendable {
        /// The timestamps of the published records.
        package enum Timestamps: String, Sendable, CaseIterable {
            /// As recorded.
            case keep
            /// The moment of publishing.
            case now
        }

        /// The recording; `-` is standard input.
        package var path: String
        /// librdkafka properties, `bootstrap.servers` among them.
        package var properties: KafkaProperties
        /// Put before each recorded topic's name, after `renaming`.
        package var topicPrefix = ""
        /// Applied to each recorded topic's name, before `topicPrefix`.
        package var renaming = TopicRenaming()
        /// Topics that a worker reads or writes. Without `allowsLiveTopics`, publishing to them, or to a topic under
        /// its recorded name, is refused.
        package var liveTopics: Set<String> = []
        /// Allows targets in ``liveTopics``, and targets under their recorded names.
        package var allowsLiveTopics = false
        /// Reports the plan without publishing.
        package var isDryRun = false
        /// Publishes in transactions, so that `read_committed` readers see whole ones. Otherwise by an idempotent
        /// producer alone; a failure may then leave some records published, or published twice.
        package var isTransactional = true
        /// Prefix of transactional ids.
        package var groupID = "rejoinder"
        /// The pace; by default as fast as the brokers accept records.
        package var speed = ReplaySpeed.max
        /// The timestamps of the published records; by default as recorded.
        package var timestamps = Timestamps.keep
        /// Places records by their keys' hashes, as Java clients do it, instead of by the recorded partition number.
        /// The records of one key keep their order; a record without a key goes to any partition.
        package var repartition = false

        /// - Parameters:
        ///   - path: the recording; `-` is standard input.
        ///   - properties: the user's, with the brokers.
        package init(path: String, properties: KafkaProperties) {
            self.path = path
            self.properties = properties
        }

        func target(of topic: String) -> String { topicPrefix + renaming.apply(to: topic) }
    }

    /// The result of a replay, also of one that was stopped.
    package struct Summary: Sendable, Equatable {
        /// Acknowledged records.
        package var records = 0
        /// Bytes of their keys and values.
        package var bytes = 0
        /// By the names of the target topics.
        package var topics: [String: Int] = [:]
        /// From the first record to the last acknowledgement.
        package var elapsed = Duration.zero
        /// The duration at the exact pace; nil without a pace.
        package var planned: Duration?
        /// The longest time that a record was published after its due time; zero without a pace.
        package var farthestBehind = Duration.zero
        /// How much later than planned the last record was acknowledged.
        package var behindAtEnd = Duration.zero
        /// Records with an older timestamp than an earlier record: they were sent at once.
        package var backwards = 0
        /// It was told to stop before all records were published.
        package var wasStopped = false
        /// The number of records in the recording.
        package var total = 0
        /// A dry run: no record was published.
        package var isDryRun = false

        /// Of a replay that has published no record.
        package init() {}
    }

    /// Delays below this are not reported: they are the machine's own jitter.
    private static let tolerance = Duration.milliseconds(100)

    private let options: Options
    private let stop: StopSignal
    private let clock: any ReplayClock
    private let logger: Logger

    /// - Parameter stop: ends the publishing; `run` returns once the earlier records are acknowledged.
    package init(
        options: Options, stop: StopSignal, clock: any ReplayClock = SystemReplayClock(), logger: Logger
    ) {
        self.options = options
        self.stop = stop
        self.clock = clock
        self.logger = logger
    }

    /// - Throws: ``RecordingError`` for a bad file and ``WorkerError`` for unsuitable topics, both before publishing
    ///   begins; ``PublishFailure`` when the cluster does not accept a record.
    package func run(progress: (ReplayEvent) -> Void) throws -> Summary {
        let source = try RecordingSource(path: options.path)
        let admin = try AdminClient(properties: options.properties, logger: logger)
        defer { admin.close() }
        let targets = TargetTopics(admin: admin)
        let survey = try survey(source, targets)
        guard !stop.isRequested else {
            var summary = Summary()
            summary.wasStopped = true
            summary.total = survey.records
            return summary
        }
        try ReplayTargetCheck(options: options).run(survey, targets, progress)
        if options.isDryRun {
            var summary = Summary()
            summary.isDryRun = true
            summary.total = survey.records
            return summary
        }
        let output = try ClusterOutput(
            properties: options.properties,
            delivery: options.isTransactional ? .transactions(idPrefix: options.groupID) : .atLeastOnce,
            isPaced: options.speed.isPaced, largestRecord: survey.largestRecord + 512, stop: stop, logger: logger)
        defer { output.close() }
        let run = try ReplayRun(options: options, survey: survey, output: output, clock: clock, stop: stop)
        var summary: Summary
        do {
            summary = try run.publish(source, progress)
            try output.finish()
        } catch {
            if !(error is PublishFailure) { output.endEarly(progress) }
            throw error
        }
        summary.elapsed = clock.now - run.began
        if let planned = summary.planned { summary.behindAtEnd = max(.zero, summary.elapsed - planned) }
        if summary.farthestBehind < Self.tolerance { summary.farthestBehind = .zero }
        return summary
    }

    private func survey(_ source: RecordingSource, _ targets: TargetTopics) throws -> RecordingSurvey {
        let reader = try source.reader()
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        var survey = RecordingSurvey()
        var index = TopicIndex()
        var horizons: [Int64?] = []
        var counts: [Int32] = []
        func take(_ record: borrowing RecordedView) throws {
            let topic: Int
            if let known = index.find(record.topic) {
                topic = known
            } else {
                let name = String(decoding: record.topic, as: UTF8.self)
                index.add(Array(record.topic))
                topic = survey.addTopic(name)
                let target = try targets.find(options.target(of: name))
                horizons.append(options.timestamps == .keep ? target?.oldestKept(now: now) : nil)
                counts.append(options.repartition ? 0 : target?.partitionCount ?? 0)
            }
            var byteCount = (record.key?.count ?? 0) + (record.value?.count ?? 0)
            for header in record.headerBytes { byteCount += header.name.count + (header.value?.count ?? 0) + 10 }
            let (key, partition) = (record.key, record.partition)
            let hashed = key.map { KeyPlacement.partition(of: $0, count: max(1, counts[topic])) }
            survey.add(
                topic: topic, partition: record.partition, timestamp: record.timestamp, byteCount: byteCount,
                oldestKept: horizons[topic],
                isMisplaced: counts[topic] > 0 && hashed.map { $0 != partition } ?? false)
        }
        while try source.next(of: reader, take), !stop.isRequested {}
        survey.warnings = source.warnings(of: reader)
        return survey
    }
}

extension RecordingSource {
    /// Lends the next record; false at the end.
    func next(of reader: RecordingReader, _ body: (borrowing RecordedView) throws -> Void) throws -> Bool {
        do {
            return try reader.withNext(body) != nil
        } catch let error as RecordingError {
            throw named(error)
        }
    }
}

/// One publishing of a recording.
private final class ReplayRun {
    /// The longest sleep, so that a stop and failed deliveries are noticed.
    private static let slice = Duration.milliseconds(50)

    let began: Duration
    private let options: ClusterReplay.Options
    private let output: ClusterOutput
    private let clock: any ReplayClock
    private let stop: StopSignal
    private let total: Int
    private let topics: [(name: String, topic: ProducerTopic, highestPartition: Int32)]
    private var index = TopicIndex()
    private var pacer: ReplayPacer
    private var counts: [Int]
    private var summary = ClusterReplay.Summary()
    private var behind = Duration.zero
    private var read = 0

    init(
        options: ClusterReplay.Options, survey: RecordingSurvey, output: ClusterOutput, clock: any ReplayClock,
        stop: StopSignal
    ) throws(KafkaError) {
        self.options = options
        self.output = output
        self.clock = clock
        self.stop = stop
        total = survey.records
        var topics: [(name: String, topic: ProducerTopic, highestPartition: Int32)] = []
        for topic in survey.topics {
            let name = options.target(of: topic.name)
            topics.append((name, try output.topic(name), topic.highestPartition))
            index.add(Array(topic.name.utf8))
        }
        self.topics = topics
        counts = Array(repeating: 0, count: topics.count)
        pacer = ReplayPacer(speed: options.speed)
        began = clock.now
    }

    /// Publishes until the end or a stop. The last records may still be in flight when it returns.
    func publish(_ source: RecordingSource, _ progress: (ReplayEvent) -> Void) throws -> ClusterReplay.Summary {
        let reader = try source.reader()
        var goesOn = true
        while goesOn {
            goesOn = try source.next(of: reader) { record in
                if try !publish(record, progress) { summary.wasStopped = true }
            }
            if summary.wasStopped { break }
        }
        summary.records = output.published
        summary.bytes = output.bytes
        summary.total = total
        summary.planned = options.speed.isPaced ? pacer.lastDue : nil
        summary.backwards = pacer.backwards
        for (topic, count) in zip(topics, counts) where count > 0 { summary.topics[topic.name] = count }
        return summary
    }

    /// - Returns: false when it was told to stop before the record was published.
    private func publish(_ record: borrowing RecordedView, _ progress: (ReplayEvent) -> Void) throws -> Bool {
        guard let place = index.find(record.topic), record.partition <= topics[place].highestPartition else {
            throw WorkerError(.failed, "\(options.path) changed while it was read; replay it again from a file at rest")
        }
        if options.speed.isPaced {
            let due = pacer.due(record.timestamp)
            guard try wait(until: due, progress) else { return false }
            behind = max(.zero, clock.now - began - due)
            summary.farthestBehind = max(summary.farthestBehind, behind)
        }
        guard !stop.isRequested,
            try output.publish(
                to: topics[place].topic, partition: options.repartition ? nil : record.partition, key: record.key,
                value: record.value, timestamp: options.timestamps == .keep ? record.timestamp ?? -1 : nil,
                headers: record.hasHeaders ? record.headers : [])
        else { return false }
        counts[place] += 1
        read += 1
        if read & 1023 == 0 { progress(.advanced(advance)) }
        return true
    }

    private func wait(until due: Duration, _ progress: (ReplayEvent) -> Void) throws -> Bool {
        while true {
            if stop.isRequested { return false }
            let rest = due - (clock.now - began)
            guard rest > .zero else { return true }
            if rest > Self.slice {
                try output.check()
                progress(.advanced(advance))
            }
            clock.wait(min(rest, Self.slice))
        }
    }

    private var advance: ReplayAdvance {
        ReplayAdvance(
            records: read, total: total, bytes: output.bytes, elapsed: clock.now - began, behind: behind)
    }
}
