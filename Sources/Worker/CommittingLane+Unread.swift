import KafkaClient
import Logging

/// A partition of which neither a record nor the end has come since it was resumed.
struct UnreadPartition {
    let place: TopicPartition
    /// When it was resumed.
    let since: ContinuousClock.Instant
    /// The offset that the group goes on at.
    let next: Int64
}

/// Finds partitions that librdkafka does not fetch.
///
/// librdkafka forgets to start a partition when another call of the consumer overtakes the start in its thread
/// (`GroupConsumer.assign`). An assignment begins with its pause, so no call is known that still does. But a partition
/// that is never read is lost to its readers until the group changes, and shows only as a stall. So a lane looks.
struct ReadWatch {
    /// The pause before each look.
    private static let pause = Duration.seconds(5)
    private static let mostPatience = Duration.seconds(600)

    /// Time for a first fetch. It doubles with each time that the lane joins again, as a first fetch may be large and
    /// its network slow.
    private(set) var patience = Duration.seconds(30)
    private var due: ContinuousClock.Instant

    init(now: ContinuousClock.Instant = .now) { due = now + Self.pause }

    /// Whether to look now. The next look is due after a pause.
    mutating func isDue(now: ContinuousClock.Instant = .now) -> Bool {
        guard now >= due else { return false }
        due = now + Self.pause
        return true
    }

    /// The partitions that have waited for too long.
    func overdue(
        _ unread: [UnreadPartition], now: ContinuousClock.Instant = .now
    ) -> [UnreadPartition] { unread.filter { now - $0.since >= patience } }

    mutating func joinsAgain() { patience = min(Self.mostPatience, patience * 2) }
}

extension CommittingLane {
    /// Joins the group again when a partition has records, as its leader says, and none of them comes.
    func lookForUnread() throws(LaneFault) {
        // Records that wait in the consumer's queue have come.
        guard pace.ranDry, figures.reads.isDue(), rebalance == nil, !stop.isRequested else { return }
        let overdue = figures.reads.overdue(unread)
        guard !overdue.isEmpty else { return }
        // The brokers may answer more slowly than a transaction may be open.
        try commit()
        guard let stuck = watch.during(.assignment, as: .other, { overdue.first(where: hasRecords) }) else { return }
        figures.reads.joinsAgain()
        logger.warning(
            "a partition has records and none comes; joining the group again",
            metadata: ["partition": "\(stuck.place)", "offset": .stringConvertible(stuck.next)])
        try asking { () throws(KafkaError) in try consumer.rejoin() }
    }

    /// Whether the partition's leader answers and has records for the group.
    private func hasRecords(_ unread: UnreadPartition) -> Bool {
        guard let span = try? publisher.queryWatermarks(unread.place, timeout: .milliseconds(250)) else { return false }
        return span.high > max(span.low, unread.next)
    }
}
