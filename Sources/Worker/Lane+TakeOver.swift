import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// An assigned partition that has no store open yet.
struct TakeOver {
    let number: Int32
    let since: ContinuousClock.Instant
    /// The size to which the store's map has grown, in bytes; nil: the store was not open.
    let mapSize: Int?
    /// ``LivePartition/toMark`` of the store that lost its changes.
    let toMark: [[UInt8]]
    /// A mismatch of its offsets that is not confirmed yet.
    var doubt: (reset: OffsetReset, since: ContinuousClock.Instant)?

    init(number: Int32, since: ContinuousClock.Instant) {
        self.number = number
        self.since = since
        mapSize = nil
        toMark = []
    }

    /// Takes a partition over again.
    init(again partition: OwnedPartition) {
        number = partition.number
        since = .now
        mapSize = partition.store.mapSize
        toMark = partition.live?.toMark ?? []
    }

    /// Time that a mismatch must last. For a moment a resigning coordinator may report that a group has no offset, and
    /// a newly elected leader that its log ends early.
    static let confirmation = Duration.seconds(2)

    /// Whether the mismatch is found again ``confirmation`` after it was first found.
    mutating func confirms(_ reset: OffsetReset, now: ContinuousClock.Instant = .now) -> Bool {
        if let doubt, doubt.reset.reason == reset.reason, doubt.reset.place == reset.place {
            return now - doubt.since >= Self.confirmation
        }
        doubt = (reset, now)
        return false
    }
}

/// Timeouts of a take-over's requests, and the pauses between its tries. The lane's other partitions wait during a try,
/// so the first timeout is short, plenty for a healthy broker; each timeout doubles it, for a slow or distant one.
struct TakeOverPace {
    private static let leastPause = Duration.milliseconds(500)
    private static let least = Duration.milliseconds(250)
    private static let most = Duration.seconds(2)
    /// The pause after a failed try, in multiples of the try's time: partitions that are caught up keep 8/9 of the
    /// lane's time while another's offsets are held back.
    private static let share = 8

    private(set) var patience = TakeOverPace.least
    private var next: ContinuousClock.Instant?

    func isDue(now: ContinuousClock.Instant = .now) -> Bool { next.map { now >= $0 } ?? true }

    mutating func succeeded() {
        patience = Self.least
        next = nil
    }

    /// - Parameters:
    ///   - spent: the time of the try.
    ///   - othersWait: whether partitions that are caught up waited meanwhile.
    mutating func hasFailed(
        byTimeout: Bool, after spent: Duration, othersWait: Bool, now: ContinuousClock.Instant = .now
    ) {
        next = now + (othersWait ? max(Self.leastPause, spent * Self.share) : Self.leastPause)
        if byTimeout { patience = min(Self.most, patience * 2) }
    }
}

/// Takes over assigned partitions, and releases them.
extension Lane {
    // MARK: - Taking over

    func take(_ places: [TopicPartition]) throws {
        takeOvers += places.map { TakeOver(number: $0.partition, since: .now) }
        figures.isOutdated = true
        takeOverPace.succeeded()
        // Partitions may be added to topics while workers run, and adding them causes rebalances.
        try watch.during(.takeOver, as: .other) { () throws(LaneFault) in try refreshLayout() }
    }

    /// Takes partitions over again whose stores lost changes that lookups have shown. Until those are read again, no
    /// question is enriched from the stores.
    func takeAgain(_ undone: [OwnedPartition]) throws {
        guard !undone.isEmpty else { return }
        let again = undone.map { TakeOver(again: $0) }
        let places = undone.map { place(ofQuestions: $0.number) }
        try consumer.pause(places)
        try letGo(of: places)
        takeOvers += again
        takeOverPace.succeeded()
        figures.isOutdated = true
    }

    /// Updates the topics' partition counts.
    /// - Throws: `fatal` when the input topics' counts differ from each other.
    func refreshLayout() throws(LaneFault) {
        let counts: [String: Int32]
        do throws(KafkaError) {
            counts = try publisher.partitionCounts()
        } catch {
            return LogBound.shared.warn(logger, "partition counts not refreshed", cause: "\(error)")
        }
        do throws(WorkerError) {
            layout = try Cluster.layout(of: configuration.topics, counts: counts)
        } catch {
            throw LaneFault.fatal(error)
        }
    }

    /// Opens the store of one assigned partition if possible: one a step, so that the lane goes on polling in between.
    func beginTakeOvers() throws {
        guard let takeOver = takeOvers.first, isTakeOverDue else { return }
        try commit()
        try watch.during(.takeOver, as: .other, since: takeOver.since, cause: figures.takeOverCause) {
            try tryToBegin(takeOver)
        }
    }

    private func tryToBegin(_ first: TakeOver) throws {
        var takeOver = first
        let places = inputs(of: takeOver.number)
        let cause: String
        let began = ContinuousClock.now
        let othersWait = partitions.all.contains(where: \.isRunning)
        do {
            // An earlier owner's open transaction holds its offsets back.
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
                // A doubtful partition does not delay the others; the pause comes once all are doubtful.
                if takeOvers.allSatisfy({ $0.doubt != nil }) || takeOver.doubt == nil {
                    takeOverPace.hasFailed(byTimeout: false, after: .now - began, othersWait: othersWait)
                }
            }
        } catch let error as KafkaError {
            takeOverPace.hasFailed(byTimeout: error.isTimeout, after: .now - began, othersWait: othersWait)
            cause = "\(error)"
        }
        figures.takeOverCause = cause
        // The next try is another partition's.
        takeOvers.append(takeOvers.removeFirst())
        waitLog.note(
            "waiting to take partitions over", since: takeOver.since, logger: logger,
            metadata: ["partition": .stringConvertible(takeOver.number), "cause": "\(cause)"])
    }

    /// Whether a partition waits for its store to be opened, and the pause after a failed try is over.
    var isTakeOverDue: Bool { !takeOvers.isEmpty && takeOverPace.isDue() }

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
        // Not through the consumers: a broker answers a connection's requests in order, and may be holding a fetch of
        // theirs until a record comes.
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
                    votesTopic: configuration.topics.votes, partition: number), mapSize: takeOver.mapSize)
        } catch {
            guard error.kind == .alreadyOpen else {
                throw LaneFault(error)
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
        partition.live?.toMark = takeOver.toMark
        do {
            survey.lookAtStore(
                Table.allCases.map { (follower.place($0, number), partition.applied($0), ends[$0.rawValue]) })
            try stopIfMismatched(survey.resets)
            partition.questions.span = questionSpan
            try follower.beginRestore(partition, committed: survey.committed, notes: notes, ends: ends)
        } catch {
            opened.store.close()
            if let error = error as? StoreError { throw LaneFault(error) }
            throw error
        }
        partition.questions.committed = committed[questions]
        goOn(partition, after: survey)
        partitions[number] = partition
        return .done
    }

    /// Asks the leader of a topic whose end was reported below the restore's target: a lagging replica catches up by
    /// itself, a cut log does not. At most one request a step, as the lane waits for the answer.
    func askForShortEnds() throws(LaneFault) {
        for partition in partitions.all where !partition.isRunning {
            if let live = partition.live, live.history.endsShort(for: Self.shortEndPatience) {
                return try askForShortHistory(partition, live)
            }
            for table in Table.allCases where partition[table].catchUp.endsShort(for: Self.shortEndPatience) {
                let place = follower.place(table, partition.number)
                let target = partition[table].catchUp.target
                let end = leaderEnd(of: place)
                guard partition[table].catchUp.leaderEnds(at: end), let end else { return }
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
        let end = leaderEnd(of: place)
        guard live.history.leaderEnds(at: end), let end else { return }
        if live.history.isDone { try follower.endHistory(partition, of: partitions) }
        logger.warning(
            "the questions lost records while they were read into the store: their log was cut",
            metadata: ["partition": "\(place)", "end": .stringConvertible(end)])
    }

    /// nil: the leader did not answer.
    private func leaderEnd(of place: TopicPartition) -> Int64? {
        do throws(KafkaError) {
            return try publisher.queryWatermarks(place, timeout: takeOverPace.patience).high
        } catch {
            waitLog.note(error, logger: logger)
            return nil
        }
    }

    /// Time for a replica to catch up before its leader is asked.
    private static let shortEndPatience = Duration.seconds(2)

    /// Resumes the questions of partitions whose tables are caught up.
    func finishTakeOvers() throws {
        for partition in partitions.all {
            guard case .reading(let restore) = partition.phase, partition.isCaughtUp, !partition.store.isLoading else {
                continue
            }
            try storing { () throws(StoreError) in try partition.store.giveMemoryBack() }
            if let live = partition.live {
                try noteLettered(partition, live)
                try markLettered(partition, live)
            }
            partition.phase = .running(since: .now)
            // From here on the lane publishes all changes itself: changes that cancel out have not been published.
            partition.store.areChangesCertain = false
            window?.isResumed = true
            try consumer.resume([place(ofQuestions: partition.number)])
            logger.info(
                "partition caught up",
                metadata: [
                    "partition": .stringConvertible(partition.number), "records": .stringConvertible(restore.records),
                    "seconds": .stringConvertible(((.now - restore.since) / .milliseconds(1)).rounded() / 1000),
                ])
            report.note(
                .caughtUp,
                "partition \(partition.number): \(restore.records) records in "
                    + "\(Int((.now - restore.since) / .seconds(1))) s")
            figures.isOutdated = true
        }
        // Reports before the first events: their commit may take long, and the partition is running by now.
        if figures.isOutdated { publishReport() }
    }

    /// Whether a partition is not worked on yet because its tables are not caught up.
    var isRestoring: Bool { !takeOvers.isEmpty || partitions.all.contains { !$0.isRunning } }

    var unread: [UnreadPartition] {
        partitions.all.compactMap { partition in
            let questions = partition.questions
            guard case .running(let since) = partition.phase, questions.next == nil, !questions.isAtEnd else {
                return nil
            }
            return UnreadPartition(
                place: place(ofQuestions: partition.number), since: since,
                next: questions.committed ?? questions.span.low)
        }
    }

    // MARK: - Releasing

    var owned: [TopicPartition] { (partitions.all.map(\.number) + takeOvers.map(\.number)).map(place(ofQuestions:)) }

    func letGo(of places: [TopicPartition]) throws {
        let numbers = places.numbers
        takeOvers.removeAll { numbers.contains($0.number) }
        let leaving = numbers.compactMap { partitions[$0] }
        try follower.letGo(of: leaving)
        noteCommitted(leaving, isLast: true)
        if !leaving.isEmpty {
            // Closing writes the pending changes.
            watch.during(.store, as: .other) {
                for partition in leaving {
                    partition.store.close()
                    partitions[partition.number] = nil
                }
            }
        }
    }

    func listed(_ places: [TopicPartition]) -> [Logger.MetadataValue] {
        places.numbers.map { .stringConvertible($0) }
    }

    func place(ofQuestions partition: Int32) -> TopicPartition {
        TopicPartition(topic: configuration.topics.questions, partition: partition)
    }

    /// The partitions with this number of the questions and of the tables.
    func inputs(of partition: Int32) -> [TopicPartition] {
        [place(ofQuestions: partition)] + Table.allCases.map { follower.place($0, partition) }
    }
}

extension [TopicPartition] {
    fileprivate var numbers: [Int32] { map(\.partition).sorted() }
}
