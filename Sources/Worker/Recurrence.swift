/// Counts events of the last minute: a fault that passes by itself once is one that stays when it recurs.
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
