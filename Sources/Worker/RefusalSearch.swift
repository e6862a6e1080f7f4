import KafkaClient

/// Finds the one event, or source record, that leads to a record which a broker refuses: a broker refuses a whole
/// batch, and with it the transaction. Each refusal halves the number of events of a transaction, each commit doubles
/// it, until the refused event stands alone.
struct RefusalSearch {
    struct Place: Equatable {
        var partition: Int32
        var offset: Int64
        /// The topic's index among the consumer's.
        var topicIndex = 0
    }

    /// An event that a broker refused when it stood alone, with the broker's reason.
    struct Refused {
        let place: Place
        let reason: String
    }

    private enum State {
        /// No search.
        case off
        /// The limit of a transaction's events.
        case narrowing(limit: Int)
        /// The event becomes a dead letter when it comes again.
        case found(Refused)
    }

    private var state = State.off
    /// The event that the current transaction holds alone; nil: none, or several.
    private var alone: Place?

    /// Limit of a transaction's events; nil: none.
    var limit: Int? {
        switch state {
        case .off: nil
        case .narrowing(let limit): limit
        case .found: 1
        }
    }

    var refused: Refused? {
        if case .found(let refused) = state { refused } else { nil }
    }

    /// Notes that these events are in the current transaction.
    mutating func gathered(_ messages: MessageBatch) {
        guard limit == 1 else { return }
        gathered(messages.count == 1 ? [Place(messages[0])] : [])
    }

    mutating func gathered(_ places: [Place]) {
        guard limit == 1 else { return }
        alone = places.count == 1 ? places[0] : nil
    }

    /// Notes that a broker refused a record of the current transaction.
    /// - Parameter events: the number of the transaction's events.
    mutating func refused(_ reason: String, events: Int) {
        if let alone, events == 1, limit == 1 {
            state = .found(Refused(place: alone, reason: reason))
        } else {
            state = .narrowing(limit: max(1, min(events, limit ?? events) / 2))
        }
        alone = nil
    }

    /// Notes that the current transaction is committed.
    mutating func committed() {
        defer { alone = nil }
        switch state {
        case .off: break
        case .narrowing(let limit): state = limit >= Lane.maxGatheredRecords ? .off : .narrowing(limit: limit * 2)
        case .found(let refused):
            if alone == refused.place { state = .narrowing(limit: 2) }
        }
    }
}

extension RefusalSearch.Place {
    init(_ message: ConsumedMessage) {
        self.init(partition: message.partition, offset: message.offset, topicIndex: message.topicIndex)
    }
}
