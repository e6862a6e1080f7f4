import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// A partition that was assigned to the lane and has no store open yet.
struct TakeOver {
    let number: Int32
    let since: ContinuousClock.Instant
}

/// What the lane does when the group gives it partitions and takes them away.
///
/// The consumer only takes note of a rebalance while it is polled; librdkafka waits for the answer, so it is given here,
/// between two steps, and there is never a half-processed batch.
extension Lane {
    func answerRebalance() throws {
        guard let rebalance else { return }
        self.rebalance = nil
        totals.rebalances += 1
        switch rebalance {
        case .assigned(let places):
            // What follows asks brokers and reads stores, for longer than a transaction may be open.
            do { try commit() } catch { try recover(from: error) }
            try take(places)
        case .revoked(let places):
            // The last moment at which our commit counts: the next owner starts from it.
            do { try commit() } catch { try recover(from: error) }
            try handBack(places)
        case .lost(let places):
            // Others may work on them already, and our commit would be refused.
            try abandon()
            try handBack(places)
        }
    }

    // MARK: - Given

    private func take(_ places: [TopicPartition]) throws {
        try consumer.assign(places)
        logger.info("partitions assigned", metadata: ["partitions": .numbers(places.numbers)])
        guard !places.isEmpty else { return }
        try consumer.pause(places)
        takeOvers += places.map { TakeOver(number: $0.partition, since: .now) }
        takeOversTried = nil
        // Partitions are added to topics while workers run, and adding them is what moves partitions.
        do throws(KafkaError) {
            layout = try publisher.surveyLayout()
        } catch {
            logger.warning("partition counts not refreshed", metadata: ["cause": "\(error)"])
        }
    }

    /// Opens the stores of what was assigned, as far as that can be done yet.
    func beginTakeOvers() throws {
        guard !takeOvers.isEmpty else { return }
        if let takeOversTried, .now - takeOversTried < .milliseconds(300) { return }
        try commit()
        let places = takeOvers.flatMap { takeOver in
            [place(ofQuestions: takeOver.number)] + Table.allCases.map { follower.place($0, takeOver.number) }
        }
        do {
            // Short: while an earlier owner's transaction is open its offsets are held back, and other partitions wait here.
            let committed = try consumer.committedOffsets(places, timeout: .milliseconds(250))
            for takeOver in takeOvers where try begin(takeOver, committed: committed) {
                takeOvers.removeAll { $0.number == takeOver.number }
            }
        } catch let error as KafkaError {
            logger.info("waiting to take partitions over", metadata: ["cause": "\(error)"])
        }
        takeOversTried = .now
    }

    /// - Returns: false when another lane of this process has not closed the store yet.
    private func begin(_ takeOver: TakeOver, committed: [TopicPartition: Int64]) throws -> Bool {
        let opened: OpenedStore
        do throws(StoreError) {
            opened = try stateDirectory.openStore(
                partition: takeOver.number,
                source: StoreSource(
                    clusterID: clusterID, answersTopic: configuration.topics.answers,
                    votesTopic: configuration.topics.votes, partition: takeOver.number))
        } catch {
            guard error.kind == .alreadyOpen else {
                throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)"))
            }
            logger.info("waiting to take a partition over", metadata: ["cause": "\(error)"])
            return false
        }
        if case .rebuilt(let reason) = opened.opening {
            logger.warning(
                "store rebuilt from its topics",
                metadata: ["partition": .stringConvertible(takeOver.number), "reason": "\(reason)"])
        }
        let partition = OwnedPartition(number: takeOver.number, store: opened.store)
        do {
            try follower.beginRestore(partition, committed: committed)
        } catch {
            opened.store.close()
            if let error = error as? StoreError { throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)")) }
            throw error
        }
        partition.questions.committed = committed[place(ofQuestions: takeOver.number)]
        partitions[takeOver.number] = partition
        return true
    }

    /// Lets the questions of those partitions flow whose tables are caught up.
    func finishTakeOvers() throws {
        for partition in partitions.all {
            guard case .restoring(let since, let records) = partition.phase,
                partition.answers.isCaughtUp, partition.votes.isCaughtUp
            else { continue }
            partition.phase = .running
            try consumer.resume([place(ofQuestions: partition.number)])
            logger.info(
                "partition caught up",
                metadata: [
                    "partition": .stringConvertible(partition.number), "records": .stringConvertible(records),
                    "seconds": .stringConvertible((ContinuousClock.now - since) / .seconds(1)),
                ])
        }
    }

    /// Whether a partition is not worked on yet because its tables are not caught up.
    var isRestoring: Bool { !takeOvers.isEmpty || partitions.all.contains { !$0.isRunning } }

    // MARK: - Taken away

    private func handBack(_ places: [TopicPartition]) throws {
        let numbers = places.numbers
        takeOvers.removeAll { numbers.contains($0.number) }
        let leaving = numbers.compactMap { partitions[$0] }
        try follower.letGo(of: leaving)
        for partition in leaving {
            partition.store.close()
            partitions[partition.number] = nil
        }
        try consumer.unassign(places)
        logger.info("partitions handed back", metadata: ["partitions": .numbers(numbers)])
    }

    func place(ofQuestions partition: Int32) -> TopicPartition {
        TopicPartition(topic: configuration.topics.questions, partition: partition)
    }
}

extension Logger.MetadataValue {
    fileprivate static func numbers(_ numbers: [Int32]) -> Self { .array(numbers.map { .stringConvertible($0) }) }
}

extension [TopicPartition] {
    fileprivate var numbers: [Int32] { map(\.partition).sorted() }
}
