import AnswerStore
import KafkaClient
import Logging

/// Commits a step's outputs together with its offsets; ``CommittingLane`` recovers from faults.
extension SourceLane {
    func noteRefusal(_ reason: String) {
        search.refused(reason, events: totals.sourceRecords - committedTotals.sourceRecords)
    }

    func commitIfDue() throws(LaneFault) {
        if search.limit != nil, publisher.hasUncommitted { return try commit() }
        if pace.isDue(produced: publisher.hasUncommitted, bytes: publisher.uncommittedBytes) { try commit() }
    }

    func commit() throws(LaneFault) {
        var offsets: [TopicPartition: Int64] = [:]
        for (place, progress) in partitions {
            if let next = progress.next, next != progress.committed { offsets[place] = next }
        }
        guard !offsets.isEmpty || publisher.hasUncommitted else {
            committedTotals = totals
            return pace.committed()
        }
        let began = ContinuousClock.now
        let (bytes, records) = (publisher.uncommittedBytes, totals.sourceRecords - committedTotals.sourceRecords)
        try publisher.commit(offsets, of: consumer)
        index.commit()
        for (place, offset) in offsets { partitions[place]?.committed = offset }
        try noteNowAndThen()
        totals.commits += 1
        committedTotals = totals
        figures.committed()
        let now = ContinuousClock.now
        report.update { content in
            content.totals = committedTotals
            content.commitLatency.record(now - began)
            content.committed = now
            if content.commits.count >= LaneReport.commitsKept { content.commits.removeFirst() }
            content.commits.append(
                LaneCommit(
                    lane: report.lane, time: WallClock.microseconds / 1000,
                    milliseconds: (now - began) / .milliseconds(1), bytes: bytes, records: records))
            content.uncommittedSince = nil
        }
        logger.trace("committed", metadata: ["milliseconds": .stringConvertible((now - began) / .milliseconds(1))])
        pace.committed()
        search.committed()
        try publisher.settleDoubt(consumer)
    }

    private func noteNowAndThen() throws(LaneFault) {
        guard noted.map({ .now - $0 >= Self.notePause }) ?? true else { return }
        noted = .now
        try storing { () throws(StoreError) in try note(partitions.keys) }
    }

    func forgetUncommitted() {
        index.abort()
        totals.takeBack(to: committedTotals)
        figures.aborted()
    }

    /// Does nothing: librdkafka places records by their keys, and index entries keep their first placement.
    func refreshLayout() {}

    /// Returns to the group's committed offsets. Index entries of a commit whose answer was lost are in the topic
    /// alone, so the store must reach the topic's end before work goes on.
    func rewind() throws {
        guard !partitions.isEmpty else { return }
        try watch.during(.committedOffsets, as: .committing) { try goBack() }
    }

    private func goBack() throws {
        let (committed, _) = try settledOffsets(
            of: Array(partitions.keys), notBelow: partitions.compactMapValues(\.committed))
        var seeks: [TopicPartition: Int64] = [:]
        for (place, progress) in partitions {
            partitions[place]?.committed = committed[place]
            // Also where no record was worked on since the last commit: the consumer may be ahead by a batch that was
            // given up.
            guard progress.first != nil, let resume = committed[place] ?? progress.first else { continue }
            if progress.next != nil { partitions[place]?.next = resume }
            // The pause that `fallBehind` begins keeps the place: a seek makes librdkafka forget how far it has handed
            // out (its issue 3567), which a pause alone would go back to.
            partitions[place]?.skipped = nil
            seeks[place] = resume
        }
        if !seeks.isEmpty { try consumer.seek(seeks, timeout: .seconds(30)) }
        try fallBehind()
    }
}
