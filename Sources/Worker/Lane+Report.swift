import Enrichment
import Histogram
import KafkaClient

/// What the lane shows of itself.
extension Lane {
    /// Publishes the lane's totals, and now and then how far it is behind.
    func publishReport() {
        let now = ContinuousClock.now
        guard now - reported >= .milliseconds(100) || totals.commits != reportedCommits else { return }
        reported = now
        reportedCommits = totals.commits
        let lags = now - measuredLag >= .seconds(1) ? currentLags() : nil
        if lags != nil { measuredLag = now }
        let restoring = takeOvers.map(\.number) + partitions.all.filter { !$0.isRunning }.map(\.number)
        let numbers = partitions.all.map(\.number)
        report.update { content in
            content.totals = totals
            content.turned = now
            content.partitions = numbers
            content.restoring = restoring
            if let lags { content.lags = lags }
        }
    }

    private func currentLags() -> [PartitionLag] {
        var lags: [PartitionLag] = []
        for partition in partitions.all {
            let place = place(ofQuestions: partition.number)
            let questions = partition.questions
            // Before the first fetch, and while the questions are paused, the end is the one of the take-over.
            let end = max(questions.span.high, consumer.cachedWatermarks(place)?.high ?? 0)
            let next = questions.next ?? questions.committed ?? questions.span.low
            lags.append(PartitionLag(place: place, records: max(0, end - next)))
            for table in Table.allCases {
                if let records = follower.lag(table, of: partition) {
                    lags.append(PartitionLag(place: follower.place(table, partition.number), records: records))
                }
            }
        }
        return lags
    }
}

extension Histogram<UInt32> {
    mutating func recordMicroseconds(_ duration: Duration, count: Int) {
        let microseconds = UInt64(Swift.max(0, Swift.min(duration / .microseconds(1), 599_000_000)))
        record(microseconds, count: UInt32(clamping: count))
    }
}
