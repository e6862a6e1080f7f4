import Records

/// Finds the questions whose changed record a broker refuses, as ``RefusalSearch`` finds events: each refusal halves the number of
/// changes that a transaction publishes. An abort finds again all that waited since the held offsets, in the same order, so the
/// number grows only once a question was found: a commit before that does not mean that the search has come further.
///
/// While it goes on, transactions hold events or changes, never both, so that a refusal can be told to the right search.
struct ChangeSearch {
    private enum State {
        /// No question is looked for.
        case off
        /// At most so many changes a transaction, until a question is found.
        case narrowing(limit: Int)
        /// A question was found; each commit doubles the number.
        case widening(limit: Int)
    }

    private var state = State.off

    /// Changes that a transaction may publish; nil: as many as wait.
    var limit: Int? {
        switch state {
        case .off: nil
        case .narrowing(let limit), .widening(let limit): limit
        }
    }

    /// A broker refused a record of the current transaction.
    /// - Parameter changes: how many it held.
    /// - Returns: whether the one change that it held was refused, alone.
    mutating func refused(changes: Int) -> Bool {
        let isFound = limit == 1 && changes == 1
        state = isFound ? .widening(limit: 2) : .narrowing(limit: max(1, min(changes, limit ?? changes) / 2))
        return isFound
    }

    /// The current transaction, with changes in it, is committed.
    mutating func committed() {
        guard case .widening(let limit) = state else { return }
        state = limit >= PublishWindow.bounds.records ? .off : .widening(limit: limit * 2)
    }

    /// Nothing waits any more: what was refused once was taken the next time, or is gone.
    mutating func end() { state = .off }
}

/// Questions of a partition whose changed record a broker has refused: they wait for an event of their own. Lane thread only.
struct WithheldQuestions {
    private enum State {
        /// Refused when it stood alone, with the broker's word. Its dead letter is to be published.
        case found(reason: String)
        /// The dead letter is in the current transaction.
        case inTransaction(reason: String)
        /// The dead letter is published for good.
        case said
    }

    enum Handling {
        case publish
        /// Instead of the record, a dead letter.
        case letter(reason: String)
        case leaveOut
    }

    /// More are not remembered: they are refused, and found, once more.
    static let most = 10_000
    private var states: [[UInt8]: State] = [:]

    mutating func found(_ question: [UInt8], reason: String) {
        if states.count < Self.most { states[question] = .found(reason: reason) }
    }

    /// What to do about a change of a question.
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

    /// The question's own event was worked on.
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
