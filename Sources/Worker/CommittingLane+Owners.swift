import KafkaClient
import Logging

/// Finds partitions that no member of the group owns.
///
/// In a cooperative rebalance a member gives partitions back first, and joins again to have them assigned to others. A
/// static member that is killed in between and starts again within its session gets its last assignment, without a
/// rebalance, and those partitions have no owner until the group changes. So after each assignment a static member
/// compares the group's owners with its topics' partitions.
struct OwnerWatch {
    /// The pause before each look. A rebalance of many members passes in it.
    static let pause = Duration.seconds(5)

    /// When to look next; nil: all partitions have owners.
    private(set) var due: ContinuousClock.Instant?
    /// The partitions that had no owner at the last look.
    private var ownerless: [TopicPartition] = []

    /// The member has been assigned partitions, or none.
    mutating func assigned(now: ContinuousClock.Instant = .now) {
        due = now + Self.pause
        ownerless = []
    }

    /// Takes a look's result.
    /// - Parameters:
    ///   - owners: nil: the coordinator did not answer.
    ///   - all: the topics' partitions.
    /// - Returns: the partitions without an owner, when two looks in a row found the same.
    mutating func note(
        _ owners: GroupOwners?, of all: [TopicPartition], now: ContinuousClock.Instant = .now
    ) -> [TopicPartition]? {
        due = now + Self.pause
        guard let owners, owners.isStable else {
            ownerless = []
            return nil
        }
        let found = all.filter { !owners.owned.contains($0) }
        if found.isEmpty { due = nil }
        defer { ownerless = found }
        return !found.isEmpty && found == ownerless ? found : nil
    }
}

extension CommittingLane {
    /// Joins the group again when partitions of its topics have had no owner for a while.
    func lookForOwnerless() throws(LaneFault) {
        guard let due = figures.owners.due, .now >= due, rebalance == nil, !stop.isRequested else { return }
        // The brokers may answer more slowly than a transaction may be open.
        try commit()
        let (owners, all) = watch.during(.assignment, as: .other) { askForOwners() }
        guard let ownerless = figures.owners.note(owners, of: all) else { return }
        logger.warning(
            "partitions without an owner; joining the group again",
            metadata: ["partitions": .array(ownerless.map { "\($0)" })])
        try asking { () throws(KafkaError) in try consumer.rejoin() }
    }

    /// - Returns: the group's owners, nil where the coordinator does not answer, and the topics' partitions.
    private func askForOwners() -> (GroupOwners?, of: [TopicPartition]) {
        var all: [TopicPartition] = []
        do throws(KafkaError) {
            for topic in consumer.topics {
                let count = try publisher.partitionCount(of: topic)
                all += (0..<count).map { TopicPartition(topic: topic, partition: $0) }
            }
            return (try consumer.owners(timeout: .seconds(2)), all)
        } catch {
            logger.debug("owners not compared", metadata: ["cause": "\(error)"])
            return (nil, all)
        }
    }
}
