import KafkaClient
import Logging

/// Says that a lane waits, once it has waited for a while, and again now and then, less and less often: no worker hangs
/// silently, and none fills a log.
struct WaitLog {
    private static let pause = Duration.seconds(5)
    private static let longestPause = Duration.seconds(60)
    /// Calls further apart than this are of different waits.
    private static let gap = Duration.seconds(2)

    private var began = ContinuousClock.now
    private var lastCall: ContinuousClock.Instant?
    private var lastLine = ContinuousClock.now

    /// A call to a broker has to be made again.
    mutating func note(_ error: KafkaError, logger: Logger) {
        let now = ContinuousClock.now
        // A call that timed out lasted seconds itself, and belongs to the wait that it was part of.
        if lastCall.map({ now - $0 > Self.gap && !error.isTimeout }) ?? true { began = now }
        lastCall = now
        note("waiting for the broker", since: began, logger: logger, metadata: ["cause": "\(error)"])
    }

    /// Something has not come about since then.
    mutating func note(
        _ message: Logger.Message, since: ContinuousClock.Instant, logger: Logger, metadata: Logger.Metadata
    ) {
        let now = ContinuousClock.now
        // A wait that has lasted twice as long is worth another line.
        let pause = max(Self.pause, min(Self.longestPause, lastLine - since))
        guard now - since >= Self.pause, now - lastLine >= pause else { return }
        lastLine = now
        logger.warning(
            message,
            metadata: metadata.merging(["seconds": .stringConvertible(Int((now - since) / .seconds(1)))]) { $1 })
    }
}
