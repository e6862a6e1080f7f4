import AnswerStore
import KafkaClient
import Logging

/// State of the check of a source partition's committed offset.
enum SourceOffsetCheck {
    /// Not checked since the partition was assigned.
    case due
    /// A mismatch that may pass by itself: for a moment a resigning coordinator may report that a group has no offset,
    /// and a newly elected leader that its log ends early.
    case doubtful(OffsetReset, since: ContinuousClock.Instant)
    case done
}

/// Detects and handles offsets that do not match their logs, by the question lanes' rule.
extension SourceLane {
    /// Limit of the requests to brokers within one step: the lane has to go on polling.
    private static let patience = Duration.milliseconds(500)

    var owned: [TopicPartition] { Array(partitions.keys) }

    var unread: [UnreadPartition] {
        partitions.compactMap { place, progress in
            guard let since = progress.resumed, progress.next == nil else { return nil }
            return UnreadPartition(place: place, since: since, next: progress.committed ?? 0)
        }
    }

    func take(_ places: [TopicPartition]) throws {
        for place in places { partitions[place] = Progress() }
        try fallBehind()
    }

    func letGo(of places: [TopicPartition]) throws {
        try note(places)
        for place in places { partitions[place] = nil }
        try fallBehind()
    }

    func listed(_ places: [TopicPartition]) -> [Logger.MetadataValue] { places.sorted().map { "\($0)" } }

    /// Compares the committed offsets of new partitions with their logs, as many as a step has time for.
    /// - Returns: whether all match, or work resumes where the settings say.
    /// - Throws: `fatal` for a mismatch at which the settings end the worker.
    func checkOffsets() throws -> Bool {
        let end = ContinuousClock.now + Self.patience
        var isDone = true
        for place in partitions.keys.sorted() {
            guard let progress = partitions[place] else { continue }
            if case .done = progress.offsetCheck { continue }
            guard .now < end, try check(place, progress) else {
                isDone = false
                continue
            }
            partitions[place]?.offsetCheck = .done
        }
        return isDone
    }

    /// - Returns: false: it must be checked again.
    private func check(_ place: TopicPartition, _ progress: Progress) throws -> Bool {
        let span: (low: Int64, high: Int64)
        do throws(KafkaError) {
            span = try publisher.queryWatermarks(place, timeout: Self.patience)
        } catch {
            watch.note(error)
            return false
        }
        let committed = progress.next ?? progress.committed
        let noted = try store.committed(place.topic, place.partition, group: configuration.groupID)
        guard let reset = check.questions(place, committed: committed, noted: noted, span: span) else { return true }
        if reset.reason != .belowStart, !isConfirmed(reset, progress.offsetCheck) { return false }
        totals.offsetResets[OffsetResetCounts.sources, reset.reason] += 1
        figures.isOutdated = true
        guard configuration.offsetMismatch == .continue else {
            publishReport()
            throw LaneFault.fatal(
                WorkerError(.configuration, "\(reset.place): \(reset.finding): \(reset.advice)"))
        }
        logger.error("\(reset.message)", metadata: reset.metadata)
        try consumer.seek([place: reset.to], timeout: .seconds(10))
        partitions[place]?.skipped = nil
        partitions[place]?.first = reset.to
        partitions[place]?.next = reset.to
        // The next commit corrects the group's offset, even without new records.
        pace.note()
        return true
    }

    private func isConfirmed(_ reset: OffsetReset, _ state: SourceOffsetCheck) -> Bool {
        switch state {
        case .doubtful(let doubt, let since) where doubt.reason == reset.reason:
            return ContinuousClock.now - since >= TakeOver.confirmation
        case .due, .doubtful, .done:
            partitions[reset.place]?.offsetCheck = .doubtful(reset, since: .now)
            return false
        }
    }

    // MARK: - Notes

    /// Notes the committed offsets in the lane's store: they tell a group whose offsets expired from a new one.
    func note(_ places: some Sequence<TopicPartition>) throws(StoreError) {
        for place in places {
            guard let committed = partitions[place]?.committed else { continue }
            try store.noteCommitted(committed, place.topic, place.partition, group: configuration.groupID)
        }
    }
}
