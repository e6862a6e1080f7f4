import KafkaClient
import Logging
import Records

/// Copies a window of some topics from a cluster into a recording.
package struct Capture {
    package var topics: [String]
    package var window: Window
    /// Goes on behind the window's end until it is stopped.
    package var isFollowing: Bool
    /// Only records with one of these keys; empty: all.
    package var keys: [[UInt8]]
    /// For what is noticed on the way; librdkafka's own lines go to `clientLogger`.
    package var logger: Logger
    package var clientLogger: Logger
    /// What may wait in memory for its turn, in bytes.
    var memoryLimit = 96 << 20
    private let properties: KafkaProperties

    /// How long the brokers may take for one answer.
    private static let timeout = Duration.seconds(15)

    /// - Parameters:
    ///   - properties: the user's, with the brokers.
    ///   - groupID: of the live group; not joined, only the beginning of a name that librdkafka wants to have.
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
    ///   - isStopped: asked between records.
    ///   - progress: told now and then.
    /// - Throws: `KafkaError`, ``CaptureError`` or ``RecordingError``. The writer is not finished: that is the caller's.
    package func run(
        into writer: RecordingWriter, redaction: Redaction? = nil, isStopped: () -> Bool = { false },
        progress: (CaptureProgress) -> Void = { _ in }
    ) throws -> CaptureSummary {
        let admin = try AdminClient(properties: properties, logger: clientLogger)
        let counts = try partitionCounts(admin)
        admin.close()
        let consumer = try AssignedConsumer(properties: properties, logger: clientLogger)
        defer { consumer.close() }
        let resolved = try window.resolve(partitions: counts, with: consumer, timeout: Self.timeout)
        var summary = CaptureSummary(topics: topics, deleted: resolved.deleted)
        try withExtendedLifetime(
            WindowReader(
                window: resolved, consumer: consumer, isFollowing: isFollowing, memoryLimit: memoryLimit, logger: logger
            )
        ) { reader in
            try copy(reader, resolved, consumer.topics, writer, redaction, isStopped, progress, &summary)
        }
        return summary
    }

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
                "nobody leads partition \(headless.leaderlessPartitions[0]) of \(headless.name); try again when all brokers run."
            )
        }
        return found.mapValues(\.partitionCount)
    }

    private func copy(
        _ reader: WindowReader, _ window: ResolvedWindow, _ names: [String], _ writer: RecordingWriter,
        _ redaction: Redaction?, _ isStopped: () -> Bool, _ progress: (CaptureProgress) -> Void,
        _ summary: inout CaptureSummary
    ) throws {
        let topics = names.map { Array($0.utf8) }
        let limit = window.limit ?? .max
        let total = isFollowing ? nil : window.offsetCount
        var seen = 0
        func report() {
            progress(
                CaptureProgress(
                    records: summary.recordCount, bytes: summary.byteCount, offsetsPassed: reader.offsetsPassed,
                    offsetsInAll: total, limit: window.limit))
        }
        while summary.recordCount < limit {
            if isStopped(), !summary.wasStopped {
                summary.wasStopped = true
                // The end of what is followed; of a bounded window it would be a wrong one.
                guard isFollowing else { return }
                reader.drain()
            }
            let step = try reader.next { message in
                guard isWanted(message.key) else { return }
                let value = message.value.map { redaction?.redact($0) ?? $0 }
                try topics[message.topicIndex].withUnsafeBytes { topic in
                    try writer.write(
                        topic: topic, partition: message.partition, offset: message.offset,
                        timestampType: message.timestamp == nil
                            ? .unknown : message.isLogAppendTime ? .logappend : .create,
                        timestamp: message.timestamp, headers: message.forEachHeader, key: message.key, value: value)
                }
                summary.add(message, topic: names[message.topicIndex])
            }
            switch step {
            case .end: return
            case .nothing:
                // Whoever looks into the file sees what there is.
                if isFollowing { try writer.flush() }
                report()
            case .record:
                seen += 1
                if seen % 1_000 == 0 { report() }
            }
        }
    }

    private func isWanted(_ key: Bytes?) -> Bool {
        guard !keys.isEmpty else { return true }
        guard let key else { return false }
        return keys.contains { $0.count == key.count && $0.elementsEqual(key) }
    }
}

/// How far a capture is.
package struct CaptureProgress: Sendable {
    package let records: Int
    /// Of keys and values.
    package let bytes: Int
    /// Offsets of the window that were passed.
    package let offsetsPassed: Int64
    /// Offsets of the window; nil when it has no end.
    package let offsetsInAll: Int64?
    /// The most records; nil: as many as there are.
    package let limit: Int64?

    package init(records: Int, bytes: Int, offsetsPassed: Int64, offsetsInAll: Int64?, limit: Int64?) {
        self.records = records
        self.bytes = bytes
        self.offsetsPassed = offsetsPassed
        self.offsetsInAll = offsetsInAll
        self.limit = limit
    }

    /// From 0 to 1; nil when there is no end.
    package var fraction: Double? {
        guard let offsetsInAll, offsetsInAll > 0 else { return nil }
        let byOffset = Double(offsetsPassed) / Double(offsetsInAll)
        let byCount = limit.map { Double(records) / Double($0) } ?? 0
        return min(1, max(byOffset, byCount))
    }
}

/// What a capture has written.
package struct CaptureSummary: Sendable {
    /// Records by topic, in the order in which the topics were given.
    package private(set) var records: [(topic: String, count: Int)]
    /// Of keys and values.
    package private(set) var byteCount = 0
    /// The oldest and the youngest timestamp, in milliseconds since 1970; nil: no record has one.
    package private(set) var times: ClosedRange<Int64>?
    /// It was told to stop before it had come to an end.
    package internal(set) var wasStopped = false
    /// Partitions of which the broker has deleted the beginning of the window, and the first offset that it still has.
    package let deleted: [TopicPartition: Int64]

    init(topics: [String], deleted: [TopicPartition: Int64]) {
        records = topics.map { ($0, 0) }
        self.deleted = deleted
    }

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
    ///   - user: the user's, with the brokers; they are stronger, but for those that keep the live group untouched.
    ///   - groupID: of the live group. librdkafka's consumer needs a group name; this makes one that nobody uses and that
    ///     begins with the live one's, since permissions are often given for names by their beginning.
    package static func properties(_ user: KafkaProperties, groupID: String) -> KafkaProperties {
        var properties = KafkaProperties([
            "client.id": "rejoinder-record", "isolation.level": "read_committed",
            "queued.max.messages.kbytes": "32768",
            // librdkafka 2.0.2 rests half a second by default when its queue was full.
            "fetch.error.backoff.ms": "10",
        ]).overlaid(by: user)
        properties["group.id"] = "\(groupID)-record-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
        properties["group.instance.id"] = nil
        properties["enable.auto.commit"] = "false"
        properties["allow.auto.create.topics"] = "false"
        properties["auto.offset.reset"] = "earliest"
        return properties
    }
}
