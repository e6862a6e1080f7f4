import KafkaClient
import Logging
import Worker

/// Offsets of one partition: from the first up to, not including, the second.
typealias OffsetRange = Range<Int64>

/// Reads ranges of partitions one after the other. Joins no group and commits nothing. Not Sendable: one thread.
final class PartitionScan {
    /// How long the cluster may be silent before it counts as unreachable.
    private static let patience = Duration.seconds(60)

    /// How the reading of a range ended.
    enum End: Equatable {
        case whole
        /// The partition ends here for now: an open transaction holds back the rest.
        case heldBack(at: Int64)
        case stopped
    }

    private let properties: KafkaProperties
    private let consumer: AssignedConsumer
    private let stop: StopSignal
    private let logger: Logger
    /// Offsets that the brokers no longer had when their turn came.
    private(set) var holes: [WindowHole] = []

    init(properties: KafkaProperties, stop: StopSignal, logger: Logger) throws(KafkaError) {
        // Deleted records must be reported, not skipped.
        let properties = properties.overlaid(by: KafkaProperties(["auto.offset.reset": "error"]))
        self.properties = properties
        consumer = try AssignedConsumer(properties: properties, logger: logger)
        self.stop = stop
        self.logger = logger
    }

    /// The current first offset and end.
    func watermarks(of place: TopicPartition) throws(KafkaError) -> OffsetRange {
        let (low, high) = try consumer.queryWatermarks(place, timeout: .seconds(10))
        return low..<max(low, high)
    }

    /// The first offset at or after a time; nil when every record is older.
    func offset(of place: TopicPartition, at time: Int64) throws(KafkaError) -> Int64? {
        try consumer.offsets(at: [place: time], timeout: .seconds(10))[place]
    }

    /// A topic's window as offsets of its partitions, without the empty ones.
    ///
    /// A window with a number of records consists of the first ones in a recording's order: by timestamp, while a
    /// partition's records keep their own order. To find these records they are read once.
    func ranges(
        of window: Window, in topic: String, partitions: Int32, _ tell: (ReplayEvent) -> Void
    ) throws -> [TopicPartition: OffsetRange] {
        let logEnds = try Window.uncommittedEnds(
            partitions: [topic: partitions], properties: properties, logger: logger)
        let resolved = try window.resolve(partitions: [topic: partitions], with: consumer)
        for (place, offsets) in resolved.heldBack(before: logEnds).sorted(by: { $0.key < $1.key }) {
            tell(
                .warning(
                    "an open transaction ends \(place) at offset \(offsets.lowerBound): the \(offsets.count) offsets "
                        + "from there on are not in the window"))
        }
        for (place, first) in resolved.deleted.sorted(by: { $0.key < $1.key }) {
            tell(.warning("\(place) begins at offset \(first): earlier records of the window were deleted"))
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
    ///   - idle: called from time to time, also without new records.
    ///   - body: takes ownership of the message and releases it.
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
                // A late message of the range that was read before this one.
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
                        "Reading \(place) stopped: nothing came for \(Self.patience.components.seconds) s; see that "
                            + "the brokers run ('rejoinder check' tells more), then start again")
                }
            }
        }
        return .stopped
    }

    /// Resumes reading after deleted records.
    /// - Returns: the first offset that is left; nil when no offset of the range is.
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

    /// Waits for errors that pass while librdkafka retries; throws the others.
    private func tolerate(_ error: KafkaError) throws(KafkaError) {
        // librdkafka looks for the coordinator of a group that this consumer does not join.
        if error.name == "GROUP_AUTHORIZATION_FAILED" { return }
        if error.isFatal || error.isAuthorization || !(error.isRetriable || error.isUnreachable) { throw error }
        LogBound.shared.warn(logger, "reading a window", cause: "\(error)")
    }

    func close() { consumer.close() }
}
