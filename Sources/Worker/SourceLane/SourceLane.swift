import AnswerStore
import KafkaClient
import Logging
import Records
import SchemaRegistry
import Sources

/// The path from other systems' topics into the input topics: a member of the sources' group with its own producer and
/// index. All of it belongs to the lane's own thread, so nothing is locked.
///
/// Read `step` downwards to follow a source record. A step's records, index changes and offsets are one transaction, by
/// the same code as a question lane's (``CommittingLane``).
final class SourceLane: CommittingLane {
    private static let maxGatheredRecords = 2048
    private static let maxGatheredBytes = 4 << 20
    /// Changes of the index in memory above which the store catches up first.
    static let mostUnseen = 200_000

    /// Progress through a source's partition.
    struct Progress {
        /// The first offset worked on or given up since the assignment; nil: none.
        var first: Int64?
        /// The next offset to work on; nil: no record has come yet.
        var next: Int64?
        var committed: Int64?
        /// When it was resumed, until a record or the partition's end comes; nil: one has come, or it is paused.
        var resumed: ContinuousClock.Instant?
        /// Offset of the first record that was set aside, to be read again; nil: none.
        var skipped: Int64?
        /// Whether the group's offset matches the partition's log.
        var offsetCheck = SourceOffsetCheck.due
    }

    /// Whether the index holds all entries of other lanes.
    enum IndexState {
        case current
        /// No record is worked on before the store has caught up with the index topic.
        /// - `settled`: the earlier owners' transactions have ended: none holds offsets back or adds to the index.
        case behind(since: ContinuousClock.Instant, settled: Bool)
    }

    let configuration: WorkerConfiguration
    let stop: StopSignal
    let logger: Logger
    let report: LaneReport
    let watch: LaneWatch
    var clock: LaneClock { watch.clock }
    let consumer: GroupConsumer
    let publisher: Publisher
    let follower: SourceIndexFollower
    let index: SourceIndex
    let translator: SourceTranslator
    /// The lane's own store, with notes of committed offsets.
    let store: IndexStore
    let check: OffsetCheck
    /// Memory of the gathered records, reused from step to step.
    private let messages = MessageBatch(capacity: SourceLane.maxGatheredRecords)
    var partitions: [TopicPartition: Progress] = [:]
    /// The rebalance that the last gathering met; answered once the gathered batch is worked on.
    var rebalance: Rebalance?
    var indexState = IndexState.current
    /// The number of index partitions among which entries are placed.
    var indexPartitions: Int32 = 1
    /// nil: no record waits for its schema.
    var schemaWait: SchemaWait?
    /// When the index last began to forget the entries that its store has.
    var forgot = ContinuousClock.now
    /// When the committed offsets were last noted; nil: not yet.
    var noted: ContinuousClock.Instant?
    static let notePause = Duration.seconds(10)
    var totals = LaneTotals()
    /// ``totals`` as of the last commit.
    var committedTotals = LaneTotals()
    var figures = LaneRecord()
    var pace: CommitPace
    var search = RefusalSearch()
    var waitLog = WaitLog()
    private var deadLetterLog: DeadLetterLog

    init(
        index number: Int, configuration: WorkerConfiguration, cluster: Cluster, stateDirectory: StateDirectory,
        stop: StopSignal, report: LaneReport, logger: Logger
    ) throws {
        self.configuration = configuration
        self.stop = stop
        self.report = report
        watch = LaneWatch(report: report)
        var logger = logger
        logger[metadataKey: "lane"] = .stringConvertible(report.lane)
        logger[metadataKey: "of"] = "sources"
        self.logger = logger
        let properties = ClientProperties(
            configuration: configuration, identity: stateDirectory.identity, lane: number)
        deadLetterLog = DeadLetterLog(logger: logger)
        pace = CommitPace(interval: configuration.commitInterval, maxBytes: properties.transactionBytes)
        consumer = try GroupConsumer(properties: properties.groupConsumer, logger: logger)
        publisher = try Publisher(
            configuration: configuration, properties: properties, stop: stop, watch: watch, logger: logger)
        check = OffsetCheck(autoOffsetReset: properties.groupConsumer["auto.offset.reset"])
        store = try storing { () throws(StoreError) in
            try IndexStore.openOrRebuild(
                directory: stateDirectory.path + "/sources/\(number)",
                source: "\(cluster.id) \(configuration.topics.sourceIndex) \(SourceIndex.layout)")
        }
        index = SourceIndex(store: store)
        follower = try SourceIndexFollower(
            topic: configuration.topics.sourceIndex, properties: properties, index: index, store: store, logger: logger)
        let registry = configuration.registry.map { RegistryClient($0) { stop.isRequested } }
        translator = SourceTranslator(configuration.sources, index: index, schemas: registry)
        // Until the group assigns partitions, other lanes publish the index's votes.
        translator.owns = { _ in false }
        translator.beginReview()
    }

    /// Works until told to stop, then closes in order.
    /// - Throws: the error that ends the worker.
    func run() throws {
        defer { close() }
        do {
            try work {
                try startFollower()
                try consumer.subscribe(translator.topics)
            } turn: {
                try turn()
            }
        } catch let error as StoreError {
            throw LaneFault(error)
        }
    }

    /// One step, and the recovery from its fault.
    private func turn() throws {
        do {
            try step()
        } catch let fault as LaneFault {
            try recover(from: fault)
        }
        clock.begin(.other)
        publishReport()
    }

    private func close() {
        consumer.close(timeout: .seconds(10))
        follower.close()
        publisher.close()
        publishReport(isLast: true)
    }

    // MARK: - The step

    /// The index first, then a batch of records, then the commit when it is due, then the group's rebalance.
    private func step() throws {
        figures.beginStep(clock, commits: totals.commits)
        clock.begin(.applyingTables)
        try followIndex()
        try askForSchema()
        clock.begin(.reading)
        let gathering = gather()
        consumer.keepFetching(
            records: gathering.messages.count, bytes: gathering.messages.byteCount, isStarving: false)
        clock.begin(.rendering)
        try translate(gathering)
        clock.begin(.other)
        try commitIfDue()
        try forgetWhatTheStoreHasSeen()
        try answerRebalance()
        try lookForOwnerless()
        try lookForUnread()
        figures.endStep(clock, commits: totals.commits)
    }

    /// 2. Takes the records that are there, or the first that comes within a short wait.
    private func gather() -> Gathering {
        if let rebalance { return Gathering(nothingIn: messages, end: .rebalance(rebalance)) }
        let gathering = Gathering(
            into: messages, upTo: (search.limit ?? Self.maxGatheredRecords, Self.maxGatheredBytes),
            wait: pace.wait(uncommitted: publisher.hasUncommitted, restoring: isBehind)
        ) { milliseconds in
            let event = consumer.poll(timeoutMilliseconds: milliseconds)
            if milliseconds > 0 { clock.attribute(to: .idle) }
            return event
        }
        switch gathering.end {
        case .full: pace.ranDry = false
        case .dry, .failed: pace.ranDry = true
        case .rebalance(let rebalance): self.rebalance = rebalance
        }
        return gathering
    }

    /// 3. Translates each record into contract records and publishes them; an unmappable one becomes a dead letter.
    private func translate(_ gathering: consuming Gathering) throws {
        try settle(gathering)
        let records = gathering.messages
        if records.count > 0 {
            pace.gathered()
            figures.noteWork()
            search.gathered(records)
        }
        do {
            for position in 0..<records.count { try work(on: records[position], isAlone: records.count == 1) }
        } catch {
            noteGivenUp(records)
            throw error
        }
        if translator.isReviewing, records.count > 0 { logFindings() }
        for end in gathering.ends {
            partitions[end.place]?.resumed = nil
            guard !isBehind, schemaWait == nil, let next = partitions[end.place]?.next, next < end.offset else {
                continue
            }
            // The end lies beyond the last record where a transaction's control record stands there.
            partitions[end.place]?.next = end.offset
            pace.note()
        }
    }

    /// - Parameter isAlone: it was gathered without others.
    private func work(on message: ConsumedMessage, isAlone: Bool) throws {
        let place = place(of: message)
        // Not owned any more. Its committed offset has not moved, so the new owner reads the record again.
        guard let progress = partitions[place] else { return }
        if isBehind || schemaWait != nil {
            partitions[place]?.skipped = progress.skipped ?? message.offset
            return
        }
        if let next = progress.next, message.offset < next {
            throw LaneFault.wentBack(place, from: next, to: message.offset)
        }
        if progress.first == nil { partitions[place]?.first = message.offset }
        totals.sourceRecords += 1
        totals.sourceBytes += message.byteCount
        if let refused = search.refused, isAlone, RefusalSearch.Place(message) == refused.place {
            try publish(
                DeadLetter(
                    message: message, topic: place.topic,
                    error: RecordError(
                        code: .refused, message: "the broker refuses the record that it becomes: \(refused.reason)"))
            )
        } else {
            do { try translate(message, from: place) } catch let outage as RegistryOutage {
                totals.sourceRecords -= 1
                totals.sourceBytes -= message.byteCount
                partitions[place]?.skipped = message.offset
                return try waitForSchema(outage)
            }
        }
        partitions[place]?.next = message.offset + 1
        pace.worked(records: 1)
        if pace.isFull(bytes: publisher.uncommittedBytes) {
            try commit()
            // From here on the rest of the batch waits for its commit.
            pace.note()
        }
    }

    private func translate(_ message: ConsumedMessage, from place: TopicPartition) throws {
        translator.longestValue = longestValue(of: message)
        var headers = SchemaHeaders.none
        if message.hasHeaders, translator.isFramed(place.topic) {
            message.forEachHeader { headers.note(name: $0, value: $1) }
        }
        var refusal: String?
        do {
            let outcome = try translator.translate(
                topic: place.topic, partition: place.partition, key: message.key, value: message.value, headers: headers
            ) { try publish($0, of: message) }
            switch outcome {
            case .mapped: break
            case .passedOver: totals.sourceRecordsPassedOver += 1
            case .waiting: totals.sourceVotesWaited += 1
            }
        } catch let failure as SourceFailure {
            refusal = failure.description
            try publish(
                DeadLetter(
                    message: message, topic: place.topic,
                    error: RecordError(code: .source, message: failure.description)))
        }
        if translator.isReviewing {
            translator.review(topic: place.topic, value: message.value, headers: headers, refusal: refusal)
        }
        try publishIndexChanges()
    }

    /// Notes where partitions began whose gathered records are given up after a fault before they were worked on: the
    /// rewind needs it.
    private func noteGivenUp(_ records: MessageBatch) {
        for position in 0..<records.count {
            let message = records[position]
            let place = place(of: message)
            guard let progress = partitions[place], progress.first == nil else { continue }
            partitions[place]?.first = message.offset
        }
    }

    /// Settles the consumer's error; waits for missing topics, which a connector creates with their first records.
    private func settle(_ gathering: borrowing Gathering) throws(LaneFault) {
        if case .failed(let error) = gathering.end,
            error.name == "UNKNOWN_TOPIC_OR_PART" || error.name == "_UNKNOWN_TOPIC"
        {
            return waitLog.note(error, logger: logger)
        }
        try gathering.settle(reading: "sources", logger)
    }

    private func place(of message: ConsumedMessage) -> TopicPartition {
        TopicPartition(topic: consumer.topics[message.topicIndex], partition: message.partition)
    }

    // MARK: - Out

    /// The longest value that fits into a record beside key, headers and the protocol's own bytes; also as a waiting
    /// vote in its index entry, which has three ids as well.
    private func longestValue(of message: ConsumedMessage) -> Int {
        var room = 2048
        if message.hasHeaders {
            message.forEachHeader { name, value in
                room += RecordLimits.room(ofHeader: name.count, value: value?.count ?? 0)
            }
        }
        return max(0, publisher.maxMessageBytes - room)
    }

    /// - Parameter message: the source's, whose timestamp and headers pass through; nil: a vote whose answer came.
    func publish(_ record: ContractRecord, of message: ConsumedMessage?) throws(LaneFault) {
        let topic =
            switch record.topic {
            case .questions: configuration.topics.questions
            case .answers: configuration.topics.answers
            case .votes: configuration.topics.votes
            }
        // These headers describe the source's bytes.
        try publisher.publish(
            to: topic, key: record.key, value: record.value, of: message,
            without: [SchemaHeaders.keyName, SchemaHeaders.valueName])
        totals.sourceRecordsPublished += 1
        pace.note()
    }

    private func publish(_ letter: DeadLetter) throws(LaneFault) {
        try publisher.publish(letter, partition: nil)
        totals.deadLetters[letter.error.code] += 1
        figures.note(letter)
        deadLetterLog.note(letter)
    }

    func publishIndexChanges() throws(LaneFault) {
        try index.takeChanges { (key, value) throws(LaneFault) in
            // The first entry says among how many partitions entries are placed, and may be all for hours: its
            // transaction must not stay open until the coordinator ends it, and with it this producer's epoch.
            pace.note()
            try publisher.publishIndexEntry(
                key, value, partition: KeyPlacement.partition(of: key, count: indexPartitions))
        }
    }
}
