/// The due times of a periodic task. Missed times are skipped, and a late one does not delay the next.
struct MonitorPace: Sendable {
    /// The next due time: a whole number of intervals after the start.
    private(set) var due: ContinuousClock.Instant
    private let interval: Duration

    /// - Parameter interval: above zero.
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
