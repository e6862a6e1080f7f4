import Bytes
import KafkaClient
import Logging

/// Copies a window of some topics from a cluster into a recording.
package struct Capture {
    /// Names as in the cluster; the recording has them renamed by ``renaming``.
    package var topics: [String]
    /// Bounds of every topic, except that ``WindowBound/count(_:)`` counts the records of all of them.
    package var window: Window
    /// Goes on after the window's end until it is stopped.
    package var isFollowing: Bool
    /// Only records with one of these keys; empty: all.
    package var keys: [[UInt8]]
    /// This share of the record keys, that is, of the questions; the same in every topic and run. Leaves out records
    /// without a key. nil: all records.
    package var sample: KeySample?
    /// Ends once this many bytes of keys and values have been written.
    package var maxBytes: Int?
    /// Ends after this time; for followed topics.
    package var duration: Duration?
    /// Renames the topics in the recording.
    package var renaming = TopicRenaming()
    /// For events on the way; librdkafka's own lines go to `clientLogger`.
    package var logger: Logger
    /// Takes the lines of librdkafka's clients.
    package var clientLogger: Logger
    /// Bytes of records that may wait in memory for their turn.
    var memoryLimit = 96 << 20
    /// How long the brokers may be silent before a window without following is given up.
    var patience = WindowReader.patience
    private let properties: KafkaProperties

    /// The brokers' time for one answer.
    private static let timeout = Duration.seconds(15)
    /// How often a followed recording is settled, so that it survives this process.
    private static let settleInterval = Duration.seconds(1)
    /// How often a followed topic is checked for new partitions.
    var discoveryInterval = Duration.seconds(5)

    /// - Parameters:
    ///   - properties: the user's, with the brokers.
    ///   - groupID: the live group's. It is not joined; its name begins the group name that librdkafka requires.
    package init(
        topics: [String], window: Window, isFollowing: Bool = false, keys: [[UInt8]] = [],
        properties: KafkaProperties, groupID: String, logger: Logger, clientLogger: Logger? = nil
    ) {
        self.topics = topics
        self.window = window
        self.isFollowing = isFollowing
        self.keys = keys
        self.logger = logger
        self.clientLogger = clientLogger ?? logger
        self.properties = WindowReader.properties(properties, groupID: groupID)
    }

    /// - Parameters:
    ///   - isStopped: called between records.
    ///   - progress: called from time to time.
    /// - Throws: `KafkaError` or ``CaptureError`` when the window cannot be resolved. Later failures become the
    ///   summary's `end`, as the records before them are written. The caller finishes the writer.
    package func run(
        into writer: RecordingWriter, redaction: Redaction? = nil, isStopped: () -> Bool = { false },
        progress: (CaptureProgress) -> Void = { _ in }
    ) throws -> CaptureSummary {
        let admin = try AdminClient(properties: properties, logger: clientLogger)
        defer { admin.close() }
        let counts = try partitionCounts(admin)
        let consumer = try AssignedConsumer(properties: properties, logger: clientLogger)
        defer { consumer.close() }
        let ends =
            !readsUncommitted && !isFollowing
            ? try Window.uncommittedEnds(partitions: counts, properties: properties, logger: clientLogger) : [:]
        let resolved = try window.resolve(partitions: counts, with: consumer, timeout: Self.timeout)
        var summary = CaptureSummary(topics: topics, deleted: resolved.deleted)
        summary.heldBack = resolved.heldBack(before: ends)
        let reader = try WindowReader(
            window: resolved, consumer: consumer, isFollowing: isFollowing, memoryLimit: memoryLimit,
            patience: patience, logger: logger)
        // The reader's waiting messages must be released before the consumer is closed.
        withExtendedLifetime(reader) {
            let discovery = isFollowing ? PartitionDiscovery(admin, counts, interval: discoveryInterval) : nil
            let run = CaptureRun(
                capture: self, reader: reader, window: resolved, topics: consumer.topics, writer: writer,
                redaction: redaction, discovery: discovery)
            do {
                try run.copy(isStopped, progress, &summary)
            } catch {
                summary.end = .failed(error)
            }
            summary.holes = reader.holes
            summary.offsets = run.offsets
        }
        return summary
    }

    /// Records of open and aborted transactions too.
    var readsUncommitted: Bool { properties.effectiveValue("isolation.level") == "read_uncommitted" }

    private func partitionCounts(_ admin: AdminClient) throws -> [String: Int32] {
        let found = try admin.describe(topics: topics, timeout: Self.timeout)
        let missing = topics.filter { found[$0] == nil }
        guard missing.isEmpty else {
            throw CaptureError(
                .configuration,
                "there is no topic \(missing.joined(separator: ", ")) on these brokers; name the topics with --topics.")
        }
        if let headless = topics.compactMap({ found[$0] }).first(where: { !$0.leaderlessPartitions.isEmpty }) {
            throw CaptureError(
                .brokerUnreachable,
                "there is no leader of partition \(headless.leaderlessPartitions[0]) of \(headless.name); try again "
                    + "when all brokers run."
            )
        }
        return found.mapValues(\.partitionCount)
    }

    fileprivate func isWanted(_ key: Bytes?) -> Bool {
        guard keys.isEmpty else {
            guard let key else { return false }
            return keys.contains { $0.count == key.count && $0.elementsEqual(key) }
        }
        return sample?.contains(key) ?? true
    }

    fileprivate func isTimeForSettling(since last: ContinuousClock.Instant) -> Bool {
        ContinuousClock.now - last >= Self.settleInterval
    }
}

/// One run of a capture. Not Sendable: one thread.
private final class CaptureRun {
    private let capture: Capture
    private let reader: WindowReader
    private let writer: RecordingWriter
    private let redaction: Redaction?
    private let window: ResolvedWindow
    private let names: [String]
    private let recordedNames: [[UInt8]]
    private var discovery: PartitionDiscovery?
    private var settled = ContinuousClock.now
    private let began = ContinuousClock.now
    /// By topic, then by partition: the offset after the last record that was handed out; -1: none was.
    private var passed: [[Int64]]
    private var isAtWindowEnd = false

    init(
        capture: Capture, reader: WindowReader, window: ResolvedWindow, topics: [String], writer: RecordingWriter,
        redaction: Redaction?, discovery: PartitionDiscovery?
    ) {
        self.capture = capture
        self.reader = reader
        self.window = window
        self.writer = writer
        self.redaction = redaction
        self.discovery = discovery
        names = topics
        passed = Array(repeating: [], count: topics.count)
        recordedNames = topics.map { Array(capture.renaming.apply(to: $0).utf8) }
    }

    func copy(
        _ isStopped: () -> Bool, _ progress: (CaptureProgress) -> Void, _ summary: inout CaptureSummary
    ) throws {
        let limit = window.limit ?? .max
        var seen = 0
        while summary.recordCount < limit {
            if summary.end == nil, isStopped() || isOver(summary) {
                summary.end = isOver(summary) ? .complete : .stopped
                // A followed recording ends after the records that have arrived. A bounded one stops at once: drained
                // records could come before their turn.
                guard capture.isFollowing else { return }
                reader.drain()
            }
            switch try reader.next({ try write($0, &summary) }) {
            case .end:
                isAtWindowEnd = !capture.isFollowing
                if summary.end == nil { summary.end = .complete }
                return
            case .nothing:
                try lookAround()
                progress(self.progress(summary))
            case .record:
                seen += 1
                if seen & 0xFF == 0 { try lookAround() }
                if seen % 1_000 == 0 { progress(self.progress(summary)) }
            }
        }
        summary.end = .complete
    }

    private func isOver(_ summary: CaptureSummary) -> Bool {
        if let most = capture.maxBytes, summary.byteCount >= most { return true }
        return capture.duration.map { ContinuousClock.now - began >= $0 } ?? false
    }

    /// The offsets of each partition that the recording covers: up to the last record where it ended early.
    var offsets: [TopicPartition: Range<Int64>] {
        guard !isAtWindowEnd else { return window.ranges }
        var offsets = window.ranges.mapValues { $0.lowerBound..<$0.lowerBound }
        for (topic, row) in zip(names, passed) {
            for (number, offset) in row.enumerated() where offset >= 0 {
                let place = TopicPartition(topic: topic, partition: Int32(number))
                offsets[place] = min(offsets[place]?.lowerBound ?? 0, offset)..<offset
            }
        }
        return offsets
    }

    private func pass(_ message: borrowing ConsumedMessage) {
        let number = Int(message.partition)
        if passed[message.topicIndex].count <= number {
            passed[message.topicIndex] += Array(
                repeating: -1, count: number + 1 - passed[message.topicIndex].count)
        }
        passed[message.topicIndex][number] = message.offset + 1
    }

    private func write(_ message: borrowing ConsumedMessage, _ summary: inout CaptureSummary) throws {
        pass(message)
        guard capture.isWanted(message.key) else { return }
        let message = copy message
        let value = message.value.map { redaction?.redact($0) ?? $0 }
        try recordedNames[message.topicIndex].withUnsafeBytes { topic in
            try writer.write(
                topic: topic, partition: message.partition, offset: message.offset,
                timestampType: message.timestamp == nil
                    ? .unknown : message.isLogAppendTime ? .logappend : .create,
                timestamp: message.timestamp, headers: message.forEachHeader, key: message.key, value: value)
        }
        if redaction != nil, message.hasHeaders { summary.withHeaders += 1 }
        summary.add(message, topic: names[message.topicIndex])
    }

    /// For a followed topic, from time to time: settles the file, so that it is readable up to here if the process
    /// dies, and takes up the topics' new partitions.
    private func lookAround() throws {
        guard capture.isFollowing else { return }
        if capture.isTimeForSettling(since: settled) {
            try writer.settle()
            settled = .now
        }
        if let new = discovery?.newPartitions(), !new.isEmpty { try reader.add(new) }
    }

    private func progress(_ summary: CaptureSummary) -> CaptureProgress {
        CaptureProgress(
            records: summary.recordCount, bytes: summary.byteCount, offsetsPassed: reader.offsetsPassed,
            offsetsInAll: capture.isFollowing ? nil : window.offsetCount, limit: window.limit)
    }
}

/// Checks from time to time whether topics have new partitions.
struct PartitionDiscovery {
    private let admin: AdminClient
    private var counts: [String: Int32]
    private let interval: Duration
    private var asked = ContinuousClock.now

    init(_ admin: AdminClient, _ counts: [String: Int32], interval: Duration) {
        self.admin = admin
        self.counts = counts
        self.interval = interval
    }

    /// The partitions added since the last check. None while no broker answers; a later check finds them.
    mutating func newPartitions() -> [TopicPartition] {
        guard ContinuousClock.now - asked >= interval else { return [] }
        defer { asked = .now }
        guard let found = try? admin.describe(topics: Array(counts.keys), timeout: .seconds(2)) else { return [] }
        var new: [TopicPartition] = []
        for (topic, description) in found {
            let known = counts[topic] ?? 0
            guard description.partitionCount > known else { continue }
            for number in known..<description.partitionCount {
                new.append(TopicPartition(topic: topic, partition: number))
            }
            counts[topic] = description.partitionCount
        }
        return new.sorted()
    }
}

/// The progress of a capture.
package struct CaptureProgress: Sendable {
    /// Records written so far.
    package let records: Int
    /// Bytes of keys and values.
    package let bytes: Int
    /// Offsets of the window that were passed.
    package let offsetsPassed: Int64
    /// Offsets of the window; nil when it has no end.
    package let offsetsInAll: Int64?
    /// The maximum number of records; nil: no limit.
    package let limit: Int64?

    /// Progress of a capture that has a window's end where `offsetsInAll` is not nil.
    package init(records: Int, bytes: Int, offsetsPassed: Int64, offsetsInAll: Int64?, limit: Int64?) {
        self.records = records
        self.bytes = bytes
        self.offsetsPassed = offsetsPassed
        self.offsetsInAll = offsetsInAll
        self.limit = limit
    }

    /// From 0 to 1; nil without an end.
    package var fraction: Double? {
        guard let offsetsInAll, offsetsInAll > 0 else { return nil }
        let byOffset = Double(offsetsPassed) / Double(offsetsInAll)
        let byCount = limit.map { Double(records) / Double($0) } ?? 0
        return min(1, max(byOffset, byCount))
    }
}

/// How a capture ended.
package enum CaptureEnd: Sendable {
    /// At the window's end, or at the requested size or time.
    case complete
    /// It was told to stop.
    case stopped
    /// Brokers or file failed; the records written before are whole.
    case failed(any Error)
}

/// The result of a capture.
package struct CaptureSummary: Sendable {
    /// Records by topic, in the order in which the topics were given.
    package private(set) var records: [(topic: String, count: Int)]
    /// Bytes of keys and values.
    package private(set) var byteCount = 0
    /// The oldest and the youngest timestamp, in milliseconds since 1970; nil when no record has one.
    package private(set) var times: ClosedRange<Int64>?
    /// How it ended; nil only while it runs.
    package internal(set) var end: CaptureEnd?
    /// Offsets that the brokers no longer had when their turn came: the recording lacks them.
    package internal(set) var holes: [WindowHole] = []
    /// Partitions whose window was ended by an open transaction, and the offsets that it holds back.
    package internal(set) var heldBack: [TopicPartition: Range<Int64>] = [:]
    /// The offsets of each partition that it covers.
    package internal(set) var offsets: [TopicPartition: Range<Int64>] = [:]
    /// Redacted records with headers. Their headers were not redacted.
    package internal(set) var withHeaders = 0
    /// Partitions whose window begins with records that the broker has deleted, and the first offset that it still has.
    package let deleted: [TopicPartition: Int64]

    init(topics: [String], deleted: [TopicPartition: Int64]) {
        records = topics.map { ($0, 0) }
        self.deleted = deleted
    }

    /// It was told to stop before its end.
    package var wasStopped: Bool {
        if case .stopped = end { true } else { false }
    }

    /// Records of all topics.
    package var recordCount: Int { records.reduce(0) { $0 + $1.count } }

    fileprivate mutating func add(_ message: borrowing ConsumedMessage, topic: String) {
        if let index = records.firstIndex(where: { $0.topic == topic }) { records[index].count += 1 }
        byteCount += message.byteCount
        guard let time = message.timestamp else { return }
        times = min(times?.lowerBound ?? time, time)...max(times?.upperBound ?? time, time)
    }
}

extension WindowReader {
    /// The properties of a consumer that reads a window.
    ///
    /// - Parameters:
    ///   - user: the user's, with the brokers. They override the defaults, but not the settings that protect the live
    ///     group.
    ///   - groupID: the live group's. librdkafka's consumer requires a group name. This makes an unused one that begins
    ///     with
    ///     the live group's, since permissions are often granted by prefix.
    static func properties(_ user: KafkaProperties, groupID: String) -> KafkaProperties {
        var properties = KafkaProperties([
            "client.id": "rejoinder-record", "isolation.level": "read_committed",
            "queued.max.messages.kbytes": "32768",
            // librdkafka 2.0.2 pauses half a second by default after its queue was full.
            "fetch.error.backoff.ms": "10",
            // The delay until librdkafka sees a topic's new partition.
            "topic.metadata.refresh.interval.ms": "10000",
        ]).overlaid(by: user)
        properties["group.id"] = "\(groupID)-record-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        properties["group.instance.id"] = nil
        properties["enable.auto.commit"] = "false"
        properties["allow.auto.create.topics"] = "false"
        // Deleted records must be reported, not skipped.
        properties["auto.offset.reset"] = "error"
        return properties
    }
}
