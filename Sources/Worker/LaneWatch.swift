import KafkaClient

/// Publishes a lane's waits. The reason is published before each call that may block for long, so that a lane is seen
/// to be held up while it is. Lane thread only.
final class LaneWatch {
    /// State before a wait, restored at its end.
    private struct Before {
        let phase: LaneClock.Phase
        let wait: LaneWait?
    }

    let clock = LaneClock()
    private let report: LaneReport
    /// The current wait.
    private(set) var wait: LaneWait?
    /// The wait that lasts between the lane's steps.
    private var standing: LaneWait?
    /// The latest wait that ended, so that a wait of many short pieces counts as one.
    private var ended: (reason: LaneWait.Reason, since: ContinuousClock.Instant, at: ContinuousClock.Instant)?
    /// Longest gap between two pieces of one wait.
    private static let gap = Duration.milliseconds(100)

    init(report: LaneReport) {
        self.report = report
    }

    /// Calls `body`, which may hold the lane up.
    /// - Parameters:
    ///   - activity: the activity that the time counts as.
    ///   - since: the wait's beginning, if it is earlier than now.
    func during<Result, Failure>(
        _ reason: LaneWait.Reason, as activity: LaneActivity, since: ContinuousClock.Instant? = nil,
        cause: String? = nil, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let before = begin(reason, as: activity, since: since, cause: cause)
        defer { end(before) }
        return try body()
    }

    /// As ``during(_:as:since:cause:_:)``, for one of a wait's many short pieces: it began with the first of them.
    func duringPiece(_ reason: LaneWait.Reason, as activity: LaneActivity, cause: String, _ body: () -> Void) {
        var since: ContinuousClock.Instant?
        if let ended, ended.reason == reason, .now - ended.at < Self.gap { since = ended.since }
        during(reason, as: activity, since: since, cause: cause, body)
    }

    private func begin(
        _ reason: LaneWait.Reason, as activity: LaneActivity, since: ContinuousClock.Instant?, cause: String?
    ) -> Before {
        let before = Before(phase: clock.phase, wait: wait)
        clock.begin(activity)
        wait = LaneWait(reason: reason, since: since ?? .now, cause: cause)
        publish(activity)
        return before
    }

    private func end(_ before: Before) {
        if let wait { ended = (wait.reason, wait.since, .now) }
        clock.begin(before.phase)
        wait = before.wait
        publish(nil)
    }

    /// Ends the current wait and begins the next.
    func go(on reason: LaneWait.Reason) {
        wait = LaneWait(reason: reason, since: .now)
        let wait = wait
        report.update { $0.wait = wait }
    }

    /// Notes the error of a call that is repeated as the cause of the current wait.
    func note(_ error: KafkaError, reason: LaneWait.Reason? = nil) {
        guard wait != nil else { return }
        if let reason { wait?.reason = reason }
        wait?.cause = "\(error)"
        let wait = wait
        report.update { $0.wait = wait }
    }

    /// Sets the wait that lasts between steps; published with the lane's next report.
    func stand(_ wait: LaneWait?) {
        standing = wait
        self.wait = wait
    }

    /// - Parameter activity: the lane's activity until it publishes again; nil: no single one.
    private func publish(_ activity: LaneActivity?) {
        report.update { content in
            let now = ContinuousClock.now
            content.wait = wait
            clock.write(into: &content.times)
            content.timed = now
            content.busy = activity.map { LaneReport.Busy(activity: $0, since: now, standing: standing) }
        }
    }
}
