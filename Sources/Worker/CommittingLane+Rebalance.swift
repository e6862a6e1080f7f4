import KafkaClient
import Logging

/// What a lane does when the group gives it partitions and takes them away.
///
/// The consumer only takes note of a rebalance while it is polled; librdkafka waits for the answer, so it is given here,
/// between two steps, and there is never a half-processed batch.
extension CommittingLane {
    func answerRebalance() throws {
        guard let rebalance else { return }
        self.rebalance = nil
        totals.rebalances += 1
        switch rebalance {
        case .assigned(let places):
            figures.hasBeenAssigned = true
            figures.unassigned = nil
            // What follows asks brokers and reads stores, for longer than a transaction may be open.
            try commitOrRecover()
            try begin(places)
        case .revoked(let places):
            // The last moment at which our commit counts: the next owner starts from it.
            try commitOrRecover()
            try handBack(places)
        case .lost(let places):
            report.note(.lost, told(places))
            // Others may work on them already, and our commit would be refused.
            try abandon { try handBack(places) }
            // The group has to take the lane in again.
            figures.unassigned = .now
        }
    }

    private func begin(_ places: [TopicPartition]) throws {
        try consumer.assign(places)
        logger.info("partitions assigned", metadata: ["partitions": .array(listed(places))])
        report.note(.assigned, told(places))
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
