import KafkaClient
import Logging
import Worker

/// Offsets of one partition: from the first up to, not including, the second.
typealias OffsetRange = Range<Int64>

/// Reads ranges of partitions one after the other, joining no group and committing nothing. Not Sendable: one thread.
final class PartitionScan {
    /// How long nothing at all may come before the cluster is held to be gone.
    private static let patience = Duration.seconds(60)

    /// How a range was left.
    enum End: Equatable {
        case whole
        /// The partition ends here for now: a transaction that is still open holds back what follows.
        case heldBack(at: Int64)
        case stopped
    }

    private let properties: KafkaProperties
    private let consumer: AssignedConsumer
    private let stop: StopSignal
    private let logger: Logger
    /// What the brokers no longer had when it was read.
    private(set) var holes: [WindowHole] = []

    init(properties: KafkaProperties, stop: StopSignal, logger: Logger) throws(KafkaError) {
        // Records that are gone are told of, not passed over.
        let properties = properties.overlaid(by: KafkaProperties(["auto.offset.reset": "error"]))
        self.properties = properties
        consumer = try AssignedConsumer(properties: properties, logger: logger)
        self.stop = stop
        self.logger = logger
    }

    /// First offset and end as of now.
    func watermarks(of place: TopicPartition) throws(KafkaError) -> OffsetRange {
        let (low, high) = try consumer.queryWatermarks(place, timeout: .seconds(10))
        return low..<max(low, high)
    }

    /// The first offset at or after a time; nil: no record is that young.
    func offset(of place: TopicPartition, at time: Int64) throws(KafkaError) -> Int64? {
        try consumer.offsets(at: [place: time], timeout: .seconds(10))[place]
    }

    /// A window of a topic as offsets of its partitions, those without any left out.
    ///
    /// A window of a number of records has the first of them in the order that a recording of it would have: by timestamp,
    /// where a partition's records stay in their own order. To know which these are they are read once.
    func ranges(
        of window: Window, in topic: String, partitions: Int32, _ tell: (ReplayEvent) -> Void
    ) throws -> [TopicPartition: OffsetRange] {
        let logEnds = try Window.uncommittedEnds(
            partitions: [topic: partitions], properties: properties, logger: logger)
        let resolved = try window.resolve(partitions: [topic: partitions], with: consumer)
        for (place, offsets) in resolved.heldBack(before: logEnds).sorted(by: { $0.key < $1.key }) {
            tell(
                .warning(
                    "an open transaction ends \(place) at offset \(offsets.lowerBound): the \(offsets.count) offsets from "
                        + "there on are not in the window"))
        }
        for (place, first) in resolved.deleted.sorted(by: { $0.key < $1.key }) {
            tell(.warning("\(place) begins at offset \(first): what stood before it in the window was deleted"))
        }
        var ranges = resolved.ranges.filter { !$0.value.isEmpty }
        guard let limit = resolved.limit, limit < resolved.offsetCount else { return ranges }
        let other = try AssignedConsumer(properties: properties, logger: logger)
        defer { other.close() }
        var ends: [Int32: Int64] = [:]
        var count: Int64 = 0
        let reader = try WindowReader(window: resolved, consumer: other, logger: logger)
        reading: while count < limit, !stop.isRequested {
            switch try reader.next({ ends[$0.partition] = $0.offset + 1 }) {
            case .record: count += 1
            case .nothing: break
            case .end: break reading
            }
        }
        for (place, range) in ranges {
            ranges[place] = ends[place.partition].map { range.lowerBound..<max(range.lowerBound, $0) }
        }
        return ranges
    }

    /// Hands out the records of a range in their order.
    /// - Parameters:
    ///   - idle: called now and then, also while nothing comes.
    ///   - body: takes the message over: it releases it.
    func read(
        _ place: TopicPartition, _ range: OffsetRange, idle: () -> Void = {},
        _ body: (ConsumedMessage) throws -> Void
    ) throws -> End {
        guard !range.isEmpty else { return .whole }
        try consumer.assign([place: range.lowerBound])
        defer { try? consumer.unassign([place]) }
        var heard = ContinuousClock.now
        var expected = range.lowerBound
        while !stop.isRequested {
            switch consumer.poll(timeoutMilliseconds: 100) {
            case .message(let message):
                // What is left of a range that was read before it.
                guard message.partition == place.partition, message.topicIndex >= 0,
                    consumer.topics[message.topicIndex] == place.topic, message.offset >= range.lowerBound
                else {
                    message.release()
                    continue
                }
                let offset = message.offset
                expected = offset + 1
                guard offset < range.upperBound else {
                    message.release()
                    return .whole
                }
                try body(message)
                if offset + 1 == range.upperBound { return .whole }
                heard = .now
            case .endOfPartition(let ended, let offset):
                guard ended == place else { continue }
                return offset < range.upperBound ? .heldBack(at: offset) : .whole
            case .failure(let error) where error.isOffsetOutOfRange:
                guard error.partition == place else { continue }
                guard let next = try findLost(place, expected..<range.upperBound) else { return .whole }
                expected = next
                heard = .now
            case .failure(let error):
                try tolerate(error)
            case .nothing, .rebalance:
                idle()
                guard ContinuousClock.now - heard < Self.patience else {
                    throw WorkerError(
                        .brokerUnreachable,
                        "Reading \(place) stopped: nothing came for \(Self.patience.components.seconds) s; see that the "
                            + "brokers run ('rejoinder check' tells more), then start again")
                }
            }
        }
        return .stopped
    }

    /// Reads on behind what was deleted.
    /// - Returns: the first offset that is still there; nil: none of the range is.
    private func findLost(_ place: TopicPartition, _ range: OffsetRange) throws(KafkaError) -> Int64? {
        let there = try watermarks(of: place)
        let next = max(range.lowerBound, min(there.lowerBound, range.upperBound))
        if next > range.lowerBound {
            holes.append(WindowHole(partition: place, offsets: range.lowerBound..<next, cause: .deleted))
        } else if there.upperBound < range.lowerBound {
            holes.append(WindowHole(partition: place, offsets: range, cause: .truncated))
            return nil
        }
        guard next < range.upperBound else { return nil }
        try consumer.unassign([place])
        try consumer.assign([place: next])
        return next
    }

    /// Most errors pass by themselves while librdkafka tries again; some never do.
    private func tolerate(_ error: KafkaError) throws(KafkaError) {
        // librdkafka looks for the coordinator of a group that nothing joins.
        if error.name == "GROUP_AUTHORIZATION_FAILED" { return }
        if error.isFatal || error.isAuthorization || !(error.isRetriable || error.isUnreachable) { throw error }
        logger.warning("reading a window", metadata: ["cause": "\(error)"])
    }

    func close() { consumer.close() }
}
