import KafkaClient
import Logging

/// What the lane does when the group gives it partitions of the sources and takes them away: between two steps, so that there
/// is never a half-processed batch.
extension SourceLane {
    func answerRebalance() throws {
        guard let rebalance else { return }
        self.rebalance = nil
        totals.rebalances += 1
        switch rebalance {
        case .assigned(let places):
            figures.hasBeenAssigned = true
            figures.unassigned = nil
            try commitOrRecover()
            try take(places)
        case .revoked(let places):
            // The last moment at which our commit counts: the next owner starts from it.
            try commitOrRecover()
            try handBack(places)
        case .lost(let places):
            report.note(.lost, places.listed)
            // Others may work on them already, and our commit would be refused.
            try abandon { try handBack(places) }
            // The group has to take the lane in again.
            figures.unassigned = .now
        }
    }

    private func take(_ places: [TopicPartition]) throws {
        try consumer.assign(places)
        logger.info("source partitions assigned", metadata: ["partitions": .array(places.sorted().map { "\($0)" })])
        report.note(.assigned, places.listed)
        guard !places.isEmpty else { return }
        for place in places { partitions[place] = Progress() }
        try fallBehind()
    }

    private func handBack(_ places: [TopicPartition]) throws {
        for place in places { partitions[place] = nil }
        try consumer.unassign(places)
        logger.info(
            "source partitions handed back", metadata: ["partitions": .array(places.sorted().map { "\($0)" })])
        report.note(.handedBack, places.listed)
        try fallBehind()
    }
}

extension [TopicPartition] {
    /// For people.
    fileprivate var listed: String { isEmpty ? "none" : sorted().map { "\($0)" }.joined(separator: ", ") }
}
