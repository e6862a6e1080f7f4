import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// What the lane does about offsets that do not match their logs, and what it notes so that it can tell.
extension Lane {
    /// How often a partition's committed offsets are noted while they move.
    private static let notePause = Duration.seconds(30)
    /// How often one partition is asked whether records that did not come have been deleted.
    private static let gapPause = Duration.seconds(1)

    // MARK: - At a take-over

    /// What this worker has noted of the group's offsets of a partition number.
    func notedOffsets(of number: Int32) -> [TopicPartition: Int64] {
        guard let mark = stateDirectory.committedMark(of: number), mark.clusterID == clusterID,
            mark.group == configuration.groupID, mark.topics == configuration.topics.inputs
        else { return [:] }
        return zip(mark.topics, mark.offsets).reduce(into: [:]) { noted, entry in
            if let offset = entry.1 { noted[TopicPartition(topic: entry.0, partition: number)] = offset }
        }
    }

    /// - Throws: `fatal` where the settings want the worker to end at what was found. A store that is ahead of its topic is rebuilt
    ///   whatever they want: that publishes nothing a second time.
    func stopIfMismatched(_ resets: [OffsetReset]) throws(LaneFault) {
        guard configuration.offsetMismatch == .stop,
            let reset = resets.first(where: { $0.reason != .beyondEnd || topicIndex(of: $0) == 0 })
        else { return }
        count(reset)
        publishReport()
        throw .fatal(
            WorkerError(.configuration, "\(reset.place): \(reset.finding): \(reset.advice)"))
    }

    /// Has the partition go on from where the mismatches leave it, and says and counts them. The group's offsets are set right with
    /// the next commit, whether anything comes or not.
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

    /// Records were expected from `next` on and others came: gaps are common (control records, compaction), so one is looked at
    /// now and then, and only what the broker has deleted is a loss.
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
    /// - Parameter isLast: of all whose offsets have moved, since they are let go of.
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

/// Records that were expected and did not come.
struct OffsetGap: Equatable {
    /// Where the next record was expected.
    var from: Int64
    /// Where the next one was.
    var to: Int64
}

extension OffsetReset {
    /// As the log has it; it does not vary with the data.
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
