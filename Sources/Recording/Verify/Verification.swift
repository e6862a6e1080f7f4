import Bytes
import Enrichment
import Foundation
import KafkaClient
import Logging
import Worker

/// Proves that the published records are right: remakes each enriched record of a window from the input topics, and
/// compares.
///
/// Each record's header `rejoinder.from` names its event, and how far both tables had been applied. So the replay's
/// engine can bring the tables to that state and remake the record, byte for byte. Joins no group, commits nothing and
/// publishes nothing. Blocks the thread that calls `run`. Not Sendable.
package final class Verification {
    /// The records to verify.
    package struct Options: Sendable {
        /// The worker's settings: topics, group, limits, librdkafka's properties.
        package var configuration: WorkerConfiguration
        /// The window of the questions topic.
        package var window: Window
        /// The fraction of the questions, chosen by id, whose records are remade. All records are counted and checked
        /// for order.
        package var sample = 1.0
        /// Bytes of records that are sorted in memory.
        var sorterBytes = 64 << 20

        /// All questions of the window.
        package init(configuration: WorkerConfiguration, window: Window) {
            self.configuration = configuration
            self.window = window
        }
    }

    struct Letter {
        var count = 0
        var code = ""
    }

    let options: Options
    let stop: StopSignal
    let topics: TopicNames
    var report = VerificationReport()
    private let logger: Logger
    private let properties: ClientProperties

    /// - Parameter stop: ends the verification; `run` then returns the report of the records judged by then.
    package init(options: Options, stop: StopSignal, logger: Logger) {
        self.options = options
        self.stop = stop
        self.logger = logger
        topics = options.configuration.topics
        var configuration = options.configuration
        configuration.staticMembership = false
        properties = ClientProperties(configuration: configuration, identity: "verify", lane: 0)
    }

    /// - Throws: ``WorkerError`` for unusable topics; ``KafkaError`` or ``StoreError`` for failures on the way.
    package func run(progress: @escaping (ReplayEvent) -> Void) throws -> VerificationReport {
        let began = ContinuousClock.now
        report = VerificationReport()
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        let counts = try partitionCounts(admin)
        let scan = try PartitionScan(properties: properties.follower, stop: stop, logger: logger)
        defer { scan.close() }
        // Read the committed offsets first: the outputs of events committed by then are already published.
        let work = try events(admin, scan, counts, progress)
        report.partitions = work.map(\.place)
        let letters = try readLetters(scan, counts, of: work)
        let isCompacted = isOutputCompacted(admin)
        let tracker = WindowProgress(total: work.reduce(0) { $0 + $1.events.count }, began: began, tell: progress)
        for partition in work where !stop.isRequested {
            try verify(
                partition, scan: scan, counts: counts, letters: letters[partition.place.partition] ?? [:],
                isCompacted: isCompacted, tracker)
        }
        report.wasStopped = stop.isRequested
        report.elapsed = ContinuousClock.now - began
        return report
    }

    // MARK: - Selection

    private struct Work {
        let place: TopicPartition
        let events: OffsetRange
        /// Follows the latest records of questions; nil: records do not follow changes, or the window ends before the
        /// group's offset.
        let latest: LatestRecords?
    }

    private func partitionCounts(_ admin: AdminClient) throws -> [String: Int32] {
        let names = topics.inputs + topics.outputs
        let counts = try admin.partitionCounts(of: names, timeout: .seconds(10))
        let missing = names.filter { counts[$0] == nil }
        guard missing.isEmpty else {
            throw WorkerError(
                .configuration,
                "The cluster has no topic \(missing.map { "'\($0)'" }.joined(separator: ", ")); name others in the "
                    + "configuration")
        }
        return counts
    }

    /// The window's events below the group's committed offsets, or all of them when the group has committed none.
    private func events(
        _ admin: AdminClient, _ scan: PartitionScan, _ counts: [String: Int32], _ tell: (ReplayEvent) -> Void
    ) throws -> [Work] {
        let partitions = counts[topics.questions] ?? 0
        let places = (0..<partitions).map { TopicPartition(topic: topics.questions, partition: $0) }
        // First the tables': an event that was asked for in between has its record in the window, with their changes.
        let tables = try committedTables(admin, partitions)
        let committed = try admin.committedOffsets(
            group: options.configuration.groupID, of: places, timeout: .seconds(10))
        if committed.isEmpty {
            tell(
                .warning(
                    "the group '\(options.configuration.groupID)' has committed nothing: every event up to the end of "
                        + "\(topics.questions) is looked for"))
        }
        let ranges = try scan.ranges(of: options.window, in: topics.questions, partitions: partitions, tell)
        return ranges.sorted { $0.key < $1.key }.compactMap { place, range in
            let end = committed.isEmpty ? range.upperBound : min(range.upperBound, committed[place] ?? 0)
            let latest = committed[place] == end ? tables[place.partition] : nil
            return end > range.lowerBound
                ? Work(place: place, events: range.lowerBound..<end, latest: latest.map(LatestRecords.init)) : nil
        }
    }

    /// The tables' offsets that the group has committed, by partition number. Empty where records do not follow
    /// changes.
    private func committedTables(
        _ admin: AdminClient, _ partitions: Int32
    ) throws -> [Int32: (answers: Int64, votes: Int64)] {
        guard options.configuration.publishOn.coalesce != nil else { return [:] }
        func place(_ topic: String, _ number: Int32) -> TopicPartition {
            TopicPartition(topic: topic, partition: number)
        }
        let places = (0..<partitions).flatMap { [place(topics.answers, $0), place(topics.votes, $0)] }
        let committed = try admin.committedOffsets(
            group: options.configuration.groupID, of: places, timeout: .seconds(10))
        var tables: [Int32: (answers: Int64, votes: Int64)] = [:]
        for number in 0..<partitions {
            let (answers, votes) = (committed[place(topics.answers, number)], committed[place(topics.votes, number)])
            // Nothing is committed for a table without records.
            if answers != nil || votes != nil { tables[number] = (answers ?? 0, votes ?? 0) }
        }
        return tables
    }

    /// Question events that became dead letters, by partition and offset.
    private func readLetters(
        _ scan: PartitionScan, _ counts: [String: Int32], of work: [Work]
    ) throws -> [Int32: [Int64: Letter]] {
        var letters: [Int32: [Int64: Letter]] = [:]
        let events = Dictionary(uniqueKeysWithValues: work.map { ($0.place.partition, $0.events) })
        for number in 0..<(counts[topics.deadLetter] ?? 0) {
            let place = TopicPartition(topic: topics.deadLetter, partition: number)
            _ = try scan.read(place, try scan.watermarks(of: place)) { message in
                defer { message.release() }
                var source: [String: String] = [:]
                message.forEachHeader { name, value in
                    source[String(decoding: name, as: UTF8.self)] = value.map { String(decoding: $0, as: UTF8.self) }
                }
                guard source["rejoinder.source.topic"] == topics.questions,
                    let partition = source["rejoinder.source.partition"].flatMap(Int32.init),
                    let offset = source["rejoinder.source.offset"].flatMap(Int64.init),
                    events[partition]?.contains(offset) == true
                else { return }
                letters[partition, default: [:]][offset, default: Letter()].count += 1
                letters[partition]?[offset]?.code = source["rejoinder.error.code"] ?? ""
            }
        }
        return letters
    }

    /// False when the cluster does not tell: then every event must have its record.
    private func isOutputCompacted(_ admin: AdminClient) -> Bool {
        let settings = try? admin.topicSettings(topics.enriched, timeout: .seconds(3))
        return settings?["cleanup.policy"]?.contains("compact") ?? false
    }

    // MARK: - One partition

    private func verify(
        _ work: Work, scan: PartitionScan, counts: [String: Int32], letters: [Int64: Letter], isCompacted: Bool,
        _ tracker: WindowProgress
    ) throws {
        let number = work.place.partition
        let temporary = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-verify-\(UUID().uuidString)"
        ).path
        let isSampled = sampler()
        let keepsNumber = counts[topics.enriched] == counts[topics.questions]
        let published = PublishedRecords(
            of: work.place, events: work.events, keepsNumber: keepsNumber,
            sorter: RecordSorter(path: temporary, budget: options.sorterBytes), isSampled: isSampled,
            latest: work.latest)
        let outputs = keepsNumber ? number..<number + 1 : 0..<(counts[topics.enriched] ?? 0)
        var isTrimmed = false
        for output in outputs {
            let place = TopicPartition(topic: topics.enriched, partition: output)
            let range = try scan.watermarks(of: place)
            let first = try start(of: range, in: place, scan)
            if first > 0, first == range.lowerBound { isTrimmed = true }
            _ = try scan.read(place, first..<range.upperBound, idle: tracker.show) { message in
                defer { message.release() }
                try published.take(message)
            }
        }
        let consumer = try AssignedConsumer(properties: properties.follower, logger: logger)
        defer { consumer.close() }
        let starts = try Table.allCases.map { table in
            let place = TopicPartition(topic: table == .answers ? topics.answers : topics.votes, partition: number)
            let low = try scan.watermarks(of: place).lowerBound
            if low > 0 {
                tracker.warn(
                    "\(place) begins at offset \(low): its older records have no part in the records made again")
            }
            return (place: place, offset: low)
        }
        let remake = try PartitionRemake(
            number: number, topics: topics, isSampled: isSampled,
            engine: { [topics, options] in
                try ReplayEngine(
                    topics: topics, limits: RecordLimits(options.configuration), headerRoom: Provenance.headerRoom)
            }, cursors: { [stop] in try TableCursors(consumer, starts: starts, stop: stop) })
        defer { remake.close() }
        var match = PartitionMatch(
            place: work.place, published: published, letters: letters, remake: remake, isSampled: isSampled,
            keepsNumber: keepsNumber, isCompacted: isCompacted, isTrimmed: isTrimmed,
            caused: options.configuration.publishOn.coalesce == nil
                ? nil
                : CausedRecords(
                    of: work.place, sorter: RecordSorter(path: temporary + "-caused", budget: options.sorterBytes)),
            latest: work.latest)
        let records = try published.sorted()
        let end = try scan.read(work.place, work.events, idle: tracker.show) { message in
            defer { message.release() }
            tracker.count(message.byteCount)
            try match.take(message, records)
        }
        if case .heldBack(let offset) = end {
            tracker.warn("\(work.place) could be read up to offset \(offset) only")
        }
        guard !stop.isRequested else { return }
        try match.finish(records)
        try match.judgeCaused()
        if match.hasSuspects {
            for output in outputs {
                let place = TopicPartition(topic: topics.enriched, partition: output)
                _ = try scan.read(place, try scan.watermarks(of: place), idle: tracker.show) { message in
                    defer { message.release() }
                    match.takeLater(message)
                }
            }
        }
        if let latest = work.latest {
            _ = try scan.read(work.place, work.events, idle: tracker.show) { message in
                defer { message.release() }
                try match.judgeLatest(message)
            }
            if latest.isFull {
                tracker.warn(
                    "\(work.place) has more than \(LatestRecords.most) questions; whether the last records of the "
                        + "others are stale is not judged: verify a part of the questions with --sample")
            }
        }
        match.write(to: &report)
        report.tableRecords += remake.tableRecords
    }

    /// The first offset of the window's records in a partition of the output. A record has its event's timestamp, and a
    /// window that begins at a time begins with an event that is not older.
    private func start(of range: OffsetRange, in place: TopicPartition, _ scan: PartitionScan) throws -> Int64 {
        let time: Int64
        switch options.window.from {
        case .time(let begins): time = begins
        case .ago(let age): time = Int64(Date().timeIntervalSince1970 * 1000) - age - 60_000
        case .beginning, .end, .offset, .count: return range.lowerBound
        }
        let offset = try scan.offset(of: place, at: max(0, time)) ?? range.lowerBound
        return min(max(offset, range.lowerBound), range.upperBound)
    }

    private func sampler() -> (Bytes?) -> Bool {
        guard options.sample < 1 else { return { _ in true } }
        let limit = UInt64(max(0, options.sample) * Double(UInt64.max))
        return { KeyDigest.of($0, time: nil) < limit }
    }
}
