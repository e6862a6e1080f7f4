import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Logging
import Records

/// Publishes questions again when their answers or votes change (``PublishMode/changes(coalesce:)``). The stores note
/// the waiting questions while the follower applies changes.
extension Lane {
    // MARK: - Events

    /// Notes a processed question event for the store. Its record publishes the question's waiting changes too.
    func note(_ event: ConsumedMessage, _ outcome: EventOutcome, of partition: OwnedPartition, _ live: LivePartition) {
        guard let key = event.key else { return }
        var isRefused = false
        switch outcome {
        case .enriched, .deleted: break
        case .refused(let error):
            // An invalid event, or a deletion that is too large, leaves the question as it was.
            guard error.code == .tooLarge, event.value != nil else { return }
            isRefused = true
        }
        live.waiting.remove(key)
        live.withheld.release(key)
        if !live.lettered.isEmpty { live.lettered.removeAll { $0.elementsEqual(key) } }
        if !live.toMark.isEmpty { live.toMark.removeAll { $0.elementsEqual(key) } }
        if case .enriched(let value, _, let omitted) = outcome, omitted > 0 {
            live.omissions.note(value, of: key)
        } else {
            live.omissions.note(nil, of: key)
        }
        // Below the store's position the event is read again (abort, restart): the store may have a later one.
        guard event.offset >= partition.store.positions.questions else { return }
        guard let value = event.value else { return live.rows.append(question: key, nil) }
        let headers = PackedHeaders.pack(event)
        headers.withUnsafeBytes {
            live.rows.append(
                question: key,
                StoredQuestion(
                    value: value, headers: $0, timestamp: event.timestamp, offset: event.offset, isRefused: isRefused))
        }
    }

    /// Writes the processed questions to the stores. Their values point into the gathered messages: call it before
    /// those are freed.
    func applyQuestions() throws(LaneFault) {
        guard window != nil else { return }
        for partition in partitions.all {
            guard let live = partition.live, let next = partition.questions.next else { continue }
            var positions = partition.store.positions
            guard live.rows.count > 0 || next > positions.questions else { continue }
            positions.questions = max(positions.questions, next)
            try storing { () throws(StoreError) in try partition.store.apply(live.rows, positions: positions) }
            live.rows.removeAll()
        }
    }

    // MARK: - Changes

    /// Publishes the waiting questions once their window has ended, some in each step.
    func publishChanges() throws(LaneFault) {
        guard var window, stepContent != .events else { return }
        defer { self.window = window }
        let isWaiting = partitions.all.contains { $0.isRunning && $0.live?.isBehind == true }
        if case .closed = window.state {
            guard isWaiting else { return }
            window.open(age: ageOfChanges)
        }
        if case .open(let since, let oldest) = window.state {
            guard isWaiting else {
                window.state = .closed
                return
            }
            let now = ContinuousClock.now
            let isFull = partitions.all.contains { $0.live?.isHalted == true }
            guard isFull || now - since >= window.length else { return }
            if isFull { noteFull(&window) }
            for partition in partitions.all where partition.isRunning {
                partition.live?.publishUpTo = partition.live?.waiting.tail ?? 0
            }
            window.state = .publishing(oldest: oldest, began: now)
        }
        guard case .publishing(_, let began) = window.state else { return }
        clock.begin(.enriching)
        figures.noteWork()
        pace.note()
        guard try publishSome() else { return }
        clock.begin(.other)
        for partition in partitions.all where partition.isRunning {
            if let live = partition.live, live.waiting.isEmpty, let from = live.unmarked {
                live.marking = .all
                try follower.readAgain(partition, from: from)
            }
        }
        noteDuration(.now - began, &window)
        // With all waiting questions committed, the refused record is not among them any more.
        if changeSearch.limit != nil, publisher.hasUncommitted { try commit() }
        changeSearch.end()
        let isMore = partitions.all.contains { $0.live?.isBehind == true }
        // Changes that came meanwhile wait from now on: no question is published twice within a window.
        window.state = isMore ? .open(since: .now, oldest: began) : .closed
    }

    /// Age of the oldest waiting change, by the records' timestamps.
    private var ageOfChanges: Duration {
        let times = partitions.all.compactMap { $0.isRunning ? $0.live?.waiting.first?.timestamp : nil }
        return .milliseconds(times.min().map { WallClock.microseconds / 1000 - $0 } ?? 0)
    }

    private func noteFull(_ window: inout PublishWindow) {
        guard window.isToWarn() else { return }
        logger.warning(
            "more changed questions wait than memory holds; they are published before their window ends",
            metadata: [
                "waiting": .stringConvertible(partitions.all.reduce(0) { $0 + ($1.live?.waiting.count ?? 0) }),
                "coalesceMs": .stringConvertible(window.length / .milliseconds(1)),
            ])
    }

    private func noteDuration(_ duration: Duration, _ window: inout PublishWindow) {
        guard duration > max(window.length, .milliseconds(100)), window.isToWarn() else { return }
        logger.warning(
            "changes come faster than they can be published; publish.coalesceMs grows by itself",
            metadata: [
                "coalesceMs": .stringConvertible(window.length / .milliseconds(1)),
                "publishingMs": .stringConvertible(duration / .milliseconds(1)),
            ])
    }

    /// - Returns: whether all questions that waited when publishing began are published.
    private func publishSome() throws(LaneFault) -> Bool {
        var left = PublishWindow.bounds
        if let limit = changeSearch.limit { left.records = min(left.records, limit) }
        for partition in partitions.all where partition.isRunning {
            guard let live = partition.live else { continue }
            while live.waiting.head < live.publishUpTo, !live.waiting.isEmpty {
                if left.records <= 0 || left.bytes <= 0 || pace.isFull(bytes: publisher.uncommittedBytes) {
                    return false
                }
                let before = changes
                left.bytes -= try publishFirst(of: live, partition)
                // During the search for a refused record only records in the transaction count.
                if changeSearch.limit == nil || changes > before { left.records -= 1 }
                live.waiting.removeFirst()
            }
        }
        return true
    }

    /// Publishes the question that has waited longest, if its visible state has changed.
    /// - Returns: bytes published.
    private func publishFirst(of live: LivePartition, _ partition: OwnedPartition) throws(LaneFault) -> Int {
        guard let entry = live.waiting.first else { return 0 }
        if entry.isTakenBack {
            totals.unseenChanges += 1
            return 0
        }
        let store = partition.store
        // Only while the change is alone in its transaction is a refusal certain to be its own.
        lastChange = (partition.number, changeSearch.limit == 1 ? Array(entry.question) : [])
        // Never asked, or deleted: there is nothing to publish.
        guard let question = try storing({ () throws(StoreError) in try store.question(entry.question) }) else {
            return 0
        }
        let headerRoom =
            headerRoom(of: question)
            + RecordLimits.room(ofHeader: ChangeCause.header.utf8CodeUnitCount, value: ChangeCause.longest)
        let carried = entry.question.count + headerRoom
        let limit = limits.longestValue(keyBytes: entry.question.count, headerRoom: headerRoom)
        let outcome = try storing { [processor] () throws(StoreError) in
            try processor.process(stored: entry.question, value: question.value, store: store, limit: limit)
        }
        switch outcome {
        case .enriched(let value, let attached, let omitted):
            guard live.omissions.isNews(value, of: entry.question, omitted: omitted) else {
                totals.unseenChanges += 1
                return 0
            }
            switch live.withheld.handle(entry.question) {
            case .publish: break
            case .letter(let reason):
                try refuse(
                    question, entry.question, of: partition,
                    RecordError(code: .refused, message: "the broker does not take the enriched record: \(reason)"))
                return carried
            case .leaveOut:
                totals.unseenChanges += 1
                return 0
            }
            totals.answersAttached += attached
            totals.answersOmitted += omitted
            try publisher.publishChange(
                value, of: entry, question, partition: layout.enrichedPartition(for: partition.number),
                carried: carried, from: from(partition: partition.number, offset: question.offset, store))
            totals.recordsOut += 1
            totals.bytesOut += value.count
            switch entry.cause {
            case .answers: totals.republishedByAnswers += 1
            case .votes: totals.republishedByVotes += 1
            }
            if question.isRefused { try note(refused: false, entry.question, question, in: store) }
            return value.count + carried
        case .refused(let error):
            // One dead letter is enough; the record published last stays.
            guard !question.isRefused, !live.lettered.contains(where: { $0.elementsEqual(entry.question) }) else {
                totals.unseenChanges += 1
                return 0
            }
            live.lettered.append(Array(entry.question))
            try refuse(question, entry.question, of: partition, error)
            return carried
        case .deleted:
            return 0
        }
    }

    /// Bytes that a stored event's headers and the worker's own take from its record's room.
    private func headerRoom(of question: StoredQuestion) -> Int {
        var room = provenance == nil ? 0 : Provenance.headerRoom
        PackedHeaders(question.headers).eachHeader {
            room += RecordLimits.room(ofHeader: $0.count, value: $1?.count ?? 0)
        }
        return room
    }

    /// Publishes a dead letter for the event of a question whose changed record cannot be published.
    private func refuse(
        _ question: StoredQuestion, _ id: Bytes, of partition: OwnedPartition, _ error: RecordError
    ) throws(LaneFault) {
        try publish(
            DeadLetter(
                question: question, id: id, partition: partition.number, topic: configuration.topics.questions,
                error: error))
    }

    /// Notes that the dead letters of the current transaction are published for good.
    func noteCommittedLetters() {
        for partition in partitions.all {
            guard let live = partition.live else { continue }
            live.withheld.committed()
            live.toMark += live.lettered
            live.lettered.removeAll()
        }
    }

    /// Marks questions in the store whose dead letters are published: one is enough.
    func markLettered(_ partition: OwnedPartition, _ live: LivePartition) throws(LaneFault) {
        while let id = live.toMark.last {
            try Bytes.lend(id) { (key) throws(LaneFault) in
                let question = try storing { () throws(StoreError) in try partition.store.question(key) }
                if let question { try note(refused: true, key, question, in: partition.store) }
            }
            live.toMark.removeLast()
        }
    }

    /// The tables are restored: marks the too large questions among those read from their topic as refused. Their dead
    /// letters are published, but a lost store has forgotten that. A question that waits because of an answer is left
    /// out: that answer may have made it too large, and then its dead letter is still to come.
    func noteLettered(_ partition: OwnedPartition, _ live: LivePartition) throws(LaneFault) {
        defer { live.forgetLarge() }
        guard live.unmarked == nil else { return }
        let (store, processor) = (partition.store, processor)
        for id in live.large {
            try Bytes.lend(id) { (key) throws(LaneFault) in
                guard live.waiting.cause(of: key) != .answers,
                    let question = try storing({ () throws(StoreError) in try store.question(key) })
                else { return }
                let limit = limits.longestValue(keyBytes: key.count, headerRoom: headerRoom(of: question))
                let outcome = try storing { () throws(StoreError) in
                    try processor.process(stored: key, value: question.value, store: store, limit: limit)
                }
                guard case .refused = outcome, !question.isRefused else { return }
                try note(refused: true, key, question, in: store)
            }
        }
    }

    /// Notes with a question whether its dead letter was published. Invalidates the question's bytes.
    private func note(
        refused isRefused: Bool, _ id: Bytes, _ question: StoredQuestion, in store: AnswerStore
    ) throws(LaneFault) {
        // The store's own bytes must not be read while the store is written to.
        let (value, headers) = (Bytes.copy(of: question.value), Bytes.copy(of: question.headers))
        defer {
            value.deallocate()
            headers.deallocate()
        }
        var question = question
        (question.value, question.headers, question.isRefused) = (Bytes(value), Bytes(headers), isRefused)
        let batch = TableBatch()
        batch.append(question: id, question)
        try storing { () throws(StoreError) in try store.apply(batch, positions: store.positions) }
    }
}

extension Bytes {
    /// Copies into memory that the caller frees.
    fileprivate static func copy(of bytes: Bytes) -> UnsafeMutableRawBufferPointer {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyMemory(from: bytes)
        return copy
    }
}
