/// One reading of all clocks.
struct MonitorMoment: Sendable {
    var instant: ContinuousClock.Instant
    /// RFC 3339, UTC, milliseconds.
    var time: String
    var process: ProcessFigures

    static var now: MonitorMoment {
        let wall = LogClock.now()
        return MonitorMoment(
            instant: .now, time: LogClock.text(seconds: wall.seconds, milliseconds: wall.milliseconds),
            process: .now)
    }
}
