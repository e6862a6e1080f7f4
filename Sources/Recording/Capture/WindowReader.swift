import Bytes
import KafkaClient
import Logging

/// Reads a window of some topics in an order that is the same on every run: by timestamp, then topic, partition and
/// offset, while a partition's records keep their own order. Joins no group and commits nothing.
///
/// No record is handed out before each partition's next one has arrived, so the order of arrival does not matter.
/// Memory is bounded: partitions that are far ahead are paused. A followed topic has no end to wait for. There a record
/// is held for `settleTime` while a caught-up partition might still bring an older one; beyond that, records come in
/// the order of arrival. A partition that brings no record for `stallTime` no longer holds back the others, and the
/// reader waits for brokers without limit.
///
/// Offsets that the brokers no longer have are noted as `holes`, never skipped silently: `auto.offset.reset` is
/// `error`.
///
/// Not Sendable: one thread reads.
final class WindowReader {
    enum Step: Sendable, Equatable {
        /// A record was handed out.
        case record
        /// No record came for a moment.
        case nothing
        /// The window has no more records.
        case end
    }

    /// How long the brokers may be silent.
    static let patience = Duration.seconds(60)
    /// How long a record waits for older ones of caught-up partitions, in milliseconds.
    static let settleTime: Int64 = 1_000
    /// How long a followed partition without records holds back the others, in milliseconds.
    static let stallTime: Int64 = 10_000

    private let consumer: AssignedConsumer
    private let logger: Logger
    private var sources: [MergeSource]
    private let ranks: [String]
    /// By the consumer's topic index, then by partition.
    private var lookup: [[MergeSource?]] = []
    private var heap = MergeHeap<MergeSource>()
    /// The number of sources that must bring a record, or their end, before the next record is known.
    private var waitedFor = 0
    private let isFollowing: Bool
    private let patience: Duration
    private var isDraining = false
    /// Bytes that one partition may have waiting.
    private let highMark: Int
    private let origin = ContinuousClock.now
    private var lastSign = ContinuousClock.now
    private var lastTrouble: KafkaError?
    private var lastWarning: ContinuousClock.Instant?
    /// Partitions whose position is no longer in the log. Their reading resumes inside the log.
    private var lost: [MergeSource] = []
    private var stallChecked: (at: Int64, isStalled: Bool) = (-1_000, false)

    /// Offsets that the brokers no longer had.
    private(set) var holes: [WindowHole] = []

    /// Offsets of the window that were passed, for progress against the window's `offsetCount`.
    private(set) var offsetsPassed: Int64 = 0

    /// - Parameters:
    ///   - consumer: has no assignment yet; its owner closes it after this reader is gone.
    ///   - isFollowing: goes on after the window's end, for ever.
    ///   - memoryLimit: bytes that may wait in all; a partition's share is at least 256 KiB.
    ///   - patience: how long the brokers may be silent.
    init(
        window: ResolvedWindow, consumer: AssignedConsumer, isFollowing: Bool = false, memoryLimit: Int = 96 << 20,
        patience: Duration = WindowReader.patience, logger: Logger
    ) throws(KafkaError) {
        self.patience = patience
        self.consumer = consumer
        self.isFollowing = isFollowing
        self.logger = logger
        ranks = Set(window.ranges.keys.map(\.topic)).sorted { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }
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
        makeLookup()
    }

    private func makeLookup() {
        lookup = consumer.topics.map { topic in
            let own = sources.filter { $0.partition.topic == topic }
            var row = [MergeSource?](repeating: nil, count: Int(own.map(\.partition.partition).max() ?? -1) + 1)
            for source in own { row[Int(source.partition.partition)] = source }
            return row
        }
    }

    /// Adds a followed topic's new partitions, each from its first record on.
    func add(_ partitions: [TopicPartition]) throws(KafkaError) {
        let new = partitions.filter { partition in !sources.contains { $0.partition == partition } }.map {
            MergeSource(
                partition: $0, topicRank: ranks.firstIndex(of: $0.topic) ?? 0, range: 0..<0, isFollowed: true,
                waitingSince: now)
        }
        guard isFollowing, !new.isEmpty else { return }
        try consumer.assign(Dictionary(uniqueKeysWithValues: new.map { ($0.partition, $0.expected) }))
        sources += new
        waitedFor += new.count
        makeLookup()
    }

    /// Hands the next record to `body`, valid during the call.
    /// - Throws: the errors of `body`; `KafkaError` or ``CaptureError`` when the window cannot be read on.
    func next(_ body: (borrowing ConsumedMessage) throws -> Void) throws -> Step {
        while true {
            if let source = heap.first, waitedFor == 0 || isDraining || isStalled, isSettled(source) {
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

    /// From now on hands out only the records that have already arrived, then ends. For a followed topic.
    func drain() { isDraining = true }

    /// In a followed topic: whether an older record is unlikely to come any more.
    private func isSettled(_ source: MergeSource) -> Bool {
        guard isFollowing, !isDraining else { return true }
        return now - source.headArrived >= Self.settleTime || !sources.contains { $0.isEmpty }
    }

    /// In a followed topic: whether every awaited partition has been silent for so long that the others go on without
    /// them.
    private var isStalled: Bool {
        guard isFollowing else { return false }
        let now = now
        // Computed at most ten times a second, since it walks through every partition.
        if now - stallChecked.at >= 100 {
            let isStalled = sources.allSatisfy { !$0.isWaitedFor || now - $0.waitingSince >= Self.stallTime }
            stallChecked = (now, isStalled)
        }
        return stallChecked.isStalled
    }

    private var now: Int64 { Int64((ContinuousClock.now - origin) / .milliseconds(1)) }

    /// Moves a source, whose first record was taken out, to its new place.
    private func advance(_ source: MergeSource) throws {
        offsetsPassed += 1
        if source.isEmpty {
            heap.removeFirst()
            switch source.state {
            case .reading, .paused:
                waitedFor += 1
                source.waitingSince = isFollowing ? now : 0
                stallChecked.isStalled = false
            case .caughtUp, .ended: break
            }
        } else {
            heap.replaceFirst(with: source)
        }
        if case .paused = source.state, source.byteCount <= highMark / 4 {
            source.state = .reading
            try consumer.resume([source.partition])
        }
    }

    /// Takes the next event from the consumer.
    /// - Returns: false when none came.
    private func take(timeoutMilliseconds: Int32) throws -> Bool {
        if !lost.isEmpty { try findLost() }
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
            if waitedFor > 0, ContinuousClock.now - lastSign > patience { try beSilent() }
            return false
        }
        return true
    }

    private func accept(_ message: ConsumedMessage) throws {
        let row = lookup.indices.contains(message.topicIndex) ? lookup[message.topicIndex] : []
        let number = Int(message.partition)
        guard row.indices.contains(number), let source = row[number], message.offset >= source.expected else {
            // A partition that is not ours, or a record that was handed out before.
            return message.release()
        }
        if case .ended = source.state { return message.release() }
        guard message.offset < source.end else {
            message.release()
            return try end(source)
        }
        // Counts offsets without a record too: control records and compacted records.
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
                let first = min(max(offset, source.expected), source.end - 1)
                holes.append(
                    WindowHole(partition: source.partition, offsets: first..<source.end, cause: .truncated))
            }
            return try end(source)
        }
        guard case .reading = source.state else { return }
        source.state = .caughtUp
        if source.isEmpty { waitedFor -= 1 }
    }

    /// Ends a source, which has brought all its records.
    private func end(_ source: MergeSource) throws {
        let isWaitedFor = source.isEmpty
        source.state = .ended
        offsetsPassed += source.end - source.expected
        source.expected = source.end
        if isWaitedFor { waitedFor -= 1 }
        try consumer.pause([source.partition])
    }

    // MARK: - Errors

    /// Waits for errors that pass; throws the others.
    private func judge(_ error: KafkaError) throws {
        // librdkafka looks for the coordinator of a group that this reader does not join.
        if error.name == "GROUP_AUTHORIZATION_FAILED" { return }
        if error.isOffsetOutOfRange, let source = sources.first(where: { $0.partition == error.partition }) {
            if !lost.contains(where: { $0 === source }) { lost.append(source) }
            return
        }
        guard !error.isFatal, error.isRetriable || error.isUnreachable else { throw error }
        warn("Waiting for the brokers: \(error.reason)", error)
        if !isFollowing, waitedFor > 0, ContinuousClock.now - lastSign > patience { throw error }
    }

    /// Logs at most once in half of `patience`.
    private func warn(_ text: String, _ error: KafkaError?) {
        let now = ContinuousClock.now
        guard lastWarning.map({ now - $0 > patience / 2 }) ?? true else { return }
        logger.warning("\(text)")
        lastWarning = now
        if let error { lastTrouble = error }
    }

    /// Resumes lost partitions at their logs' present beginnings, or ends.
    private func findLost() throws {
        for source in lost {
            let low: Int64
            let high: Int64
            do throws(KafkaError) {
                (low, high) = try consumer.queryWatermarks(source.partition, timeout: .seconds(10))
            } catch {
                try judge(error)
                return
            }
            lost.removeAll { $0 === source }
            if case .ended = source.state { continue }
            try find(source, low, high)
        }
    }

    private func find(_ source: MergeSource, _ low: Int64, _ high: Int64) throws {
        if low > source.expected {
            let offsets = source.expected..<min(low, source.end)
            holes.append(WindowHole(partition: source.partition, offsets: offsets, cause: .deleted))
            offsetsPassed += Int64(offsets.count)
            source.expected = offsets.upperBound
        } else if high < source.expected {
            let offsets = isFollowing ? high..<source.expected : source.expected..<source.end
            holes.append(WindowHole(partition: source.partition, offsets: offsets, cause: .truncated))
            source.expected = isFollowing ? high : source.end
        }
        if let hole = holes.last, hole.partition == source.partition { logger.warning("\(hole.description)") }
        guard source.expected < source.end else { return try end(source) }
        try consumer.unassign([source.partition])
        try consumer.assign([source.partition: source.expected])
        // An assignment resets the pause.
        if case .paused = source.state { source.state = .reading }
    }

    /// Handles a silence of the brokers that is longer than `patience`.
    private func beSilent() throws {
        let waiting = sources.filter(\.isWaitedFor)
        let listed = waiting.prefix(5).map(\.partition.description).joined(separator: ", ")
        let text =
            "nothing came from \(listed)\(waiting.count > 5 ? " and \(waiting.count - 5) more" : "") for "
            + "\(patience.components.seconds) seconds\(lastTrouble.map { " (\($0.reason))" } ?? "")"
        guard isFollowing else {
            throw CaptureError(.brokerUnreachable, "\(text); see whether the brokers run, then try again.")
        }
        warn("\(text); waiting on", nil)
    }
}
