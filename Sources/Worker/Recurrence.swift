/// Counts what happened within the last minute: what passes by itself once is a fault that stays when it recurs.
struct Recurrence {
    private static let span = Duration.seconds(60)
    private var times: [ContinuousClock.Instant] = []

    /// How often it happened within the minute before the last `note`.
    var count: Int { times.count }

    mutating func note(now: ContinuousClock.Instant = .now) {
        times.removeAll { now - $0 >= Self.span }
        times.append(now)
    }
}
