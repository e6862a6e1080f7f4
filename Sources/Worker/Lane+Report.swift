import AnswerStore
import Enrichment
import Histogram
import KafkaClient

/// The lane's report.
extension Lane {
    /// Input counts as missing after this time.
    private static let patience = Duration.seconds(1)

    /// Publishes the lane's totals and times, and now and then its lags.
    /// - Parameter isLast: the lane has ended, its stores are closed.
    func publishReport(isLast: Bool = false) {
        let now = ContinuousClock.now
        guard beginReport(isLast: isLast, at: now) else { return }
        let numbers = partitions.all.map(\.number)
        // A moved partition is reported at once, and by its new owner alone.
        let haveMoved = numbers != figures.shownPartitions
        figures.shownPartitions = numbers
        let isMeasuring = !isLast && (haveMoved || now - figures.measured >= .seconds(1))
        if isMeasuring { figures.measured = now }
        let isLocating = !isLast && (haveMoved || now - figures.located >= .milliseconds(200))
        if isLocating {
            figures.located = now
            note(consumer.takeThrottles(), follower.takeThrottles(), publisher.takeThrottles())
        }
        let lags = isLocating ? currentLags() : nil
        let stores = isMeasuring ? partitions.all.map { StoreFigures($0) } : nil
        let restores = takeOvers.map { RestoreProgress($0) } + partitions.all.compactMap { RestoreProgress($0) }
        let takingOver = takeOvers.flatMap { inputs(of: $0.number) }
        let waiting = window.map { window in
            WaitingFigures(
                questions: partitions.all.reduce(0) { $0 + ($1.live?.waiting.count ?? 0) }, since: window.oldest,
                coalesce: window.length)
        }
        watch.stand(isLast ? nil : standingWait(now))
        report.update { content in
            write(into: &content, isLast: isLast, at: now)
            content.partitions = numbers
            content.restoring = restores.map(\.partition)
            content.restores = restores
            content.takingOver = takingOver
            content.missingTopics = figures.missingTopics
            content.waiting = waiting
            if let lags { content.lags = lags }
            if let stores { content.stores = stores }
        }
        figures.removeSteps()
    }

    /// The wait that holds the lane up while it goes on turning; nil: there is none.
    private func standingWait(_ now: ContinuousClock.Instant) -> LaneWait? {
        if let since = takeOvers.map(\.since).min() {
            return LaneWait(reason: .takeOver, since: since, cause: figures.takeOverCause)
        }
        let restoring = partitions.all.lazy.filter { !$0.isRunning }
        if let since = restoring.map(\.assigned).min() {
            return LaneWait(reason: .restore, since: since, cause: cause(since, follower.lastTrouble))
        }
        if let since = figures.unassigned {
            return LaneWait(reason: .assignment, since: since, cause: cause(since, consumer.lastTrouble))
        }
        if let since = figures.inputMissing, now - since >= Self.patience {
            return LaneWait(reason: .input, since: since, cause: cause(since, consumer.lastTrouble))
        }
        return nil
    }

    /// - Parameter trouble: the last one of the client that the lane waits for.
    private func cause(_ since: ContinuousClock.Instant, _ trouble: ClientTrouble?) -> String? {
        guard let trouble, trouble.time >= since - Self.patience else { return nil }
        return trouble.reason
    }

    private func currentLags() -> [PartitionLag] {
        var lags: [PartitionLag] = []
        for partition in partitions.all {
            let place = place(ofQuestions: partition.number)
            let questions = partition.questions
            // Before the first fetch, and while the questions are paused, the take-over's end stands in.
            let end = max(questions.span.high, consumer.cachedWatermarks(place)?.high ?? 0)
            let next = questions.next ?? questions.committed ?? questions.span.low
            lags.append(PartitionLag(place: place, records: max(0, end - next), next: next))
            for table in Table.allCases {
                let records = follower.lag(table, of: partition)
                lags.append(
                    PartitionLag(
                        place: follower.place(table, partition.number), records: records, next: partition[table].next))
            }
        }
        return lags
    }
}

extension StoreFigures {
    fileprivate init(_ partition: OwnedPartition) {
        let usage = partition.store.usage
        self.init(
            partition: partition.number, bytes: usage.bytes, answers: usage.answerRows, votes: usage.voteRows)
    }
}

extension RestoreProgress {
    init(_ takeOver: TakeOver) {
        self.init(partition: takeOver.number, done: 0, of: nil, since: takeOver.since)
    }

    /// nil: it is not restoring.
    init?(_ partition: OwnedPartition) {
        if partition.isRunning { return nil }
        let (answers, votes) = (partition.answers.catchUp, partition.votes.catchUp)
        var done = answers.read + votes.read
        let all = answers.toRead + votes.toRead
        // In a load, reading is half of the work and writing the other half.
        if partition.store.isLoading { done = (done + Int64(partition.store.loadWritten * Double(all))) / 2 }
        self.init(partition: partition.number, done: done, of: all, since: partition.assigned)
    }
}

extension DeadLetterNote {
    init(_ letter: DeadLetter) {
        self.init(
            code: letter.error.code,
            place: TopicPartition(topic: letter.topic, partition: letter.partition),
            offset: letter.offset, message: letter.error.message, time: WallClock.microseconds / 1000)
    }
}
