import KafkaClient
import Logging

/// Commits and aborts of the lane's records and offsets: the life of the producer and of its transactions.
///
/// librdkafka repeats requests by itself, so a call that succeeds does not prove that its first request arrived. A lost
/// one may arrive later and end, or join, a later transaction of the same epoch (KIP-890). So after each commit and
/// abort the lane checks whether a request stayed without an answer, and replaces the producer if one did.
extension Publisher {
    /// Registers the transactional id: an earlier producer of the same identity is fenced from here on, and the
    /// transaction that it left open is aborted. Waits for the coordinators, which need some seconds after a broker's
    /// start.
    func start(_ consumer: GroupConsumer) throws(LaneFault) {
        guard delivery == .exactlyOnce else { return }
        try watch.during(.coordinator, as: .other) { () throws(LaneFault) in try register(consumer) }
    }

    private func register(_ consumer: GroupConsumer) throws(LaneFault) {
        while true {
            do throws(LaneFault) {
                try persist { () throws(KafkaError) in
                    try producer.initTransactions(timeout: .seconds(5), while: { mayWait })
                }
                try fenceOffsets(of: consumer)
                guard producer.requestsInDoubt > 0 else { return }
                try replaceProducer(because: "a request of its first transaction stayed without an answer")
            } catch {
                guard let cause = error.kafkaCause, !stop.isRequested else { throw error }
                try noteFencing(cause)
                try replaceProducer(because: "\(cause)")
            }
        }
    }

    /// Writes the new epoch to the group's partition of `__consumer_offsets`, by a transaction that holds an offset and
    /// is aborted.
    ///
    /// The transaction coordinator knows the new epoch, but a `TxnOffsetCommit` goes to the group's coordinator, which
    /// knows only the epochs that were written to that partition. A late one of the old epoch would open a transaction
    /// there which no coordinator ends, and the partition's offsets would stay unreadable for ever. The abort's marker
    /// ends such a transaction that has come already, and refuses those that come later.
    private func fenceOffsets(of consumer: GroupConsumer) throws(LaneFault) {
        try persist { () throws(KafkaError) in try producer.beginTransaction() }
        do throws(LaneFault) {
            // The offset is never committed. A group that refuses it has registered its partition with the transaction
            // all the same.
            let place = TopicPartition(topic: topics.answers, partition: 0)
            unapplied = place
            try persist { () throws(KafkaError) in
                do throws(KafkaError) {
                    try producer.sendOffsets([place: 0], of: consumer, timeout: .seconds(5), while: { mayWait })
                } catch {
                    // A static member that has not joined yet has no member id, so the group takes it for a stranger as
                    // long as it remembers the member of an earlier process.
                    guard error.name == "FENCED_INSTANCE_ID", error.requiresAbort else { throw error }
                }
            }
        } catch {
            guard error.kafkaCause?.requiresAbort == true else { throw error }
        }
        try persist { () throws(KafkaError) in
            try producer.abortTransaction(timeout: Self.longestEnd, while: { mayWait }, noting: noteWait)
        }
    }

    // MARK: - Commit and abort

    /// Makes the records since the last commit visible, together with the offsets that pass them.
    /// - Parameters:
    ///   - offsets: the next offset to read of every partition that moved, those of the tables included.
    ///   - notes: metadata for some of the offsets.
    func commit(
        _ offsets: [TopicPartition: Int64], notes: [TopicPartition: String] = [:], of consumer: GroupConsumer
    ) throws(LaneFault) {
        try watch.during(delivery == .exactlyOnce ? .committedOffsets : .acknowledgements, as: .committing) {
            () throws(LaneFault) in
            try commitNow(offsets, notes: notes, of: consumer)
        }
        uncommitted = .nothing
    }

    private func commitNow(
        _ offsets: [TopicPartition: Int64], notes: [TopicPartition: String], of consumer: GroupConsumer
    ) throws(LaneFault) {
        switch delivery {
        case .exactlyOnce:
            let hasRecords = hasUncommitted
            try openTransaction()
            try waitForAppliedOffsets(of: consumer)
            unapplied = offsets.keys.first
            watch.go(on: .coordinator)
            try persist(within: Self.longestEnd) { () throws(KafkaError) in
                try producer.sendOffsets(
                    offsets, notes: notes, of: consumer, timeout: .seconds(5), while: { mayWait })
            }
            try persist(within: Self.longestEnd) { () throws(KafkaError) in
                try producer.commitTransaction(timeout: Self.longestEnd, while: { mayWait }, noting: noteWait)
            }
            noteCommitted(hasRecords: hasRecords)
        case .atLeastOnce:
            try persist { () throws(KafkaError) in try producer.flush(timeout: .seconds(1)) }
            if !offsets.isEmpty {
                watch.go(on: .groupCoordinator)
                try asking { () throws(KafkaError) in
                    try consumer.commit(offsets, notes: notes, while: { mayWait })
                }
            }
        }
    }

    /// Makes the records since the last commit void. The next record begins a new transaction.
    func abort() throws(LaneFault) {
        guard hasUncommitted else { return }
        try watch.during(delivery == .exactlyOnce ? .coordinator : .acknowledgements, as: .committing) {
            () throws(LaneFault) in
            switch delivery {
            case .exactlyOnce:
                try persist(within: Self.longestEnd) { () throws(KafkaError) in
                    try producer.abortTransaction(timeout: Self.longestEnd, while: { mayWait }, noting: noteWait)
                }
            case .atLeastOnce:
                // Published records cannot be taken back: they may be there, and will be there again.
                try? producer.flush(timeout: .seconds(1))
            }
        }
        uncommitted = .nothing
    }

    /// Waits until the group's coordinator has applied the end of the last transaction that held offsets.
    ///
    /// Apache Kafka up to 3.9.0 writes a transaction's marker, answers, and applies the marker to the offsets in
    /// another thread (KAFKA-17507). Offsets of the next transaction that come before that are committed or dropped
    /// with those of the last: committed at once, they pass records that a killed worker never commits, and these are
    /// lost. The coordinator calls an offset unstable until its transaction's end is applied, so one stable answer
    /// proves it.
    private func waitForAppliedOffsets(of consumer: GroupConsumer) throws(LaneFault) {
        guard let place = unapplied else { return }
        let deadline = ContinuousClock.now + Self.longestEnd
        // librdkafka repeats an unstable answer's request after retry.backoff.ms. A new request asks sooner.
        var patience = Duration.milliseconds(20)
        while true {
            do throws(KafkaError) {
                _ = try consumer.committedOffsets([place], timeout: patience)
                unapplied = nil
                return
            } catch {
                let fault = LaneFault(error)
                if fault.isLasting { throw fault }
                if !mayWait { throw .stopped }
                if .now > deadline { throw .fenced(error) }
                if patience >= .seconds(1) { waitLog.note(error, logger: logger) }
                watch.note(error, reason: .committedOffsets)
                patience = min(patience * 2, .seconds(1))
                producer.poll(timeoutMilliseconds: 0)
            }
        }
    }

    // MARK: - Refused records

    /// The broker's refusal of a record of the current transaction; nil: none was refused. Valid until the abort.
    var refusal: DeliveryFailure? {
        guard let failure = producer.firstFailure, case .refusesRecord = ErrorVerdict.of(name: failure.name) else {
            return nil
        }
        return failure
    }

    /// Whether the refused record was a dead letter.
    func isOfDeadLetters(_ refusal: DeliveryFailure) -> Bool { refusal.topic == topics.deadLetter }

    /// Publishes dead letters in another form from here on, after a refusal.
    /// - Throws: `fatal` when no form is left to try.
    func changeLetters(after refusal: DeliveryFailure) throws(LaneFault) {
        guard !letterLimits.draw(from: refusal, largest: uncommittedBytes) else { return }
        throw .fatal(
            WorkerError(
                .configuration,
                "The broker refuses dead letters in every form: producing to \(refusal.topic) failed: "
                    + "\(refusal.reason) (\(refusal.name)). Compare the topic's settings with those that "
                    + "`rejoinder topics create` gives"))
    }

    // MARK: - New producers

    /// Replaces the producer when a request of the transaction that has just ended stayed without an answer. Call it
    /// after a commit or abort and before the next transaction. A worker that ends leaves this to its next start.
    func settleDoubt(_ consumer: GroupConsumer) throws(LaneFault) {
        guard delivery == .exactlyOnce, producer.requestsInDoubt > 0, !stop.isRequested else { return }
        try replaceProducer(because: "a request of the last transaction stayed without an answer and may come late")
        try start(consumer)
    }

    /// Replaces a producer that was fenced or failed for good.
    /// - Throws: `fatal` when that recurs, as it does when two workers use one identity.
    func renew(after error: KafkaError, _ consumer: GroupConsumer) throws(LaneFault) {
        try noteFencing(error)
        try replaceProducer(because: "\(error)")
        try start(consumer)
    }

    private func noteFencing(_ error: KafkaError) throws(LaneFault) {
        fencings.note()
        guard fencings.count > 5 else { return }
        throw .fatal(
            WorkerError(
                .failed,
                "The producer \(properties.transactionalID) was fenced or failed \(fencings.count) times within a "
                    + "minute, last with: \(error). Another worker may use a copy of this state directory: give each "
                    + "worker a directory of its own"))
    }

    private func replaceProducer(because cause: String) throws(LaneFault) {
        LogBound.shared.warn(logger, "producer renewed", cause: cause)
        try asking { () throws(KafkaError) in
            producer.close(timeout: .seconds(1))
            producer = try Self.makeProducer(delivery, properties, logger)
            enriched = try producer.topic(topics.enriched)
            deadLetter = try producer.topic(topics.deadLetter)
        }
        uncommitted = .nothing
    }

    /// Limit of a commit or an abort. The coordinator gives the transaction up after `transaction.timeout.ms`; a
    /// librdkafka without an answer after that may stay so for good, and a new producer settles it.
    private static let longestEnd = Duration.seconds(20)

    /// Repeats a call that librdkafka says may be repeated, until it succeeds or the worker was told to stop.
    /// - Parameter limit: time after which the producer counts as failed.
    private func persist(within limit: Duration? = nil, _ call: () throws(KafkaError) -> Void) throws(LaneFault) {
        let began = ContinuousClock.now
        while true {
            do throws(KafkaError) {
                return try call()
            } catch {
                guard error.isRetriable || error.isTimeout, !error.requiresAbort else { throw LaneFault(error) }
                if !mayWait { throw .stopped }
                if error.isFatal { throw LaneFault(error) }
                if let limit, .now - began > limit { throw .fenced(error) }
                noteWait(error)
                producer.poll(timeoutMilliseconds: 50)
            }
        }
    }

    private func noteWait(_ error: KafkaError) {
        waitLog.note(error, logger: logger)
        watch.note(error, reason: producer.queuedMessageCount > 0 ? .acknowledgements : .coordinator)
    }

    /// Whether to wait on for brokers that do not answer. A stopping lane without uncommitted records does not.
    private var mayWait: Bool { hasUncommitted ? !stop.graceIsOver : !stop.isRequested }

    /// Gives up uncommitted records at once: an open transaction would hold back the next owner.
    func close() {
        if hasUncommitted, delivery == .exactlyOnce {
            let deadline = ContinuousClock.now + .seconds(2)
            try? producer.abortTransaction(timeout: .seconds(2), while: { .now < deadline })
        }
        producer.close(timeout: .seconds(1))
    }
}
