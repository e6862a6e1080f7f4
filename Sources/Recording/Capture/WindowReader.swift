import KafkaClient
import Logging

/// Reads a window of some topics in one order that is the same on every run: by timestamp, then topic, partition and
/// offset, where a partition's records stay in their own order. Joins no group and commits nothing.
///
/// Each partition's next record is waited for before one is handed out, so it does not matter in which order they come.
/// What waits is bounded: partitions that are far ahead are paused. A topic that is followed has no end to wait for: there,
/// a record of a partition that has caught up is held for `settleTime`, and order beyond that is the order of arrival.
///
/// Not Sendable: one thread reads.
package final class WindowReader {
    package enum Step: Sendable, Equatable {
        /// A record was handed out.
        case record
        /// None came for a moment.
        case nothing
        /// There are no more.
        case end
    }

    /// How long the brokers may be silent.
    static let patience = Duration.seconds(60)
    /// How long a record waits for older ones of partitions that have caught up, in milliseconds.
    static let settleTime: Int64 = 1_000

    private let consumer: AssignedConsumer
    private let logger: Logger
    private let sources: [MergeSource]
    /// By the consumer's index of a topic, then by partition.
    private var lookup: [[MergeSource?]] = []
    private var heap = MergeHeap()
    /// Sources that must bring a record, or their end, before the next one's turn is known.
    private var waitedFor = 0
    private let isFollowing: Bool
    private var isDraining = false
    /// What one partition may have waiting.
    private let highMark: Int
    private let origin = ContinuousClock.now
    private var lastSign = ContinuousClock.now
    private var lastTrouble: (error: KafkaError, at: ContinuousClock.Instant)?

    /// Offsets of the window that were passed; against the window's `offsetCount`.
    package private(set) var offsetsPassed: Int64 = 0

    /// - Parameters:
    ///   - consumer: with nothing assigned; closed by its owner after this reader is gone.
    ///   - isFollowing: goes on behind the window's end, for ever.
    ///   - memoryLimit: bytes that may wait in all; a partition's share is not less than 256 KiB.
    package init(
        window: ResolvedWindow, consumer: AssignedConsumer, isFollowing: Bool = false, memoryLimit: Int = 96 << 20,
        logger: Logger
    ) throws(KafkaError) {
        self.consumer = consumer
        self.isFollowing = isFollowing
        self.logger = logger
        let ranks = Set(window.ranges.keys.map(\.topic)).sorted { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }
        var sources: [MergeSource] = []
        for (partition, range) in window.ranges.sorted(by: { $0.key < $1.key }) where isFollowing || !range.isEmpty {
            sources.append(
                MergeSource(
                    partition: partition, topicRank: ranks.firstIndex(of: partition.topic) ?? 0, range: range,
                    isFollowed: isFollowing))
        }
        self.sources = sources
        waitedFor = sources.count
        highMark = max(256 << 10, memoryLimit / max(1, sources.count))
        try consumer.assign(Dictionary(uniqueKeysWithValues: sources.map { ($0.partition, $0.expected) }))
        for topic in consumer.topics {
            let own = sources.filter { $0.partition.topic == topic }
            var row = [MergeSource?](repeating: nil, count: Int(own.map(\.partition.partition).max() ?? -1) + 1)
            for source in own { row[Int(source.partition.partition)] = source }
            lookup.append(row)
        }
    }

    /// Hands the next record to `body`, valid during the call.
    /// - Throws: what `body` throws; `KafkaError` or ``CaptureError`` when the window cannot be read on.
    package func next(_ body: (borrowing ConsumedMessage) throws -> Void) throws -> Step {
        while true {
            if waitedFor == 0, let source = heap.first, isSettled(source) {
                let message = source.removeFirst()
                defer { message.release() }
                try advance(source)
                try body(message)
                return .record
            }
            if waitedFor == 0, !isFollowing { return .end }
            if isDraining { return .end }
            guard try take(timeoutMilliseconds: 100) else { return .nothing }
        }
    }

    /// From now on hands out what has come already and whose turn is known, then ends. For a topic that is followed.
    package func drain() { isDraining = true }

    /// In a followed topic: whether nothing older is likely to come any more.
    private func isSettled(_ source: MergeSource) -> Bool {
        guard isFollowing, !isDraining else { return true }
        return now - source.headArrived >= Self.settleTime || !sources.contains { $0.isEmpty }
    }

    private var now: Int64 { Int64((ContinuousClock.now - origin) / .milliseconds(1)) }

    /// Puts a source, whose first record was taken out, where it belongs now.
    private func advance(_ source: MergeSource) throws {
        offsetsPassed += 1
        if source.isEmpty {
            heap.removeFirst()
            switch source.state {
            case .reading, .paused: waitedFor += 1
            case .caughtUp, .ended: break
            }
        } else {
            heap.firstHasChanged()
        }
        if case .paused = source.state, source.byteCount <= highMark / 4 {
            source.state = .reading
            try consumer.resume([source.partition])
        }
    }

    /// Takes what comes next from the consumer. False: nothing came.
    private func take(timeoutMilliseconds: Int32) throws -> Bool {
        switch consumer.poll(timeoutMilliseconds: timeoutMilliseconds) {
        case .message(let message):
            lastSign = .now
            try accept(message)
        case .endOfPartition(let partition, let offset):
            lastSign = .now
            if let source = sources.first(where: { $0.partition == partition }) { try reachedEnd(source, offset) }
        case .failure(let error):
            try judge(error)
        case .rebalance:
            break
        case .nothing:
            if waitedFor > 0, ContinuousClock.now - lastSign > Self.patience { throw silence }
            return false
        }
        return true
    }

    private func accept(_ message: ConsumedMessage) throws {
        let row = lookup.indices.contains(message.topicIndex) ? lookup[message.topicIndex] : []
        let number = Int(message.partition)
        guard row.indices.contains(number), let source = row[number], message.offset >= source.expected else {
            // Not ours, or handed out before: when the broker lost records, librdkafka begins anew.
            return message.release()
        }
        if case .ended = source.state { return message.release() }
        guard message.offset < source.end else {
            message.release()
            return try end(source)
        }
        // Offsets that hold no record were passed too: control records, and what compaction took.
        offsetsPassed += message.offset - source.expected
        source.expected = message.offset + 1
        let wasEmpty = source.isEmpty
        if case .caughtUp = source.state {
            source.state = .reading
        } else if wasEmpty {
            waitedFor -= 1
        }
        source.append(message, arrived: isFollowing ? now : 0)
        if wasEmpty { heap.insert(source) }
        if source.expected >= source.end {
            try end(source)
        } else if case .reading = source.state, source.byteCount > highMark {
            source.state = .paused
            try consumer.pause([source.partition])
        }
    }

    private func reachedEnd(_ source: MergeSource, _ offset: Int64) throws {
        if case .ended = source.state { return }
        guard isFollowing else {
            if offset < source.end {
                logger.warning(
                    "\(source.partition) ends at offset \(offset) now, before \(source.end), where it ended at the start"
                )
            }
            return try end(source)
        }
        guard case .reading = source.state else { return }
        source.state = .caughtUp
        if source.isEmpty { waitedFor -= 1 }
    }

    /// A source that has brought all it will.
    private func end(_ source: MergeSource) throws {
        let isWaitedFor = source.isEmpty
        source.state = .ended
        offsetsPassed += source.end - source.expected
        source.expected = source.end
        if isWaitedFor { waitedFor -= 1 }
        try consumer.pause([source.partition])
    }

    /// What passes is waited for; the rest ends the reading.
    private func judge(_ error: KafkaError) throws {
        // librdkafka looks for the coordinator of a group that we do not join.
        if error.name == "GROUP_AUTHORIZATION_FAILED" { return }
        guard !error.isFatal, error.isRetriable || error.isUnreachable else { throw error }
        let now = ContinuousClock.now
        if lastTrouble.map({ now - $0.at > Self.patience / 2 }) ?? true {
            logger.warning("Waiting for the brokers: \(error.reason)")
            lastTrouble = (error, now)
        }
        // Whoever follows waits as long as it takes.
        if waitedFor > 0, now - lastSign > Self.patience { throw error }
    }

    private var silence: CaptureError {
        let waiting = sources.filter { source in
            if case .reading = source.state { source.isEmpty } else { false }
        }
        let listed = waiting.prefix(5).map(\.partition.description).joined(separator: ", ")
        return CaptureError(
            .brokerUnreachable,
            "nothing came from \(listed)\(waiting.count > 5 ? " and \(waiting.count - 5) more" : "") for "
                + "\(Self.patience.components.seconds) seconds\(lastTrouble.map { " (\($0.error.reason))" } ?? ""); see whether the "
                + "brokers run, then try again.")
    }
}
