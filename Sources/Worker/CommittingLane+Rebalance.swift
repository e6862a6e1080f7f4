import KafkaClient
import Logging

/// Answers the group's rebalances.
///
/// The consumer's callback only notes a rebalance, and librdkafka waits for the answer. It is given here, between two
/// steps, so that no batch is half processed.
extension CommittingLane {
    func answerRebalance() throws {
        guard let rebalance else { return }
        self.rebalance = nil
        totals.rebalances += 1
        switch rebalance {
        case .assigned(let places):
            figures.hasBeenAssigned = true
            figures.unassigned = nil
            // The take-over asks brokers and reads stores, for longer than a transaction may be open.
            try commitOrRecover()
            try begin(places)
        case .revoked(let places):
            // The last moment at which this lane's commit counts: the next owner starts from it.
            try commitOrRecover()
            try handBack(places)
        case .lost(let places):
            report.note(.lost, told(places))
            // Other members may own them already, and the broker would refuse this lane's commit.
            try abandon { try handBack(places) }
            // The lane waits for the group's next assignment.
            figures.unassigned = .now
        }
    }

    /// Joins the group as a new member, after the group has taken the old one for another process's: of several joins
    /// of a static member only the last counts, and the answer to it may be lost when brokers fail.
    /// - Throws: `fatal` when that recurs, as it does when two workers use one identity.
    func joinAgain(after error: KafkaError) throws {
        figures.evictions.note()
        guard figures.evictions.count <= 5 else {
            var advice = ""
            if case .losesPlace(let text) = ErrorVerdict.of(error) { advice = "; \(text)" }
            throw LaneFault.fatal(
                WorkerError(
                    .failed,
                    "The place in group '\(consumer.groupID)' was lost \(figures.evictions.count) times within a "
                        + "minute, last with: \(error)\(advice)"))
        }
        logger.warning("place in the group lost; joining again", metadata: ["cause": "\(error)"])
        rebalance = nil
        figures.isOutdated = true
        figures.unassigned = .now
        try letGo(of: owned)
        do throws(KafkaError) {
            try consumer.renew(timeout: .seconds(2))
        } catch {
            throw LaneFault.fatal(WorkerError(.failed, "\(error)"))
        }
    }

    private func begin(_ places: [TopicPartition]) throws {
        try consumer.assign(places, paused: true)
        logger.info("partitions assigned", metadata: ["partitions": .array(listed(places))])
        report.note(.assigned, told(places))
        if consumer.isStatic { figures.owners.assigned() }
        guard !places.isEmpty else { return }
        try take(places)
    }

    private func handBack(_ places: [TopicPartition]) throws {
        figures.isOutdated = true
        try letGo(of: places)
        try consumer.unassign(places)
        logger.info("partitions handed back", metadata: ["partitions": .array(listed(places))])
        report.note(.handedBack, told(places))
    }

    private func told(_ places: [TopicPartition]) -> String {
        places.isEmpty ? "none" : "partitions " + listed(places).map { "\($0)" }.joined(separator: ", ")
    }
}
