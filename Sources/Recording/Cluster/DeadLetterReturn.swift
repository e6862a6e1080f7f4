import Bytes
import Foundation
import KafkaClient
import Logging
import Worker

/// Publishes dead letters to their source topics again, once the cause of their failure is fixed.
///
/// A letter goes back with its original key, value, timestamp and headers, to its original partition number. The
/// worker's additions (`rejoinder.error.*`, `rejoinder.source.*`) are removed, and the header `rejoinder.returned`
/// counts how often the record has come back. The letters stay in their topic, and no state records which have gone
/// back: a second run over the same window publishes them again. That is harmless for questions and answers (the last
/// record counts) and for votes (a voter's last vote counts), as long as no newer record came in between.
///
/// Joins no group and commits no offset. Blocks the thread that calls `run`. Not Sendable.
package final class DeadLetterReturn {
    /// The letters to return.
    package struct Options: Sendable {
        /// The worker's settings: the live topics' names, librdkafka's properties.
        package var configuration: WorkerConfiguration
        /// The window of the dead-letter topic.
        package var window: Window
        /// Only letters with these codes; empty: all.
        package var codes: Set<String> = []
        /// Reports without publishing.
        package var isDryRun = false

        /// All codes of the window, published.
        package init(configuration: WorkerConfiguration, window: Window) {
            self.configuration = configuration
            self.window = window
        }
    }

    /// The result of a return, also of one that was stopped.
    package struct Summary: Sendable, Equatable {
        /// Letters of the window, of any code.
        package var letters = 0
        /// Letters skipped for their code.
        package var otherCodes = 0
        /// Published records by topic. In a dry run, those that would be published.
        package var returned: [String: Int] = [:]
        /// Those among `returned` that had come back before, by their mark, and failed again.
        package var returnedBefore = 0
        /// Letters that cannot go back, by reason.
        package var kept: [ReturnedLetter.Obstacle: Int] = [:]
        /// Letters that the broker deleted before they were read.
        package var holes: [WindowHole] = []
        /// Of the whole run, the look for topics and partitions included.
        package var elapsed = Duration.zero
        /// It was told to stop before it had read the whole window.
        package var wasStopped = false

        /// Of a return that has read no letter.
        package init() {}
    }

    private let options: Options
    private let stop: StopSignal
    private let logger: Logger
    private let properties: ClientProperties
    private let topics: TopicNames
    private var summary = Summary()
    /// Topics already warned about.
    private var warned: Set<String> = []

    /// - Parameter stop: ends the publishing; `run` returns once the published records are acknowledged.
    package init(options: Options, stop: StopSignal, logger: Logger) {
        self.options = options
        self.stop = stop
        self.logger = logger
        topics = options.configuration.topics
        var configuration = options.configuration
        configuration.groupID = "rejoinder"
        configuration.staticMembership = false
        properties = ClientProperties(configuration: configuration, identity: "return", lane: 0)
    }

    /// - Parameter each: called for every letter of the wanted codes, before it is published; `obstacle` says why one
    ///   is not.
    /// - Throws: ``WorkerError`` for missing topics, before publishing begins; ``PublishFailure``, `KafkaError`.
    package func run(
        progress: @escaping (ReplayEvent) -> Void, each: (ReturnedLetter) -> Void = { _ in }
    ) throws -> Summary {
        let began = ContinuousClock.now
        summary = Summary()
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        let counts = try admin.describe(topics: topics.inputs + [topics.deadLetter], timeout: .seconds(10))
            .mapValues(\.partitionCount)
        guard let letterPartitions = counts[topics.deadLetter] else {
            throw WorkerError(
                .configuration,
                "The cluster has no dead-letter topic '\(topics.deadLetter)', so nothing can come back; name another "
                    + "with topics.deadLetter in the configuration")
        }
        let scan = try PartitionScan(properties: properties.follower, stop: stop, logger: logger)
        defer { scan.close() }
        let windows = try scan.ranges(
            of: options.window, in: topics.deadLetter, partitions: letterPartitions, progress)
        let output = try ClusterOutput(
            properties: options.configuration.kafkaProperties,
            delivery: options.isDryRun ? .atLeastOnce : .init(options.configuration), stop: stop, logger: logger)
        defer { output.close() }
        let total = windows.values.reduce(0) { $0 + $1.count }
        progress(
            .note(
                "\(options.isDryRun ? "looking through" : "returning") the dead letters of \(topics.deadLetter) in a "
                    + "window of \(Wording.count(total, "offset"))"))
        let tracker = WindowProgress(total: total, began: began, tell: progress)
        var targets: [String: ProducerTopic] = [:]
        for topic in topics.inputs { targets[topic] = try output.topic(topic) }
        let letters = TargetTopics(admin: admin)
        do {
            for (place, range) in windows.sorted(by: { $0.key < $1.key }) where !stop.isRequested {
                let end = try scan.read(place, range, idle: tracker.show) { message in
                    defer { message.release() }
                    tracker.count(message.byteCount)
                    summary.letters += 1
                    guard let letter = letter(message, at: place, counts) else { return }
                    each(letter)
                    if let obstacle = letter.obstacle {
                        summary.kept[obstacle, default: 0] += 1
                    } else if let source = letter.source, let target = targets[source.topic] {
                        try warn(of: letter, letters, tracker)
                        try send(letter, key: message.key, value: message.value, to: target, source, output)
                    }
                }
                if case .heldBack(let offset) = end {
                    tracker.warn(
                        "\(place) could be read up to offset \(offset) only: an open transaction may hold back the "
                            + "later ones"
                    )
                }
            }
            try output.finish()
        } catch {
            if !(error is PublishFailure) { output.endEarly(progress) }
            throw error
        }
        summary.holes = scan.holes
        summary.wasStopped = stop.isRequested
        summary.elapsed = ContinuousClock.now - began
        return summary
    }

    /// nil for a letter without a wanted code.
    private func letter(
        _ message: ConsumedMessage, at place: TopicPartition, _ counts: [String: Int32]
    ) -> ReturnedLetter? {
        var letter = ReturnedLetter(
            place, offset: message.offset, key: message.key.map(Array.init), headers: message.headers,
            inputs: topics.inputs)
        guard options.codes.isEmpty || options.codes.contains(letter.code) else {
            summary.otherCodes += 1
            return nil
        }
        if letter.obstacle == nil, let source = letter.source, source.partition >= counts[source.topic] ?? 0 {
            letter.obstacle = .partitionGone
        }
        return letter
    }

    private func send(
        _ letter: ReturnedLetter, key: Bytes?, value: Bytes?, to target: ProducerTopic, _ source: TopicPartition,
        _ output: ClusterOutput
    ) throws {
        if !options.isDryRun {
            let isQueued = try output.publish(
                to: target, partition: source.partition, key: key, value: value, timestamp: letter.timestamp ?? -1,
                headers: letter.headers)
            guard isQueued else { return }
        }
        summary.returned[source.topic, default: 0] += 1
        if letter.returnedBefore > 0 { summary.returnedBefore += 1 }
    }

    /// Warns, once a topic, when a returned record is too old for the topic's retention.
    private func warn(
        of letter: ReturnedLetter, _ targets: TargetTopics, _ tracker: WindowProgress
    ) throws(KafkaError) {
        guard let source = letter.source, let timestamp = letter.timestamp, !warned.contains(source.topic)
        else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        guard let target = try targets.find(source.topic), let kept = target.oldestKept(now: now), timestamp < kept,
            let limit = target.retentionMilliseconds
        else { return }
        warned.insert(source.topic)
        tracker.warn(
            "a record for '\(source.topic)' is from \(Wording.instant(timestamp)), older than the topic's "
                + "retention.ms=\(limit) (\(Wording.time(.milliseconds(limit)))) keeps: the broker will delete it and "
                + "those like it, maybe before the worker has read them. Set retention.ms=-1 on the topic")
    }
}
