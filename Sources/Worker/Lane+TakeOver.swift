import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// A partition that was assigned to the lane and has no store open yet.
struct TakeOver {
    let number: Int32
    let since: ContinuousClock.Instant
    /// A mismatch of its offsets that is not believed yet.
    var doubt: (reset: OffsetReset, since: ContinuousClock.Instant)?

    init(number: Int32, since: ContinuousClock.Instant) {
        self.number = number
        self.since = since
    }

    /// A coordinator that resigns may say for a moment that a group has no offset, and a leader that has just been elected that its
    /// log ends early.
    static let confirmation = Duration.seconds(2)

    /// Whether the mismatch has been found again some time after it was first found.
    mutating func confirms(_ reset: OffsetReset, now: ContinuousClock.Instant = .now) -> Bool {
        if let doubt, doubt.reset.reason == reset.reason, doubt.reset.place == reset.place {
            return now - doubt.since >= Self.confirmation
        }
        doubt = (reset, now)
        return false
    }
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

/// How a lane takes over the partitions that the group gives it, and lets go of them.
extension Lane {
    // MARK: - Given

    func take(_ places: [TopicPartition]) throws {
        try consumer.pause(places)
        takeOvers += places.map { TakeOver(number: $0.partition, since: .now) }
        figures.isOutdated = true
        takeOverPace.succeeded()
        let before = watch.begin(.takeOver, as: .other)
        defer { watch.end(before) }
        // Partitions are added to topics while workers run, and adding them is what moves partitions.
        try refreshLayout()
    }

    /// Takes over the topics' partition counts as they are now.
    /// - Throws: `fatal` when the input topics' counts differ from each other.
    func refreshLayout() throws(LaneFault) {
        let counts: [String: Int32]
        do throws(KafkaError) {
            counts = try publisher.partitionCounts()
        } catch {
            return logger.warning("partition counts not refreshed", metadata: ["cause": "\(error)"])
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
        guard var takeOver = takeOvers.first, isTakeOverDue else { return }
        try commit()
        let before = watch.begin(.takeOver, as: .other, since: takeOver.since, cause: figures.takeOverCause)
        defer { watch.end(before) }
        let places =
            [place(ofQuestions: takeOver.number)] + Table.allCases.map { follower.place($0, takeOver.number) }
        let cause: String
        do {
            // While an earlier owner's transaction is open its offsets are held back.
            var notes: [TopicPartition: String] = [:]
            let committed = try consumer.committedOffsets(places, notes: &notes, timeout: takeOverPace.patience)
            let outcome = try begin(&takeOver, committed: committed, notes: notes)
            takeOvers[0] = takeOver
            switch outcome {
            case .done:
                takeOvers.removeFirst()
                figures.takeOverCause = nil
                return takeOverPace.succeeded()
            case .waits(let reason):
                cause = reason
                // Where all wait for their second look there is nothing to hurry for.
                if takeOvers.allSatisfy({ $0.doubt != nil }) || takeOver.doubt == nil {
                    takeOverPace.hasFailed(byTimeout: false)
                }
            }
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

    private enum TakeOverOutcome {
        case done
        /// To be tried again later.
        case waits(cause: String)
    }

    private func begin(
        _ takeOver: inout TakeOver, committed: [TopicPartition: Int64], notes: [TopicPartition: String]
    ) throws -> TakeOverOutcome {
        let number = takeOver.number
        let questions = place(ofQuestions: number)
        // Not through the consumers: a broker answers one request of a connection after the other, and theirs may be a fetch that
        // it holds until something comes.
        let span = { [publisher, patience = takeOverPace.patience] place in
            try publisher.queryWatermarks(place, timeout: patience)
        }
        let questionSpan = try span(questions)
        let ends = try Table.allCases.map { try span(follower.place($0, number)) }
        var survey = OffsetSurvey(
            committed: committed, noted: notedOffsets(of: number),
            check: OffsetCheck(autoOffsetReset: properties.groupConsumer["auto.offset.reset"]))
        survey.lookAtGroup(questions, questionSpan, tables: Table.allCases.map { follower.place($0, number) }, ends)
        if let doubtful = survey.doubtful, !takeOver.confirms(doubtful) {
            return .waits(cause: "\(doubtful.place): \(doubtful.finding); it is looked at again")
        }
        try stopIfMismatched(survey.resets)
        if let reset = survey.questions { try consumer.seek([questions: reset.to], timeout: .seconds(2)) }

        let opened: OpenedStore
        do throws(StoreError) {
            opened = try stateDirectory.openStore(
                partition: number,
                source: StoreSource(
                    clusterID: clusterID, answersTopic: configuration.topics.answers,
                    votesTopic: configuration.topics.votes, partition: number))
        } catch {
            guard error.kind == .alreadyOpen else {
                throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)"))
            }
            return .waits(cause: "its store is still open in another lane")
        }
        if case .rebuilt(let reason) = opened.opening {
            logger.warning(
                "store rebuilt from its topics",
                metadata: ["partition": .stringConvertible(number), "reason": "\(reason)"])
        }
        let partition = OwnedPartition(
            number: number, store: opened.store, assigned: takeOver.since,
            live: window.map { _ in LivePartition(limits: limits) })
        do {
            survey.lookAtStore(
                Table.allCases.map { (follower.place($0, number), partition.applied($0), ends[$0.rawValue]) })
            try stopIfMismatched(survey.resets)
            partition.questions.span = questionSpan
            try follower.beginRestore(partition, committed: survey.committed, notes: notes, ends: ends)
        } catch {
            opened.store.close()
            if let error = error as? StoreError { throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)")) }
            throw error
        }
        partition.questions.committed = committed[questions]
        goOn(partition, after: survey)
        partitions[number] = partition
        return .done
    }

    /// Asks the leader of a table whose end was said to be below the restore's target: a replica that is behind catches up by
    /// itself, a log that was cut does not. One question a step at most, as the lane waits for its answer.
    func askForShortEnds() throws(LaneFault) {
        for partition in partitions.all where !partition.isRunning {
            if let live = partition.live, let since = live.historyEndsShort, .now - since >= Self.shortEndPatience {
                return try askForShortHistory(partition, live)
            }
            for table in Table.allCases {
                guard let since = partition[table].endsShort, .now - since >= Self.shortEndPatience else { continue }
                let place = follower.place(table, partition.number)
                let target = partition[table].target
                let end: Int64
                do throws(KafkaError) {
                    end = try publisher.queryWatermarks(place, timeout: takeOverPace.patience).high
                } catch {
                    partition[table].endsShort = .now
                    return waitLog.note(error, logger: logger)
                }
                guard partition[table].leaderEnds(at: end) else { return }
                guard partition.applied(table) <= end else {
                    throw .wentBack(place, from: partition.applied(table), to: end)
                }
                return logger.warning(
                    "the table lost records while it was restored: its log was cut",
                    metadata: [
                        "partition": "\(place)", "target": .stringConvertible(target), "end": .stringConvertible(end),
                    ])
            }
        }
    }

    private func askForShortHistory(_ partition: OwnedPartition, _ live: LivePartition) throws(LaneFault) {
        let place = place(ofQuestions: partition.number)
        let end: Int64
        do throws(KafkaError) {
            end = try publisher.queryWatermarks(place, timeout: takeOverPace.patience).high
        } catch {
            live.historyEndsShort = .now
            return waitLog.note(error, logger: logger)
        }
        guard try follower.historyLeaderEnds(partition, at: end, of: partitions) else { return }
        logger.warning(
            "the questions lost records while they were read into the store: their log was cut",
            metadata: ["partition": "\(place)", "end": .stringConvertible(end)])
    }

    /// How long a replica is given to have what its leader has before the leader is asked.
    private static let shortEndPatience = Duration.seconds(2)

    /// Lets the questions of those partitions flow whose tables are caught up.
    func finishTakeOvers() throws {
        for partition in partitions.all {
            guard case .restoring(let since, let records) = partition.phase,
                partition.isCaughtUp, !partition.store.isLoading
            else { continue }
            do throws(StoreError) {
                try partition.store.giveMemoryBack()
            } catch {
                throw LaneFault.fatal(WorkerError(.stateDirectory, "\(error)"))
            }
            if let live = partition.live { try noteLettered(partition, live) }
            partition.phase = .running
            // From here on what changed is known: a change that is taken back has not been seen.
            partition.store.areChangesCertain = false
            window?.isResumed = true
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

    func letGo(of places: [TopicPartition]) throws {
        let numbers = places.numbers
        takeOvers.removeAll { numbers.contains($0.number) }
        let leaving = numbers.compactMap { partitions[$0] }
        try follower.letGo(of: leaving)
        noteCommitted(leaving, isLast: true)
        if !leaving.isEmpty {
            // What is not written yet is written then.
            let before = watch.begin(.store, as: .other)
            defer { watch.end(before) }
            for partition in leaving {
                partition.store.close()
                partitions[partition.number] = nil
            }
        }
    }

    func listed(_ places: [TopicPartition]) -> [Logger.MetadataValue] {
        places.numbers.map { .stringConvertible($0) }
    }

    func place(ofQuestions partition: Int32) -> TopicPartition {
        TopicPartition(topic: configuration.topics.questions, partition: partition)
    }
}

extension [TopicPartition] {
    fileprivate var numbers: [Int32] { map(\.partition).sorted() }
}
