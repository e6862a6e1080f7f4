import KafkaClient
import Logging

/// Errors that a consumer hands over between messages in one turn of polling. Most pass by themselves; some never do.
struct ConsumerFailure {
    /// The turn's error: the first that ends the worker, else the last.
    private(set) var error: KafkaError?

    mutating func note(_ new: KafkaError) {
        if let error, Self.end(error) != nil { return }
        error = new
    }

    /// Ends the turn: logs an error that passes.
    /// - Parameter reading: "questions", "tables".
    /// - Throws: the error that ends the worker.
    mutating func settle(reading: String, _ logger: Logger) throws(LaneFault) {
        guard let error else { return }
        self.error = nil
        if let end = Self.end(error) { throw .fatal(end) }
        logger.warning("reading the \(reading)", metadata: ["cause": "\(error)"])
    }

    /// The worker's end that follows from an error; nil: the error passes.
    private static func end(_ error: KafkaError) -> WorkerError? {
        if case .fatal(let end) = LaneFault(error) { return end }
        return error.isFatal
            ? WorkerError(.failed, "\(error); the consumer cannot go on, start the worker again") : nil
    }
}
