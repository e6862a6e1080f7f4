/// Says when something that is to happen at even intervals is due. What was missed is not made up for, and what came late
/// does not make the next come late.
struct MonitorPace: Sendable {
    /// When it is due next: whole intervals after the start.
    private(set) var due: ContinuousClock.Instant
    private let interval: Duration

    /// - Parameter interval: longer than nothing.
    init(start: ContinuousClock.Instant, interval: Duration) {
        self.interval = interval
        due = start + interval
    }

    mutating func isDue(_ now: ContinuousClock.Instant) -> Bool {
        guard now >= due else { return false }
        due += interval * (1 + Int((now - due) / interval))
        return true
    }
}
