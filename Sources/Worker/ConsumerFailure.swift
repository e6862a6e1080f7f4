import KafkaClient
import Logging

/// Errors that a consumer hands over between messages in one turn of polling. Most pass by themselves; some never do.
struct ConsumerFailure {
    /// The turn's error: the first that does not pass, else the last.
    private(set) var error: KafkaError?

    mutating func note(_ new: KafkaError) {
        if let error, Self.fault(of: error) != nil { return }
        error = new
    }

    /// Ends the turn: logs an error that passes, but not with every turn of an outage.
    /// - Parameter reading: "questions", "tables".
    /// - Throws: `fatal` for an error that ends the worker, `evicted` for the loss of the place in the group.
    mutating func settle(
        reading: String, _ logger: Logger, bound: LogBound = .shared
    ) throws(LaneFault) {
        guard let error else { return }
        self.error = nil
        if let fault = Self.fault(of: error) { throw fault }
        bound.warn(logger, "reading the \(reading)", cause: "\(error)")
    }

    /// The fault that an error leads to; nil: the error passes.
    private static func fault(of error: KafkaError) -> LaneFault? {
        let fault = LaneFault(error)
        if fault.isLasting { return fault }
        return error.isFatal
            ? .fatal(WorkerError(.failed, "\(error); the consumer cannot go on, start the worker again")) : nil
    }
}
