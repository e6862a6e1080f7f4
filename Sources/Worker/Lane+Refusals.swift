import KafkaClient
import Records

/// Records that the broker refuses one by one: the lane finds them, so that they hold back no others.
extension Lane {
    /// Publishes the event that the broker refused as a dead letter, once it has come again.
    /// - Returns: how many of the events are done.
    func setAsideRefused(_ events: MessageBatch) throws(LaneFault) -> Int {
        guard let refused = search.refused, events.count == 1 else { return 0 }
        let event = events[0]
        guard RefusalSearch.Place(event) == refused.place, let partition = partitions[event.partition],
            partition.isRunning
        else { return 0 }
        partition.questions.isAtEnd = false
        if partition.questions.first == nil { partition.questions.first = event.offset }
        try publish(
            DeadLetter(
                message: event, topic: configuration.topics.questions,
                error: RecordError(
                    code: .refused, message: "the broker does not take the enriched record: \(refused.reason)")))
        partition.questions.next = event.offset + 1
        totals.recordsIn += 1
        totals.bytesIn += event.value?.count ?? 0
        if let timestamp = event.timestamp { eventTimes.append(timestamp) }
        return 1
    }

    /// Changes that the current transaction publishes.
    var changes: Int {
        totals.republishedByAnswers + totals.republishedByVotes - committedTotals.republishedByAnswers
            - committedTotals.republishedByVotes
    }

    /// Notes that a broker refused an enriched record of the current transaction, which may hold events or changes or
    /// both.
    func noteRefusal(_ reason: String) {
        let events = totals.recordsIn - committedTotals.recordsIn
        if changes > 0 {
            let (number, question) = lastChange
            if changeSearch.refused(changes: changes), !question.isEmpty {
                partitions[number]?.live?.withheld.found(question, reason: reason)
            }
        }
        if events > 0 || changes == 0 { search.refused(reason, events: events) }
    }

    /// Chooses the step's content: while a refused record is looked for, a transaction holds events or changes, never
    /// both.
    func chooseStepContent() {
        switch (window == nil || search.limit == nil && changeSearch.limit == nil, stepContent) {
        case (true, _): stepContent = .both
        case (false, .events): stepContent = .changes
        case (false, _): stepContent = .events
        }
    }
}
