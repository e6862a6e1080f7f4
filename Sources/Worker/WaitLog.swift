import KafkaClient
import Logging

/// Says that a lane waits for a broker, once it has waited for a while, and again now and then: no worker hangs silently.
struct WaitLog {
    private static let pause = Duration.seconds(5)
    /// Calls further apart than this are of different waits.
    private static let gap = Duration.seconds(2)

    private var began: ContinuousClock.Instant?
    private var lastCall = ContinuousClock.now
    private var lastLine = ContinuousClock.now

    mutating func note(_ error: KafkaError, logger: Logger) {
        let now = ContinuousClock.now
        // A timed-out call lasted seconds itself, and belongs to the wait that it was part of.
        if began == nil || (now - lastCall > Self.gap && !error.isTimeout) {
            began = now
            lastLine = now
        }
        lastCall = now
        guard let began, now - lastLine >= Self.pause else { return }
        lastLine = now
        logger.warning(
            "waiting for the broker",
            metadata: ["seconds": .stringConvertible(Int((now - began) / .seconds(1))), "cause": "\(error)"])
    }
}
