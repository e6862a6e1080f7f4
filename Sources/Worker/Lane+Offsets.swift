import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Logging

/// Detects and handles offsets that do not match their logs, and keeps the notes that this needs.
extension Lane {
    /// How often a partition's committed offsets are noted while they move.
    private static let notePause = Duration.seconds(30)
    /// The pause between checks whether skipped records have been deleted.
    private static let gapPause = Duration.seconds(1)

    // MARK: - At a take-over

    /// The group's offsets of a partition number, as this worker last noted them.
    func notedOffsets(of number: Int32) -> [TopicPartition: Int64] {
        guard let mark = stateDirectory.committedMark(of: number), mark.clusterID == clusterID,
            mark.group == configuration.groupID, mark.topics == configuration.topics.inputs
        else { return [:] }
        return zip(mark.topics, mark.offsets).reduce(into: [:]) { noted, entry in
            if let offset = entry.1 { noted[TopicPartition(topic: entry.0, partition: number)] = offset }
        }
    }

    /// - Throws: `fatal` for a mismatch at which the settings end the worker. A store that is ahead of its topic is
    ///   rebuilt with any settings: that publishes no record a second time.
    func stopIfMismatched(_ resets: [OffsetReset]) throws(LaneFault) {
        guard configuration.offsetMismatch == .stop,
            let reset = resets.first(where: { $0.reason != .beyondEnd || topicIndex(of: $0) == 0 })
        else { return }
        count(reset)
        publishReport()
        throw .fatal(
            WorkerError(.configuration, "\(reset.place): \(reset.finding): \(reset.advice)"))
    }

    /// Resumes the partition after its mismatches, and logs and counts them. The next commit corrects the group's
    /// offsets, even without new records.
    func goOn(_ partition: OwnedPartition, after survey: OffsetSurvey) {
        for reset in survey.resets {
            count(reset)
            logger.error("\(reset.message)", metadata: reset.metadata)
        }
        if let reset = survey.questions {
            partition.questions.next = reset.to
            pace.note()
        }
        if survey.resets.contains(where: { $0.reason == .missing }) { refreshed = .now - Self.refreshPause }
    }

    private func count(_ reset: OffsetReset) {
        totals.offsetResets[topicIndex(of: reset), reset.reason] += 1
        figures.isOutdated = true
    }

    private func topicIndex(of reset: OffsetReset) -> Int {
        configuration.topics.inputs.firstIndex(of: reset.place.topic) ?? 0
    }

    // MARK: - While it runs

    /// Checks the newest gap between an expected offset and the next record's. Gaps are common (control records,
    /// compaction), so one is checked now and then, and only records that the broker has deleted are a loss.
    func lookAtGaps() {
        let now = ContinuousClock.now
        guard now - figures.gapsLookedAt >= Self.gapPause else { return }
        figures.gapsLookedAt = now
        var newest: (place: TopicPartition, gap: OffsetGap)?
        for partition in partitions.all {
            if let gap = partition.questions.gap { newest = (place(ofQuestions: partition.number), gap) }
            partition.questions.gap = nil
            for table in Table.allCases {
                if let gap = partition[table].gap { newest = (follower.place(table, partition.number), gap) }
                partition[table].gap = nil
            }
        }
        guard let (place, gap) = newest else { return }
        guard let span = try? publisher.queryWatermarks(place, timeout: .milliseconds(250)), span.low > gap.from else {
            return
        }
        let reset = OffsetReset(
            place: place, reason: .belowStart, from: gap.from, to: min(gap.to, span.low), low: span.low, high: span.high
        )
        count(reset)
        logger.error("\(reset.message)", metadata: reset.metadata)
    }

    // MARK: - Notes

    /// Notes the committed offsets of partitions that have not been noted for a while.
    /// - Parameter isLast: the partitions are released: all whose offsets have moved are noted.
    func noteCommitted(_ owned: [OwnedPartition], isLast: Bool = false) {
        let now = ContinuousClock.now
        for partition in owned where isLast || partition.noted.map({ now - $0.time >= Self.notePause }) ?? true {
            let tables = Table.allCases.map { partition[$0].committed > 0 ? partition[$0].committed : nil }
            let offsets = [partition.questions.committed] + tables
            guard offsets.contains(where: { $0 != nil }), offsets != partition.noted?.offsets else { continue }
            partition.noted = (offsets, now)
            let mark = CommittedMark(
                clusterID: clusterID, group: configuration.groupID, topics: configuration.topics.inputs,
                offsets: offsets)
            do throws(SystemFailure) {
                try stateDirectory.note(mark, of: partition.number)
            } catch {
                logger.warning(
                    "committed offsets not noted: should the group's expire, that cannot be told from a new group",
                    metadata: ["partition": .stringConvertible(partition.number), "cause": "\(error.text)"])
            }
        }
    }
}

/// A gap between expected and received offsets.
struct OffsetGap: Equatable {
    /// The offset at which the next record was expected.
    var from: Int64
    /// The next record's offset.
    var to: Int64
}

extension OffsetReset {
    /// The log's message; it does not vary with the data.
    var message: String {
        switch reason {
        case .beyondEnd: "offset reset: the committed offset is beyond the end of its log"
        case .belowStart: "offset reset: records were deleted before they were worked on"
        case .missing: "offset reset: the group has lost the offset that this worker had committed"
        }
    }

    var metadata: Logger.Metadata {
        [
            "topic": "\(place.topic)", "partition": .stringConvertible(place.partition), "reason": "\(reason.rawValue)",
            "from": .stringConvertible(from), "to": .stringConvertible(to), "start": .stringConvertible(low),
            "end": .stringConvertible(high),
        ]
    }
}
