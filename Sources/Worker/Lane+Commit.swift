import Enrichment
import Foundation
import KafkaClient
import Logging

/// Commits a step's outputs together with its offsets, and recovers when the step fails.
extension Lane {
    func commitIfDue() throws(LaneFault) {
        if isRefreshDue { pace.note() }
        if search.limit != nil || changeSearch.limit != nil, publisher.hasUncommitted { return try commit() }
        let bytes = publisher.uncommittedBytes
        // Changes published together are committed together, as far as one transaction has room.
        if window?.isPublishing ?? false, !pace.isFull(bytes: bytes), !pace.isOld { return }
        if pace.isDue(produced: publisher.hasUncommitted, bytes: bytes) { try commit() }
    }

    /// Commits the produced records together with the offsets after their inputs, the tables' included.
    func commit() throws(LaneFault) {
        try applyQuestions()
        let (offsets, notes) = movedOffsets()
        if isRefreshDue { refreshed = .now }
        guard !offsets.isEmpty || publisher.hasUncommitted else {
            committedTotals = totals
            return pace.committed()
        }
        let began = ContinuousClock.now
        let (bytes, records) = (publisher.uncommittedBytes, totals.recordsIn - committedTotals.recordsIn)
        let changes = changes
        try publisher.commit(offsets, notes: notes, of: consumer)
        for partition in partitions.all {
            partition.questions.committed = partition.questions.next ?? partition.questions.committed
            let held = partition.live?.heldPositions
            partition.answers.hasCommitted(held: held?.answers)
            partition.votes.hasCommitted(held: held?.votes)
        }
        noteCommitted(partitions.all)
        if window != nil { noteCommittedLetters() }
        totals.commits += 1
        committedTotals = totals
        let now = ContinuousClock.now
        figures.committed()
        report.update { content in
            // Totals and latencies in one update, so that they always agree.
            content.totals = committedTotals
            content.commitLatency.record(now - began)
            for batch in pace.batches { content.latency.record(now - batch.polled, count: batch.records) }
            eventTimes.record(into: &content.eventLatency)
            content.committed = now
            if content.commits.count >= LaneReport.commitsKept { content.commits.removeFirst() }
            content.commits.append(
                LaneCommit(
                    lane: report.lane, time: WallClock.microseconds / 1000,
                    milliseconds: (now - began) / .milliseconds(1),
                    bytes: bytes, records: records))
            content.uncommittedSince = nil
        }
        eventTimes.removeAll()
        logger.trace("committed", metadata: ["milliseconds": .stringConvertible((now - began) / .milliseconds(1))])
        pace.committed()
        if records > 0 || changes == 0 { search.committed() }
        if changes > 0 { changeSearch.committed() }
        try publisher.settleDoubt(consumer)
        // Last: a store that loses its changes here begins a recovery, which takes back only uncommitted totals.
        for partition in partitions.all where partition.isRunning {
            if let live = partition.live { try markLettered(partition, live) }
        }
    }

    /// Brokers delete a group's offsets of topics that it does not subscribe to, such as the tables, a week after their
    /// last commit (`offsets.retention.minutes`, KIP-211). Without a refresh, the dead letters of a table at rest would
    /// be published again.
    private var isRefreshDue: Bool { .now - refreshed >= Self.refreshPause }
    static let refreshPause = Duration.seconds(3600)

    private func movedOffsets() -> (offsets: [TopicPartition: Int64], notes: [TopicPartition: String]) {
        var offsets: [TopicPartition: Int64] = [:]
        var notes: [TopicPartition: String] = [:]
        for partition in partitions.all {
            if let next = partition.questions.next, next != partition.questions.committed {
                offsets[place(ofQuestions: partition.number)] = next
            }
            let held = partition.live?.heldPositions
            for table in Table.allCases {
                let heldOffset = held.map { table == .answers ? $0.answers : $0.votes }
                let progress = partition[table]
                guard let offset = progress.offsetToCommit(isRefresh: isRefreshDue, held: heldOffset) else { continue }
                let place = follower.place(table, partition.number)
                offsets[place] = offset
                if let note = progress.note(of: offset) { notes[place] = note }
            }
        }
        return (offsets, notes)
    }

    // MARK: - Recovery

    /// Forgets uncommitted work: its records are read again.
    func forgetUncommitted() {
        eventTimes.removeAll()
        totals.takeBack(to: committedTotals)
        figures.aborted()
        for partition in partitions.all { partition.live?.forget() }
        window?.restart()
    }

    /// Returns to the group's committed offsets. The broker is asked: when a commit's answer was lost, only it knows.
    func rewind() throws {
        let owned = partitions.all
        guard !owned.isEmpty else { return }
        try watch.during(.committedOffsets, as: .committing) { try goBack(owned) }
        try takeAgain(owned.filter { $0.store.isUndone || $0.live?.lacksEvents == true })
    }

    private func goBack(_ owned: [OwnedPartition]) throws {
        let (committed, notes) = try settledOffsets(owned)
        var seeks: [TopicPartition: Int64] = [:]
        for partition in owned {
            let place = place(ofQuestions: partition.number)
            partition.questions.committed = committed[place]
            // Also where no event was worked on since the last commit: the consumer may be ahead by a batch that was
            // given up.
            guard partition.questions.first != nil, let resume = committed[place] ?? partition.questions.first else {
                continue
            }
            if let committed = committed[place] { partition.compareQuestions(withCommitted: committed) }
            if partition.questions.next != nil { partition.questions.next = resume }
            partition.questions.isAtEnd = false
            seeks[place] = resume
        }
        if !seeks.isEmpty { try consumer.seek(seeks, timeout: .seconds(30)) }
        try follower.rewind(owned, committed: committed, notes: notes)
    }

    private func settledOffsets(
        _ owned: [OwnedPartition]
    ) throws(LaneFault) -> (offsets: [TopicPartition: Int64], notes: [TopicPartition: String]) {
        var own: [TopicPartition: Int64] = [:]
        for partition in owned {
            own[place(ofQuestions: partition.number)] = partition.questions.committed
            for table in Table.allCases where partition[table].committed > 0 {
                own[follower.place(table, partition.number)] = partition[table].committed
            }
        }
        let places = owned.flatMap { partition in
            [place(ofQuestions: partition.number)] + Table.allCases.map { follower.place($0, partition.number) }
        }
        return try settledOffsets(of: places, notBelow: own)
    }
}

extension CommittingLane {
    /// Works until told to stop, then commits for the last time.
    /// - Parameters:
    ///   - begin: makes the lane a member of its group.
    ///   - turn: one step, and the recovery from its fault.
    /// - Throws: the error that ends the worker.
    func work(begin: () throws -> Void, turn: () throws -> Void) throws {
        do {
            try publisher.start(consumer)
            try begin()
            while !stop.isRequested { try turn() }
            try commit()
        } catch LaneFault.stopped {
            logger.warning("stopped before the last commit; its events will be worked on again")
        } catch let fault as LaneFault where stop.isRequested {
            guard let cause = fault.repeatableCause else { throw fault }
            logger.warning(
                "the last commit failed; its events will be worked on again", metadata: ["cause": "\(cause)"])
        }
    }

    func commitOrRecover() throws {
        do { try commit() } catch { try recover(from: error) }
    }

    /// Voids uncommitted work, rests a little, and returns to the committed offsets. Repeats that until it succeeds.
    /// - Throws: the first fault that is not repeatable, and any fault at a stop.
    func recover(from fault: LaneFault) throws {
        watch.clock.begin(.committing)
        figures.noteTrouble()
        var next: LaneFault? = fault
        while let fault = next {
            next = nil
            do {
                try recoverOnce(from: fault)
            } catch let another as LaneFault where !stop.isRequested && another.repeatableCause != nil {
                next = another
            } catch let error as KafkaError where !stop.isRequested {
                next = LaneFault(error)
            }
        }
    }

    private func recoverOnce(from fault: LaneFault) throws {
        if let refusal = publisher.refusal { try heed(refusal) }
        switch fault {
        case .aborted(let error):
            LogBound.shared.warn(
                logger, "transaction aborted", cause: "\(error)",
                metadata: ["bytes": .stringConvertible(publisher.uncommittedBytes)])
            report.note(.abort, "\(error)")
            try void()
            // An output topic recreated with fewer partitions would refuse the same partition number for ever.
            if error.isUnknownPartition { try refreshLayout() }
        case .fenced(let error):
            report.note(.renewal, "\(error)")
            try publisher.renew(after: error, consumer)
        case .evicted(let error):
            report.note(.lost, "\(error)")
            try void()
            try joinAgain(after: error)
        case .undone(let error):
            logger.warning("a store lost uncommitted changes", metadata: ["cause": "\(error)"])
            report.note(.abort, "\(error)")
            try void()
        case .stopped, .fatal:
            throw fault
        }
        totals.aborts += 1
        let pause = pace.failed()
        forgetUncommitted()
        watch.during(.retry, as: .committing, since: figures.trouble, cause: fault.repeatableCause.map { "\($0)" }) {
            rest(pause)
        }
        try rewind()
    }

    /// Looks for the record that the broker refused, so that it does not hold back the others.
    private func heed(_ refusal: DeliveryFailure) throws(LaneFault) {
        logger.warning(
            "record refused",
            metadata: ["topic": "\(refusal.topic)", "cause": "\(refusal.reason) (\(refusal.name))"])
        if publisher.isOfDeadLetters(refusal) {
            try publisher.changeLetters(after: refusal)
        } else {
            noteRefusal("\(refusal.reason) (\(refusal.name))")
        }
    }

    /// Recovers, as ``recover(from:)`` does, after partitions were lost; the transaction itself has no fault.
    /// - Parameter handBack: releases the lost partitions: others may own them, so the rewind must not touch them.
    func abandon(_ handBack: () throws -> Void) throws {
        try void()
        try handBack()
        pace.committed()
        forgetUncommitted()
        do { try rewind() } catch let error as KafkaError { try recover(from: LaneFault(error)) }
    }

    private func void() throws(LaneFault) {
        do throws(LaneFault) {
            try publisher.abort()
            try publisher.settleDoubt(consumer)
        } catch {
            switch error {
            case .aborted(let cause), .fenced(let cause), .evicted(let cause):
                try publisher.renew(after: cause, consumer)
            case .undone, .stopped, .fatal: throw error
            }
        }
    }

    /// Committed offsets of these partitions, none below the lane's own commits. A coordinator that resigns may report
    /// that a group has committed nothing; the lane asks again, and the next coordinator knows.
    /// - Parameter own: offsets that the lane knows to be committed.
    func settledOffsets(
        of places: [TopicPartition], notBelow own: [TopicPartition: Int64]
    ) throws(LaneFault) -> (offsets: [TopicPartition: Int64], notes: [TopicPartition: String]) {
        // Limits how long a coordinator is asked again when its answers are below the lane's own commits.
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let (answered, notes) = try committedOffsets(places)
            let fallen = own.filter { place, offset in (answered[place] ?? -1) < offset }
            if fallen.isEmpty { return (answered, notes) }
            if stop.isRequested { throw .stopped }
            guard ContinuousClock.now < deadline else {
                logger.error(
                    "the group's coordinator has lost committed offsets; going on from the lane's own",
                    metadata: ["partitions": .array(fallen.keys.sorted().map { "\($0)" })])
                return (answered.merging(fallen) { $1 }, notes)
            }
            rest(.milliseconds(200))
        }
    }

    /// Waits for the answer as long as it takes.
    func committedOffsets(
        _ places: [TopicPartition]
    ) throws(LaneFault) -> (offsets: [TopicPartition: Int64], notes: [TopicPartition: String]) {
        while true {
            do throws(KafkaError) {
                var notes: [TopicPartition: String] = [:]
                let offsets = try consumer.committedOffsets(places, notes: &notes, timeout: .seconds(5))
                return (offsets, notes)
            } catch {
                if stop.isRequested { throw .stopped }
                let fault = LaneFault(error)
                if fault.isLasting { throw fault }
                waitLog.note(error, logger: logger)
                watch.note(error)
                rest(.milliseconds(200))
            }
        }
    }

    func rest(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while ContinuousClock.now < end && !stop.isRequested { Thread.sleep(forTimeInterval: 0.02) }
    }
}
