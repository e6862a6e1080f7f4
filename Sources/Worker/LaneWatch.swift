import KafkaClient

/// What a lane tells of itself while it cannot: before each call that may block for long it is published what for, so that
/// whoever watches sees a lane that is held up as it is held up. Lane thread only.
final class LaneWatch {
    /// What was before a wait, for its end.
    struct Before {
        fileprivate let phase: LaneClock.Phase
        fileprivate let wait: LaneWait?
    }

    let clock = LaneClock()
    private let report: LaneReport
    /// What the lane is held up by at the moment.
    private(set) var wait: LaneWait?
    /// What it is held up by between its steps.
    private var standing: LaneWait?
    /// When a wait of a kind that comes in many short pieces last ended.
    private var ended: (reason: LaneWait.Reason, since: ContinuousClock.Instant, at: ContinuousClock.Instant)?
    /// Pieces of a wait lie no further apart than this.
    private static let gap = Duration.milliseconds(100)

    init(report: LaneReport) {
        self.report = report
    }

    /// The lane is about to do what may hold it up.
    /// - Parameters:
    ///   - activity: what the time of it counts as.
    ///   - since: when it began, if it did before.
    func begin(
        _ reason: LaneWait.Reason, as activity: LaneActivity, since: ContinuousClock.Instant? = nil,
        cause: String? = nil
    ) -> Before {
        let before = Before(phase: clock.phase, wait: wait)
        clock.begin(activity)
        wait = LaneWait(reason: reason, since: since ?? .now, cause: cause)
        publish(activity)
        return before
    }

    /// As ``begin(_:as:since:cause:)``, for a wait that is made of many short ones: it began with the first of them.
    func resume(_ reason: LaneWait.Reason, as activity: LaneActivity, cause: String) -> Before {
        var since: ContinuousClock.Instant?
        if let ended, ended.reason == reason, .now - ended.at < Self.gap { since = ended.since }
        return begin(reason, as: activity, since: since, cause: cause)
    }

    /// It is through.
    func end(_ before: Before) {
        if let wait { ended = (wait.reason, wait.since, .now) }
        clock.begin(before.phase)
        wait = before.wait
        publish(nil)
    }

    /// That is through, and the next thing is begun that may hold the lane up.
    func go(on reason: LaneWait.Reason) {
        wait = LaneWait(reason: reason, since: .now)
        let wait = wait
        report.update { $0.wait = wait }
    }

    /// What the lane waits for did not come about, and is tried again.
    func note(_ error: KafkaError, reason: LaneWait.Reason? = nil) {
        guard wait != nil else { return }
        if let reason { wait?.reason = reason }
        wait?.cause = "\(error)"
        let wait = wait
        report.update { $0.wait = wait }
    }

    /// What the lane is held up by between its steps; published with its next report.
    func stand(_ wait: LaneWait?) {
        standing = wait
        self.wait = wait
    }

    /// - Parameter activity: what the lane does until it publishes again; nil: one thing and another.
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
