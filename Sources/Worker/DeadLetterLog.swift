import Logging

/// Logs dead letters, at most one line a second; each line counts the letters left out before it.
struct DeadLetterLog {
    private static let pause = Duration.seconds(1)

    private let logger: Logger
    private var lastLine: ContinuousClock.Instant?
    private var unlogged = 0

    init(logger: Logger) {
        self.logger = logger
    }

    mutating func note(_ letter: DeadLetter) {
        let now = ContinuousClock.now
        if let lastLine, now - lastLine < Self.pause {
            unlogged += 1
            return
        }
        logger.warning(
            "dead letter",
            metadata: [
                "code": "\(letter.error.code.rawValue)", "reason": "\(letter.error.message)",
                "topic": "\(letter.topic)", "partition": .stringConvertible(letter.partition),
                "offset": .stringConvertible(letter.offset), "unlogged": .stringConvertible(unlogged),
            ])
        lastLine = now
        unlogged = 0
    }
}
