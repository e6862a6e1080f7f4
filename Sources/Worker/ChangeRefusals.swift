import Bytes

/// Finds the questions whose changed record a broker refuses, as ``RefusalSearch`` finds events: each refusal halves
/// the number of changes that a transaction publishes. After an abort all changes since the held offsets are found
/// again in the same order, so the number grows only once a question is found: a commit before that is no sign of
/// progress.
///
/// During a search, transactions hold events or changes, never both, so that a refusal goes to the right search.
struct ChangeSearch {
    private enum State {
        /// No search.
        case off
        /// The limit of a transaction's changes, until a question is found.
        case narrowing(limit: Int)
        /// A question was found; each commit doubles the limit.
        case widening(limit: Int)
    }

    private var state = State.off

    /// Limit of a transaction's changes; nil: none.
    var limit: Int? {
        switch state {
        case .off: nil
        case .narrowing(let limit), .widening(let limit): limit
        }
    }

    /// Notes that a broker refused a record of the current transaction.
    /// - Parameter changes: the number of the transaction's changes.
    /// - Returns: whether a single change was refused, alone in its transaction.
    mutating func refused(changes: Int) -> Bool {
        let isFound = limit == 1 && changes == 1
        state = isFound ? .widening(limit: 2) : .narrowing(limit: max(1, min(changes, limit ?? changes) / 2))
        return isFound
    }

    /// Notes that the current transaction, with changes in it, is committed.
    mutating func committed() {
        guard case .widening(let limit) = state else { return }
        state = limit >= PublishWindow.bounds.records ? .off : .widening(limit: limit * 2)
    }

    /// Ends the search, as nothing waits any more: the refused change was taken the next time, or is gone.
    mutating func end() { state = .off }
}

/// Questions of a partition whose changed record a broker has refused: they wait for an event of their own. Lane thread
/// only.
struct WithheldQuestions {
    private enum State {
        /// Refused when it stood alone, with the broker's reason. Its dead letter must be published.
        case found(reason: String)
        /// The dead letter is in the current transaction.
        case inTransaction(reason: String)
        /// The dead letter is published for good.
        case said
    }

    enum Handling {
        case publish
        /// A dead letter in place of the record.
        case letter(reason: String)
        case leaveOut
    }

    /// Limit of the remembered questions: further ones are refused, and found, once more.
    static let most = 10_000
    private var states: [[UInt8]: State] = [:]

    mutating func found(_ question: [UInt8], reason: String) {
        if states.count < Self.most { states[question] = .found(reason: reason) }
    }

    /// Decides how to handle a change of a question.
    mutating func handle(_ question: Bytes) -> Handling {
        if states.isEmpty { return .publish }
        let key = Array(question)
        switch states[key] {
        case nil: return .publish
        case .found(let reason):
            states[key] = .inTransaction(reason: reason)
            return .letter(reason: reason)
        case .inTransaction, .said: return .leaveOut
        }
    }

    /// Notes that the question's own event was enriched.
    mutating func release(_ question: Bytes) {
        if !states.isEmpty { states[Array(question)] = nil }
    }

    mutating func committed() {
        for (key, state) in states {
            if case .inTransaction = state { states[key] = .said }
        }
    }

    mutating func aborted() {
        for (key, state) in states {
            if case .inTransaction(let reason) = state { states[key] = .found(reason: reason) }
        }
    }
}
