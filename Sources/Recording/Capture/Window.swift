import Foundation
import KafkaClient
import Logging

/// A part of some topics, between two bounds.
package struct Window: Sendable, Equatable {
    /// The place of the first record.
    package var from: WindowBound
    /// The place behind the last record.
    package var to: WindowBound

    /// - Throws: when it ends where it begins, or before.
    package init(from: WindowBound = .beginning, to: WindowBound = .end) throws(CaptureError) {
        self.from = from
        self.to = to
        let isEmpty =
            switch (from, to) {
            case (.offset(let first), .offset(let last)): last <= first
            case (.time(let first), .time(let last)): last <= first
            case (.ago(let first), .ago(let last)): last >= first
            case (.end, .offset), (.end, .time), (.end, .ago): true
            default: false
            }
        if isEmpty {
            throw CaptureError(.usage, "the window ends before it begins; let --to name a place after --from.")
        }
    }

    /// Resolves the bounds, as of now, to offsets of each partition.
    ///
    /// A time stands for a partition's first record that is not older. All records from there on belong to the window
    /// regardless of their timestamps, so a partition's records keep their order and the window has no gaps.
    ///
    /// - Parameters:
    ///   - consumer: asks the brokers; with `read_committed` (the default), `end` is before the first open transaction.
    ///   - partitions: the number of partitions of each topic.
    ///   - now: milliseconds since 1970.
    ///   - timeout: for each request.
    func resolve(
        partitions: [String: Int32], with consumer: AssignedConsumer,
        now: Int64 = Int64(Date().timeIntervalSince1970 * 1_000), timeout: Duration = .seconds(15)
    ) throws(KafkaError) -> ResolvedWindow {
        let all = partitions.flatMap { topic, count in
            (0..<count).map { TopicPartition(topic: topic, partition: $0) }
        }.sorted()
        let froms = try offsets(at: from.time(now: now), of: all, consumer, timeout)
        let tos = try offsets(at: to.time(now: now), of: all, consumer, timeout)
        var window = ResolvedWindow()
        for partition in all {
            let (low, high) = try consumer.queryWatermarks(partition, timeout: timeout)
            let end =
                switch to {
                case .offset(let offset): offset
                case .time, .ago: tos[partition] ?? high
                case .beginning, .end, .count: high
                }
            let start =
                switch from {
                case .offset(let offset): offset
                case .time, .ago: froms[partition] ?? high
                case .end: high
                case .beginning, .count: low
                }
            if case .offset(let offset) = from, offset < low { window.deleted[partition] = low }
            let first = min(max(start, low), high)
            window.ranges[partition] = first..<max(first, min(end, high))
            window.logEnds[partition] = high
        }
        if case .count(let count) = to { window.limit = count }
        return window
    }

    /// The ends of the logs, open transactions included. Call this before `resolve`, so that a transaction that is
    /// committed in between does not count as open.
    /// - Parameter properties: of the consumer that resolves the window.
    static func uncommittedEnds(
        partitions: [String: Int32], properties: KafkaProperties, logger: Logger, timeout: Duration = .seconds(15)
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        let consumer = try AssignedConsumer(
            properties: properties.overlaid(by: KafkaProperties(["isolation.level": "read_uncommitted"])),
            logger: logger)
        defer { consumer.close() }
        var ends: [TopicPartition: Int64] = [:]
        for (topic, count) in partitions {
            for number in 0..<count {
                let place = TopicPartition(topic: topic, partition: number)
                ends[place] = try consumer.queryWatermarks(place, timeout: timeout).high
            }
        }
        return ends
    }

    private func offsets(
        at time: Int64?, of partitions: [TopicPartition], _ consumer: AssignedConsumer, _ timeout: Duration
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        guard let time else { return [:] }
        let times = Dictionary(uniqueKeysWithValues: partitions.map { ($0, time) })
        return try consumer.offsets(at: times, timeout: timeout)
    }
}

extension WindowBound {
    /// Milliseconds since 1970; nil for a bound that is no time.
    fileprivate func time(now: Int64) -> Int64? {
        switch self {
        case .time(let time): time
        case .ago(let age): max(0, now - age)
        case .beginning, .end, .offset, .count: nil
        }
    }
}

/// A window as offsets.
struct ResolvedWindow: Sendable, Equatable {
    /// The offsets of each partition, those of empty ones included.
    var ranges: [TopicPartition: Range<Int64>] = [:]
    /// The maximum number of records in all; nil: no limit.
    var limit: Int64?
    /// Partitions whose window begins with records that the broker has deleted, and the first offset that it still has.
    var deleted: [TopicPartition: Int64] = [:]
    /// The end of each partition's log: with `read_committed`, before the first open transaction.
    var logEnds: [TopicPartition: Int64] = [:]

    init() {}

    /// Partitions whose window is ended by an open transaction, and the offsets from there to the log's end, which are
    /// not read.
    /// - Parameter logEnds: the result of `Window.uncommittedEnds` from before the window was resolved.
    func heldBack(before logEnds: [TopicPartition: Int64]) -> [TopicPartition: Range<Int64>] {
        var result: [TopicPartition: Range<Int64>] = [:]
        for (place, range) in ranges {
            guard let committed = self.logEnds[place], range.upperBound == committed, let end = logEnds[place],
                end > committed
            else { continue }
            result[place] = committed..<end
        }
        return result
    }

    /// The number of offsets in it, which is at least its number of records.
    var offsetCount: Int64 { ranges.values.reduce(0) { $0 + Int64($1.count) } }
}
