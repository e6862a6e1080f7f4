import AnswerStore
import Enrichment
import KafkaClient
import Logging

/// The follower's further work where published records follow every change: it fills the store's questions from their
/// topic, and notes the questions whose changes are read again.
extension TableFollower {
    func historyPlace(_ partition: OwnedPartition) -> TopicPartition {
        TopicPartition(topic: topics.questions, partition: partition.number)
    }

    // MARK: - The questions up to the committed offset

    /// Begins to read the questions' history.
    /// - Parameter committed: of the questions; nil: none, so every question comes as an event.
    /// - Returns: where to read the questions from; empty: the store has them.
    func beginHistory(
        _ partition: OwnedPartition, _ live: LivePartition, committed: Int64?
    ) throws -> [TopicPartition: Int64] {
        let place = historyPlace(partition)
        let (low, high) = partition.questions.span
        if partition.store.positions.questions > high {
            logger.warning(
                "questions read anew: the store is ahead of their topic, which must have been created anew",
                metadata: [
                    "partition": "\(place)", "position": .stringConvertible(partition.store.positions.questions),
                    "end": .stringConvertible(high),
                ])
            try partition.store.forgetQuestions()
        }
        let history = CatchUp(
            from: max(low, partition.store.positions.questions), to: min(committed ?? 0, high))
        guard !history.isDone else { return [:] }
        live.history = history
        return [place: history.next]
    }

    /// Reads question events up to the committed offset into the store.
    /// - Returns: the index of the first record that is of another partition.
    func readHistory(
        of gathered: MessageBatch, from start: Int, _ partition: OwnedPartition, of partitions: OwnedPartitions
    ) throws(LaneFault) -> Int {
        let (number, topicIndex) = (gathered[start].partition, gathered[start].topicIndex)
        var index = start
        let few = partition.store.fewChanges
        while index < gathered.count {
            let message = gathered[index]
            guard message.partition == number, message.topicIndex == topicIndex else { break }
            index += 1
            // Records fetched beyond the end still come.
            guard let live = partition.live, !live.history.isDone else { continue }
            guard message.offset < live.history.target else {
                live.history.reachedEnd(at: live.history.target)
                try endHistory(partition, of: partitions)
                continue
            }
            if message.offset < live.history.next {
                throw .wentBack(historyPlace(partition), from: live.history.next, to: message.offset)
            }
            let headers = PackedHeaders.pack(message)
            headers.withUnsafeBytes { headers in
                let question = message.value.map {
                    StoredQuestion(
                        value: $0, headers: headers, timestamp: message.timestamp, offset: message.offset)
                }
                reader.readQuestion(key: message.key, question: question, into: partition.changes)
                if let key = message.key, let value = message.value {
                    live.noteRead(key, value, headers: headers.count)
                }
            }
            live.history.next = message.offset + 1
            live.history.settle()
            if live.history.isDone {
                try endHistory(partition, of: partitions)
            } else if partition.changes.count >= few, partition.store.isFilled(by: partition.changes) {
                try apply(partition, of: partitions)
            }
        }
        return index
    }

    /// Notes that a broker reported the end of the questions' partition at `offset`.
    func historyReachedEnd(
        _ partition: OwnedPartition, at offset: Int64, of partitions: OwnedPartitions
    ) throws(LaneFault) {
        guard let live = partition.live, !live.history.isDone else { return }
        live.history.reachedEnd(at: offset)
        if live.history.isDone { try endHistory(partition, of: partitions) }
    }

    /// The store has every question below the committed offset.
    func endHistory(_ partition: OwnedPartition, of partitions: OwnedPartitions) throws(LaneFault) {
        try apply(partition, of: partitions)
        try asking { () throws(KafkaError) in try consumer.unassign([historyPlace(partition)]) }
    }

    // MARK: - Changes that are read again

    /// Prepares to note changes, before records are read: no question waits because of a record below the follower's
    /// positions. Where memory for notes is used up, a running partition halts: its tables are read on once the waiting
    /// questions are published. A partition that is being restored goes on without notes, and is read again.
    func beginMarking(_ partition: OwnedPartition, _ live: LivePartition, limit: Int) throws(LaneFault) {
        let positions = TablePositions(answers: partition.answers.next, votes: partition.votes.next)
        if partition.changes.count == 0 { live.waiting.begin(at: positions) }
        if live.unmarked == nil, live.waiting.isFull(limit: limit), partition.changes.count == 0 {
            live.marking = partition.isRunning ? .halted(positions) : .upTo(positions)
        }
        partition.store.waiting = live.unmarked == nil ? live.waiting : nil
    }

    /// Notes a change whose effect cannot be told, and may not have been published: the store holds it already, or puts
    /// it aside in a load, or lacks published records that decide what the change makes visible. A vote that is read
    /// before its answer changes nothing that the store can see, and the answer, published long ago, is no change.
    func mark(
        _ message: ConsumedMessage, of table: Table, applied: Int64, _ partition: OwnedPartition, _ live: LivePartition
    ) {
        guard message.offset < applied || partition.store.isLoading || partition.lacksPublished, live.unmarked == nil,
            let key = message.key
        else { return }
        live.waiting.note(
            key, delta: nil, cause: table == .answers ? .answers : .votes, timestamp: message.timestamp)
    }

    /// Reads a partition's tables again from `positions` on, to note the changes that were not noted.
    func readAgain(_ partition: OwnedPartition, from positions: TablePositions) throws(LaneFault) {
        var next: [TopicPartition: Int64] = [:]
        for table in Table.allCases {
            partition[table].next = min(
                partition[table].next, table == .answers ? positions.answers : positions.votes)
            next[place(table, partition.number)] = partition[table].next
        }
        try asking { () throws(KafkaError) in
            try consumer.unassign(Array(next.keys))
            try assign(next)
        }
    }
}

extension OwnedPartition {
    /// Goes back in the questions' history after an abort: records that were read and not applied are read again.
    /// - Returns: where to read on; nil: the history is not being read.
    func rewindHistory() -> Int64? {
        guard let live, !live.history.isDone else { return nil }
        live.history.next = min(live.history.next, max(live.history.start, store.positions.questions))
        return live.history.next
    }
}
