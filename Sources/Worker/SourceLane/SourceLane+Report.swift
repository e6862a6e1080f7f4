import Histogram
import KafkaClient

/// What the lane shows of itself.
extension SourceLane {
    /// Publishes the lane's totals and times, and now and then how far it is behind.
    /// - Parameter isLast: the lane has ended.
    func publishReport(isLast: Bool = false) {
        let now = ContinuousClock.now
        guard
            isLast || figures.isOutdated || now - figures.reported >= .milliseconds(100)
                || totals.commits != figures.reportedCommits || figures.steps.count >= LaneRecord.stepsKept
        else { return }
        figures.isOutdated = false
        figures.reported = now
        figures.reportedCommits = totals.commits
        let isLocating = !isLast && now - figures.located >= .milliseconds(200)
        if isLocating {
            figures.located = now
            noteThrottles()
        }
        let lags = isLocating ? currentLags() : nil
        watch.stand(isLast ? nil : standingWait)
        report.update { content in
            content.totals = totals
            content.totals.takeBack(to: committedTotals)
            content.turned = now
            content.hasEnded = isLast
            content.timed = nil
            content.hasBeenAssigned = figures.hasBeenAssigned
            content.uncommittedSince = pace.firstUncommitted
            content.deadLetters = figures.deadLetters
            content.wait = watch.wait
            for step in figures.steps { content.steps.record(microseconds: step / 1000, count: 1) }
            clock.write(into: &content.times)
            if let lags { content.lags = lags }
            content.throttle = figures.throttle
        }
        figures.removeSteps()
    }

    private func noteThrottles() {
        for throttles in [consumer.takeThrottles(), follower.takeThrottles(), publisher.takeThrottles()] {
            totals.throttledMilliseconds += throttles.milliseconds
            guard let latest = throttles.latest else { continue }
            figures.throttle = LaneThrottle(
                broker: latest.broker, seconds: Double(latest.milliseconds) / 1000, at: latest.at)
        }
    }

    /// What the lane is held up by while it turns.
    private var standingWait: LaneWait? {
        if case .behind(let since, _) = indexState {
            return LaneWait(reason: .sourceIndex, since: since, cause: consumer.lastTrouble?.reason)
        }
        return figures.unassigned.map {
            LaneWait(reason: .assignment, since: $0, cause: consumer.lastTrouble?.reason)
        }
    }

    private func currentLags() -> [PartitionLag] {
        partitions.map { place, progress in
            let end = consumer.cachedWatermarks(place)?.high ?? 0
            let next = progress.next ?? progress.committed
            return PartitionLag(place: place, records: max(0, end - (next ?? 0)), next: next)
        }
    }
}
