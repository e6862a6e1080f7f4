import KafkaClient
import Logging

/// Logs a lane's waits: the first line after a while, further ones less and less often. So no worker hangs silently,
/// and none fills a log.
struct WaitLog {
    private static let pause = Duration.seconds(5)
    private static let longestPause = Duration.seconds(60)
    /// Calls further apart than this belong to different waits.
    private static let gap = Duration.seconds(2)

    private var began = ContinuousClock.now
    private var lastCall: ContinuousClock.Instant?
    private var lastLine = ContinuousClock.now

    /// Notes that a call to a broker must be repeated.
    mutating func note(_ error: KafkaError, logger: Logger) {
        let now = ContinuousClock.now
        // A call that timed out lasted seconds itself, and belongs to the wait that it was part of.
        if lastCall.map({ now - $0 > Self.gap && !error.isTimeout }) ?? true { began = now }
        lastCall = now
        note("waiting for the broker", since: began, logger: logger, metadata: ["cause": "\(error)"])
    }

    /// Logs a wait that goes on since `since`, when a line is due.
    mutating func note(
        _ message: Logger.Message, since: ContinuousClock.Instant, logger: Logger, metadata: Logger.Metadata
    ) {
        let now = ContinuousClock.now
        // A line is due again once the wait has lasted twice as long.
        let pause = max(Self.pause, min(Self.longestPause, lastLine - since))
        guard now - since >= Self.pause, now - lastLine >= pause else { return }
        lastLine = now
        logger.warning(
            message,
            metadata: metadata.merging(["seconds": .stringConvertible(Int((now - since) / .seconds(1)))]) { $1 })
    }
}
