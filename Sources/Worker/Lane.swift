import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Logging

/// The path from poll to commit: a group member with its follower of the tables, its producer, and the stores of the
/// partitions it owns. All of it belongs to the lane's own thread, so nothing is locked.
///
/// Read `step` downwards to follow a question event.
final class Lane: CommittingLane {
    /// Bounds of a gathered batch; with librdkafka's queues they make up the lane's memory.
    static let maxGatheredRecords = 2048
    static let maxGatheredBytes = 2 << 20

    /// The content of one step. Changes are published only where published records follow them.
    enum StepContent {
        case both, events, changes
    }

    let configuration: WorkerConfiguration
    let properties: ClientProperties
    let stateDirectory: StateDirectory
    let stop: StopSignal
    let logger: Logger
    let report: LaneReport
    let watch: LaneWatch
    let previews: PreviewInbox
    let topicWatch: TopicWatch
    var clock: LaneClock { watch.clock }

    let consumer: GroupConsumer
    let follower: TableFollower
    let publisher: Publisher
    let clusterID: String
    var layout: TopicLayout
    var partitions = OwnedPartitions()
    /// The rebalance that the last gathering met; answered once the gathered batch is worked on.
    var rebalance: Rebalance?
    /// Assigned partitions that have no store open yet.
    var takeOvers: [TakeOver] = []
    var takeOverPace = TakeOverPace()
    var totals = LaneTotals()
    /// ``totals`` as of the last commit.
    var committedTotals = LaneTotals()
    var deadLetterLog: DeadLetterLog
    var pace: CommitPace
    /// Finds an event whose enriched record the broker refuses.
    var search = RefusalSearch()
    /// Finds a question whose changed record the broker refuses.
    var changeSearch = ChangeSearch()
    /// The content of the current step.
    var stepContent = StepContent.both
    /// The change that was published last; its question only while the change is alone in its transaction.
    var lastChange: (partition: Int32, question: [UInt8]) = (0, [])
    /// State from which the report is made.
    var figures = LaneRecord()
    var waitLog = WaitLog()
    /// nil: published records do not follow changes.
    var window: PublishWindow?
    /// When the tables' offsets were last committed regardless of whether they had moved.
    var refreshed = ContinuousClock.now

    let limits: RecordLimits
    let processor: EventProcessor
    /// nil: records carry no header with their origin.
    let provenance: ProvenanceWriter?
    /// Memory of the gathered events, reused from step to step.
    private let messages = MessageBatch(capacity: Lane.maxGatheredRecords)
    /// Timestamps of the events that are not committed yet.
    let eventTimes = EventTimes()

    init(
        index: Int, configuration: WorkerConfiguration, cluster: Cluster, stateDirectory: StateDirectory,
        stop: StopSignal, report: LaneReport, previews: PreviewInbox = PreviewInbox(), topicWatch: TopicWatch? = nil,
        logger: Logger
    ) throws(KafkaError) {
        self.configuration = configuration
        self.stateDirectory = stateDirectory
        self.stop = stop
        self.report = report
        watch = LaneWatch(report: report)
        self.previews = previews
        self.topicWatch = topicWatch ?? TopicWatch(topics: configuration.topics, counts: cluster.counts)
        var logger = logger
        logger[metadataKey: "lane"] = .stringConvertible(index)
        self.logger = logger
        clusterID = cluster.id
        layout = cluster.layout
        properties = ClientProperties(
            configuration: configuration, identity: stateDirectory.identity, lane: index)
        deadLetterLog = DeadLetterLog(logger: logger)
        consumer = try GroupConsumer(properties: properties.groupConsumer, logger: logger)
        follower = try TableFollower(
            properties: properties, topics: configuration.topics, watch: watch, logger: logger)
        publisher = try Publisher(
            configuration: configuration, properties: properties, stop: stop, watch: watch, logger: logger)
        pace = CommitPace(interval: configuration.commitInterval, maxBytes: properties.transactionBytes)
        processor = EventProcessor(renderedBytes: properties.renderedBytes)
        limits = RecordLimits(properties: properties, maxRecordBytes: configuration.maxRecordBytes)
        provenance = configuration.publishesProvenance ? ProvenanceWriter() : nil
        window = configuration.publishOn.coalesce.map { PublishWindow(length: $0) }
    }

    /// Works until told to stop, then closes in order.
    /// - Throws: the error that ends the worker.
    func run() throws {
        defer { close() }
        try work {
            previews.open()
            try consumer.subscribe([configuration.topics.questions])
        } turn: {
            try turn()
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
        answerPreviews()
        publishReport()
    }

    /// Closes the stores before leaving the group, so that the next owner can open them.
    private func close() {
        previews.close()
        noteCommitted(partitions.all, isLast: true)
        for partition in partitions.all { partition.store.close() }
        consumer.close(timeout: .seconds(10))
        follower.close()
        publisher.close()
        publishReport(isLast: true)
    }

    // MARK: - The step

    /// Tables first, then a batch of questions, then the commit when it is due, then the group's rebalance.
    private func step() throws {
        figures.beginStep(clock, commits: totals.commits)
        if window != nil { chooseStepContent() }
        followTopics()
        try beginTakeOvers()
        clock.begin(.applyingTables)
        try followTables()
        clock.begin(.reading)
        let gathering = gather()
        consumer.keepFetching(
            records: gathering.messages.count, bytes: gathering.messages.byteCount,
            isStarving: figures.inputMissing != nil)
        clock.begin(.enriching)
        try enrich(gathering)
        clock.begin(.other)
        if window != nil { try publishChanges() }
        try commitIfDue()
        try answerRebalance()
        try lookForOwnerless()
        try lookForUnread()
        figures.endStep(clock, commits: totals.commits)
    }

    /// Takes over the watched topics' state when it has changed.
    private func followTopics() {
        let version = topicWatch.version
        guard version != figures.topicsSeen else { return }
        figures.topicsSeen = version
        let view = topicWatch.view
        layout.enriched = view.counts[configuration.topics.enriched] ?? layout.enriched
        layout.deadLetter = view.counts[configuration.topics.deadLetter] ?? layout.deadLetter
        figures.missingTopics = view.missing
        figures.isOutdated = true
    }

    /// 1. Applies the records that the follower has to the stores.
    private func followTables() throws {
        // While tables are restored the follower's wait is the lane's rest, unless a take-over is due.
        let wait: Int32 = isRestoring && !isTakeOverDue ? 20 : 0
        let done = try follower.advance(partitions, wait: wait) { letter throws(LaneFault) in
            try publish(letter)
        }
        totals.tableAnswers += done.answers
        totals.tableVotes += done.votes
        totals.tableBytes += done.bytes
        totals.answersRead += done.read.answers
        totals.votesRead += done.read.votes
        totals.answerBytesRead += done.bytesRead.answers
        totals.voteBytesRead += done.bytesRead.votes
        if done.moved {
            pace.note()
            figures.noteWork()
            if window != nil { pace.tablesMoved() }
        }
        lookAtGaps()
        try askForShortEnds()
        try finishTakeOvers()
    }

    /// 2. Gathers question events: those that are there, or the first that comes within a short wait.
    private func gather() -> Gathering {
        if let rebalance { return Gathering(nothingIn: messages, end: .rebalance(rebalance)) }
        guard stepContent != .changes else {
            pace.ranDry = true
            return Gathering(nothingIn: messages, end: .dry)
        }
        var wait = pace.wait(uncommitted: publisher.hasUncommitted, restoring: isRestoring)
        if let window { wait = window.wait(wait) }
        // Until the last transaction's markers are written, the coordinator refuses the next transaction.
        let mayRest = !publisher.hasUncommitted && !isRestoring
        var isResting = false
        let gathering = Gathering(
            into: messages, upTo: (search.limit ?? Self.maxGatheredRecords, Self.maxGatheredBytes), wait: wait
        ) { milliseconds in
            let event = consumer.poll(timeoutMilliseconds: milliseconds)
            if isResting {
                clock.attribute(to: .committing)
            } else if milliseconds > 0 {
                noteWait(of: event)
            }
            isResting = false
            return event
        } rest: {
            guard mayRest, let left = publisher.markerRest.left() else { return nil }
            isResting = true
            return left
        }
        switch gathering.end {
        case .full: pace.ranDry = false
        case .dry: pace.ranDry = true
        case .failed: break
        case .rebalance(let rebalance): self.rebalance = rebalance
        }
        return gathering
    }

    /// Whether the broker has events beyond the position and does not hand them out. It does so while a producer's
    /// transaction is open, and reports the beginning of that transaction as the partition's end.
    private func isHeldBack(_ partition: OwnedPartition) -> Bool {
        guard let next = partition.questions.next ?? partition.questions.committed,
            let end = consumer.cachedWatermarks(place(ofQuestions: partition.number))?.high
        else { return false }
        return next < end
    }

    /// Accounts for a wait for events: idle, or with input that has not arrived.
    private func noteWait(of event: ConsumerEvent) {
        let hasCome = if case .nothing = event { false } else { true }
        // A message that has just come is beyond the position, too: held-back events show only when nothing came.
        let isAtEnd =
            !isRestoring && partitions.all.allSatisfy(\.questions.isAtEnd)
            && (hasCome || !partitions.all.contains(where: isHeldBack))
        clock.attribute(to: isAtEnd ? .idle : .waitingForInput)
        if !hasCome, !isAtEnd {
            figures.noteMissingInput()
        } else {
            figures.inputMissing = nil
        }
    }

    /// 3. Checks, looks up, renders and publishes each event; a bad one becomes a dead letter.
    private func enrich(_ gathering: consuming Gathering) throws {
        // Prefetch hints refer to this batch's memory; drop them before the batch is freed.
        defer { processor.expectNothing() }
        try gathering.settle(reading: "questions", logger)
        let events = gathering.messages
        if events.count > 0 {
            pace.gathered()
            figures.noteWork()
            do {
                // Table records that came during the wait are older than the event that ended it.
                if gathering.hasWaited {
                    clock.begin(.applyingTables)
                    try followTables()
                    clock.begin(.enriching)
                }
                search.gathered(events)
                var index = try setAsideRefused(events)
                while index < events.count {
                    let before = totals.recordsIn
                    index = try enrichRun(of: events, from: index)
                    pace.worked(records: totals.recordsIn - before)
                    if pace.isFull(bytes: publisher.uncommittedBytes) {
                        try commit()
                        // From here on the rest of the batch waits for its commit.
                        pace.note()
                    }
                }
                // The rows point into the gathered batch: applied before it is freed.
                if window != nil { try applyQuestions() }
            } catch {
                noteGivenUp(events)
                throw error
            }
        }
        for end in gathering.ends {
            guard let partition = partitions[end.place.partition], partition.isRunning else { continue }
            partition.questions.isAtEnd = partition.questions.next.map { $0 <= end.offset } ?? true
            // The end lies beyond the last event where a transaction's control record stands there.
            guard let next = partition.questions.next, next < end.offset else { continue }
            partition.questions.next = end.offset
            pace.note()
        }
    }

    /// Notes where partitions began whose gathered events are given up after a fault before they were worked on: the
    /// rewind needs it. A partition without an event stays where it is, and librdkafka reports its end only once.
    private func noteGivenUp(_ events: MessageBatch) {
        for index in 0..<events.count {
            let message = events[index]
            guard let partition = partitions[message.partition], partition.isRunning else { continue }
            if partition.questions.first == nil { partition.questions.first = message.offset }
        }
        for end in events.ends {
            guard let partition = partitions[end.place.partition], partition.isRunning else { continue }
            if partition.questions.first == nil { partition.questions.isAtEnd = true }
        }
    }

    /// Enriches the run of events from `start` on that belong to one partition.
    /// - Returns: the index of the first event after the run, or of the first that must wait for a commit: a batch of
    ///   small events can make gigabytes, more than a transaction can deliver in time.
    private func enrichRun(of events: MessageBatch, from start: Int) throws(LaneFault) -> Int {
        let number = events[start].partition
        var index = start
        // nil: not owned (any more), or not ready. Its committed offset has not moved, so the events are read again.
        let partition = partitions[number].flatMap { $0.isRunning ? $0 : nil }
        let target = layout.enrichedPartition(for: number)
        partition?.questions.isAtEnd = false
        partition?.questions.noteGap(before: events[start].offset)
        processor.expectNothing()
        var expected = start
        while index < events.count {
            let message = events[index]
            guard message.partition == number else { break }
            if let store = partition?.store {
                while expected < min(index + EventProcessor.ahead, events.count),
                    events[expected].partition == number
                {
                    processor.expect(events.key(at: expected), store: store)
                    expected += 1
                }
            }
            index += 1
            guard let partition else { continue }
            if let next = partition.questions.next, message.offset < next {
                throw .wentBack(place(ofQuestions: number), from: next, to: message.offset)
            }
            if partition.questions.first == nil { partition.questions.first = message.offset }
            try enrich(message, of: partition, to: target)
            partition.questions.next = message.offset + 1
            totals.recordsIn += 1
            totals.bytesIn += message.value?.count ?? 0
            if let timestamp = message.timestamp { eventTimes.append(timestamp) }
            if pace.isFull(bytes: publisher.uncommittedBytes) { break }
        }
        return index
    }

    /// Checks, looks up, renders and publishes one event.
    private func enrich(
        _ event: ConsumedMessage, of partition: OwnedPartition, to target: Int32?
    ) throws(LaneFault) {
        let keyBytes = event.key?.count ?? 0
        let headerRoom = headerRoom(of: event) + (provenance == nil ? 0 : Provenance.headerRoom)
        let carried = keyBytes + headerRoom
        let stamps = clock.nextStamps()
        let outcome: EventOutcome
        do throws(StoreError) {
            outcome = try processor.process(
                key: event.key, value: event.value, store: partition.store,
                limit: limits.longestValue(keyBytes: keyBytes, headerRoom: headerRoom), stamps: stamps)
        } catch {
            throw LaneFault(error)
        }
        switch outcome {
        case .enriched(let value, let attached, let omitted):
            totals.answersAttached += attached
            totals.answersOmitted += omitted
            if attached + omitted == 0 { totals.questionsWithoutAnswers += 1 }
            try publisher.publishEnriched(
                value, of: event, partition: target, carried: carried, from: from(event, partition.store))
            totals.recordsOut += 1
            totals.bytesOut += value.count
        case .deleted:
            try publisher.publishEnriched(
                nil, of: event, partition: target, carried: carried, from: from(event, partition.store))
            totals.recordsOut += 1
        case .refused(let error):
            try publish(DeadLetter(message: event, topic: configuration.topics.questions, error: error))
        }
        if let live = partition.live { note(event, outcome, of: partition, live) }
        if stamps != nil { clock.endSample() }
    }

    /// The value of the header `rejoinder.from` for an event's record; nil: it has none.
    @inline(__always)
    private func from(_ event: ConsumedMessage, _ store: AnswerStore) -> Bytes? {
        from(partition: event.partition, offset: event.offset, store)
    }

    @inline(__always)
    func from(partition: Int32, offset: Int64, _ store: AnswerStore) -> Bytes? {
        guard let provenance else { return nil }
        let positions = store.positions
        return provenance.write(
            Provenance(partition: partition, offset: offset, answers: positions.answers, votes: positions.votes))
    }

    /// Bytes that an event's headers take from its record's room.
    private func headerRoom(of event: ConsumedMessage) -> Int {
        var room = 0
        if event.hasHeaders {
            event.forEachHeader { name, value in
                room += RecordLimits.room(ofHeader: name.count, value: value?.count ?? 0)
            }
        }
        return room
    }

    func publish(_ letter: DeadLetter) throws(LaneFault) {
        try publisher.publish(letter, partition: layout.deadLetterPartition(for: letter.partition))
        totals.deadLetters[letter.error.code] += 1
        figures.note(letter)
        deadLetterLog.note(letter)
    }
}
