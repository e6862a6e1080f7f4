import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// A partition that was assigned to the lane and has no store open yet.
struct TakeOver {
    let number: Int32
    let since: ContinuousClock.Instant
}

/// How patiently a lane asks brokers for what a take-over needs. Its other partitions wait meanwhile, so it begins with
/// little, which is plenty where a broker is well; a slow or far one is given more from try to try.
struct TakeOverPace {
    private static let pause = Duration.milliseconds(500)
    private static let least = Duration.milliseconds(250)
    private static let most = Duration.seconds(2)

    private(set) var patience = TakeOverPace.least
    private var failed: ContinuousClock.Instant?

    var isDue: Bool { failed.map { .now - $0 >= Self.pause } ?? true }

    mutating func succeeded() {
        patience = Self.least
        failed = nil
    }

    mutating func hasFailed(byTimeout: Bool) {
        failed = .now
        if byTimeout { patience = min(Self.most, patience * 2) }
    }
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
            figures.hasBeenAssigned = true
            figures.unassigned = nil
            // What follows asks brokers and reads stores, for longer than a transaction may be open.
            try commitOrRecover()
            try take(places)
        case .revoked(let places):
            // The last moment at which our commit counts: the next owner starts from it.
            try commitOrRecover()
            try handBack(places)
        case .lost(let places):
            report.note(.lost, places.listedNumbers)
            // Others may work on them already, and our commit would be refused.
            try abandon { try handBack(places) }
            // The group has to take the lane in again.
            figures.unassigned = .now
        }
    }

    private func commitOrRecover() throws {
        do { try commit() } catch { try recover(from: error) }
    }

    // MARK: - Given

    private func take(_ places: [TopicPartition]) throws {
        try consumer.assign(places)
        logger.info("partitions assigned", metadata: ["partitions": .numbers(places.numbers)])
        report.note(.assigned, places.listedNumbers)
        guard !places.isEmpty else { return }
        try consumer.pause(places)
        takeOvers += places.map { TakeOver(number: $0.partition, since: .now) }
        figures.isOutdated = true
        takeOverPace.succeeded()
        let before = watch.begin(.takeOver, as: .other)
        defer { watch.end(before) }
        // Partitions are added to topics while workers run, and adding them is what moves partitions.
        let counts: [String: Int32]
        do throws(KafkaError) {
            counts = try publisher.partitionCounts()
        } catch {
            logger.warning("partition counts not refreshed", metadata: ["cause": "\(error)"])
            return
        }
        do throws(WorkerError) {
            layout = try Cluster.layout(of: configuration.topics, counts: counts)
        } catch {
            throw LaneFault.fatal(error)
        }
    }

    /// Opens the store of one of the assigned partitions, if that can be done yet: one a step, so that the lane goes on
    /// polling between them.
    func beginTakeOvers() throws {
        guard let takeOver = takeOvers.first, isTakeOverDue else { return }
        try commit()
        let before = watch.begin(.takeOver, as: .other, since: takeOver.since, cause: figures.takeOverCause)
        defer { watch.end(before) }
        let places =
            [place(ofQuestions: takeOver.number)] + Table.allCases.map { follower.place($0, takeOver.number) }
        var cause = "its store is still open in another lane"
        do {
            // While an earlier owner's transaction is open its offsets are held back.
            let committed = try consumer.committedOffsets(places, timeout: takeOverPace.patience)
            if try begin(takeOver, committed: committed) {
                takeOvers.removeFirst()
                figures.takeOverCause = nil
                return takeOverPace.succeeded()
            }
            takeOverPace.hasFailed(byTimeout: false)
        } catch let error as KafkaError {
            takeOverPace.hasFailed(byTimeout: error.isTimeout)
            cause = "\(error)"
        }
        figures.takeOverCause = cause
        // Others may have better luck meanwhile.
        takeOvers.append(takeOvers.removeFirst())
        waitLog.note(
            "waiting to take partitions over", since: takeOver.since, logger: logger,
            metadata: ["partition": .stringConvertible(takeOver.number), "cause": "\(cause)"])
    }

    /// Whether a partition waits for its store to be opened, and is not to wait longer.
    var isTakeOverDue: Bool { !takeOvers.isEmpty && takeOverPace.isDue }

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
            return false
        }
        if case .rebuilt(let reason) = opened.opening {
            logger.warning(
                "store rebuilt from its topics",
                metadata: ["partition": .stringConvertible(takeOver.number), "reason": "\(reason)"])
        }
        let partition = OwnedPartition(number: takeOver.number, store: opened.store, assigned: takeOver.since)
        do {
            // Not through the consumers: a broker answers one request of a connection after the other, and theirs may be
            // a fetch that it holds until something comes.
            let span = { [publisher, patience = takeOverPace.patience] place in
                try publisher.queryWatermarks(place, timeout: patience)
            }
            partition.questions.span = try span(place(ofQuestions: takeOver.number))
            let ends = try Table.allCases.map { try span(follower.place($0, takeOver.number)) }
            try follower.beginRestore(partition, committed: committed, ends: ends)
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
                partition.answers.isCaughtUp, partition.votes.isCaughtUp, !partition.store.isLoading
            else { continue }
            do throws(StoreError) {
                try partition.store.giveMemoryBack()
            } catch {
                throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)"))
            }
            partition.phase = .running
            try consumer.resume([place(ofQuestions: partition.number)])
            logger.info(
                "partition caught up",
                metadata: [
                    "partition": .stringConvertible(partition.number), "records": .stringConvertible(records),
                    "seconds": .stringConvertible(((.now - since) / .milliseconds(1)).rounded() / 1000),
                ])
            report.note(
                .caughtUp,
                "partition \(partition.number): \(records) records in \(Int((.now - since) / .seconds(1))) s")
            figures.isOutdated = true
        }
        // Before the first events: their commit may take long, and whoever asks should know the partition as running.
        if figures.isOutdated { publishReport() }
    }

    /// Whether a partition is not worked on yet because its tables are not caught up.
    var isRestoring: Bool { !takeOvers.isEmpty || partitions.all.contains { !$0.isRunning } }

    // MARK: - Taken away

    private func handBack(_ places: [TopicPartition]) throws {
        let numbers = places.numbers
        takeOvers.removeAll { numbers.contains($0.number) }
        figures.isOutdated = true
        let leaving = numbers.compactMap { partitions[$0] }
        try follower.letGo(of: leaving)
        if !leaving.isEmpty {
            // What is not written yet is written then.
            let before = watch.begin(.store, as: .other)
            defer { watch.end(before) }
            for partition in leaving {
                partition.store.close()
                partitions[partition.number] = nil
            }
        }
        try consumer.unassign(places)
        logger.info("partitions handed back", metadata: ["partitions": .numbers(numbers)])
        report.note(.handedBack, "partitions " + numbers.sorted().map(String.init).joined(separator: ", "))
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

extension [TopicPartition] {
    /// For people; a partition each, or none.
    fileprivate var listedNumbers: String {
        isEmpty ? "none" : "partitions " + map(\.partition).sorted().map(String.init).joined(separator: ", ")
    }
}
