import Histogram
import KafkaClient

/// The part of the report that all lanes share.
extension CommittingLane {
    /// Whether the lane's report is due; if so, it counts as published.
    /// - Parameter isLast: the lane has ended.
    func beginReport(isLast: Bool, at now: ContinuousClock.Instant) -> Bool {
        guard
            isLast || figures.isOutdated || now - figures.reported >= .milliseconds(100)
                || totals.commits != figures.reportedCommits
                || figures.steps.count >= LaneRecord.stepsKept
        else { return false }
        figures.isOutdated = false
        figures.reported = now
        figures.reportedCommits = totals.commits
        return true
    }

    /// - Parameter throttles: of each of the lane's clients.
    func note(_ throttles: ClientThrottles...) {
        for throttles in throttles {
            totals.throttledMilliseconds += throttles.milliseconds
            guard let latest = throttles.latest else { continue }
            figures.throttle = LaneThrottle(
                broker: latest.broker, seconds: Double(latest.milliseconds) / 1000, at: latest.at)
        }
    }

    /// Writes the fields that question lanes and source lanes have in common.
    func write(into content: inout LaneReport.Content, isLast: Bool, at now: ContinuousClock.Instant) {
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
        watch.clock.write(into: &content.times)
        content.throttle = figures.throttle
    }
}
