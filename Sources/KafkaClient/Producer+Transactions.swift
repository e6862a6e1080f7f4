import CRDKafka
import Foundation

/// A commit or an abort whose time is over is never repeated: the producer is closed. When such a call is repeated,
/// librdkafka (2.0.2, and as late as 2.8) may give it the earlier call's results, and the call returns while the
/// coordinator's answer is still to come. That answer then ends the process by an assertion (CommittingTransaction ->
/// AbortedNotAcked), or a later call gets its result. The waits inside are measured by the wall clock, so that a clock
/// step ends them too, as does a process that stood still. A new producer settles whether the commit has happened.
///
/// The calls run on another thread, as librdkafka's timeouts are not always kept. Meanwhile this thread reads reports
/// of failed deliveries, for which the calls wait inside, and asks `mayWait` whether to wait on.
///
/// Of the errors, `isFatal` ends the producer, `requiresAbort` demands `abortTransaction`, and `isRetriable` means that
/// the same call may be repeated, and only that call.
extension Producer {
    /// Registers the transactional id, fences its earlier producers and ends their open transactions. Call once, before
    /// the first transaction.
    package func initTransactions(
        timeout: Duration, while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        let operation = "Registering transactional id '\(transactionalID ?? "")'"
        try complete(operation, timeout: timeout, while: mayWait) { rd_kafka_init_transactions($0, $1) }
    }

    /// Begins a transaction without a request: brokers learn of it with its first record or offsets.
    /// - Throws: before ``initTransactions(timeout:while:)`` has succeeded, and while a transaction is open.
    package func beginTransaction() throws(KafkaError) {
        let operation = "Beginning a transaction"
        lastFailure = nil
        let pointer = try client.open(operation)
        try client.check(rd_kafka_begin_transaction(pointer), operation)
        isInTransaction = true
    }

    /// Adds offsets (the next record to process) of the consumer's group to the transaction. The group need not
    /// subscribe to their topics. The consumer's membership is sent along, so that a member that was removed from the
    /// group cannot commit.
    /// - Parameter notes: texts to commit with some of the offsets (Kafka's metadata).
    package func sendOffsets(
        _ offsets: [TopicPartition: Int64], notes: [TopicPartition: String] = [:], of consumer: GroupConsumer,
        timeout: Duration, while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let operation = "Adding offsets of \(offsets.keys.listed) to the transaction for group '\(consumer.groupID)'"
        _ = try client.open(operation)
        let membership = try GroupMembership(of: consumer, operation)
        let list = PartitionList(offsets, notes: notes)
        try complete(operation, timeout: timeout, while: mayWait) { (pointer, milliseconds) in
            membership.lend { metadata in
                list.lend { rd_kafka_send_offsets_to_transaction(pointer, $0, metadata, milliseconds) }
            }
        }
    }

    /// Waits for the transaction's records and commits it.
    ///
    /// - Parameters:
    ///   - timeout: limits the wait for the records, and then that for the commit.
    ///   - note: called every five seconds with an error that names the call and its time so far.
    /// - Throws: with `requiresAbort` when a record could not be delivered or the broker refuses; the error names the
    ///   first failed delivery. With `isTimeout` when the commit took too long or `mayWait` ended the wait: it may have
    ///   happened, the producer is closed, and the next one with its transactional id settles it.
    package func commitTransaction(
        timeout: Duration, while mayWait: () -> Bool = { true }, noting note: (KafkaError) -> Void = { _ in }
    ) throws(KafkaError) {
        let operation = "Committing a transaction"
        do {
            try deliverAll(operation, timeout: timeout, while: mayWait, noting: note)
            try finish(operation, timeout: timeout, while: mayWait, noting: note) {
                rd_kafka_commit_transaction($0, $1)
            }
        } catch {
            poll(timeoutMilliseconds: 0)
            throw takeFailures(operation).map { error.explained($0.reason) } ?? error
        }
        _ = takeFailures(operation)
    }

    /// Aborts the transaction, its offsets included.
    /// - Parameter note: called every five seconds with an error that names the call and its time so far.
    /// - Throws: with `isFatal` and `isTimeout` when it took too long; the producer is closed then.
    package func abortTransaction(
        timeout: Duration, while mayWait: () -> Bool = { true }, noting note: (KafkaError) -> Void = { _ in }
    ) throws(KafkaError) {
        let operation = "Aborting a transaction"
        defer { _ = takeFailures(operation) }
        try finish(operation, timeout: timeout, while: mayWait, noting: note) { rd_kafka_abort_transaction($0, $1) }
    }

    /// Waits until every record is delivered, or until a delivery has failed; the commit then reports the consequence.
    private func deliverAll(
        _ operation: String, timeout: Duration, while mayWait: () -> Bool, noting note: (KafkaError) -> Void
    ) throws(KafkaError) {
        let pointer = try client.open(operation)
        let began = ContinuousClock.now
        let deadline = began + timeout
        var noted = began
        poll(timeoutMilliseconds: 0)
        while !hasFailures, rd_kafka_flush(pointer, Self.slice(until: deadline)) != RD_KAFKA_RESP_ERR_NO_ERROR {
            poll(timeoutMilliseconds: 0)
            if ClientContext.fatalError(of: pointer) != nil { return }
            let now = ContinuousClock.now
            let isOver = now >= deadline || !mayWait()
            guard isOver || now - noted >= Self.notePause else { continue }
            noted = now
            let error = client.error(
                RD_KAFKA_RESP_ERR__TIMED_OUT, operation,
                reason: "\(queuedMessageCount) records were not acknowledged within "
                    + "\((now - began).components.seconds) s")
            if isOver { throw error }
            note(error)
        }
        poll(timeoutMilliseconds: 0)
    }

    /// Makes a call that ends the transaction. Closes the producer when the call's time is over.
    private func finish(
        _ operation: String, timeout: Duration, while mayWait: () -> Bool, noting note: (KafkaError) -> Void,
        _ call: @escaping (OpaquePointer, Int32) -> OpaquePointer?
    ) throws(KafkaError) {
        do {
            try complete(operation, timeout: timeout, repeatsTimeouts: false, while: mayWait, noting: note, call)
            isInTransaction = false
        } catch {
            guard error.isTimeout, error.isRetriable, !error.requiresAbort else { throw error }
            // Once an end has begun, librdkafka adds no partition: it need not be aborted, and this would repeat it.
            isInTransaction = false
            close(timeout: .zero)
            throw KafkaError(
                rd_kafka_resp_err_t(error.rawCode), operation: operation, reason: error.reason, isFatal: true,
                isRetriable: false)
        }
    }

    /// Repeats a retriable call until it succeeds, fails with a permanent error, or the time is up.
    private func complete(
        _ operation: String, timeout: Duration, repeatsTimeouts: Bool = true, while mayWait: () -> Bool,
        noting note: (KafkaError) -> Void = { _ in }, _ call: @escaping (OpaquePointer, Int32) -> OpaquePointer?
    ) throws(KafkaError) {
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        while true {
            let failed = try waiting(for: operation, while: mayWait, noting: note) {
                call(pointer, timeout.milliseconds)
            }
            poll(timeoutMilliseconds: 0)
            guard let failed else { return }
            do {
                try client.check(failed, operation)
            } catch {
                guard error.isRetriable, !error.isFatal, !error.requiresAbort, repeatsTimeouts || !error.isTimeout,
                    .now < deadline, mayWait()
                else { throw error }
                if !error.isTimeout { Thread.sleep(forTimeInterval: 0.01) }
            }
        }
    }

    /// Pause between two notes of a call that waits for a broker.
    private static let notePause = Duration.seconds(5)

    /// Makes a call on another thread and reads reports meanwhile: a flush or an abort inside the call does not end
    /// before they are read.
    /// - Parameters:
    ///   - mayWait: called ten times a second; false abandons the call together with the producer. The client is
    ///     destroyed when the call returns, and every later use of this producer fails.
    ///   - note: called every ``notePause`` with an error that names the call and its time so far.
    ///   - call: returns librdkafka's error object, or nil.
    private func waiting(
        for operation: String, while mayWait: () -> Bool, noting note: (KafkaError) -> Void,
        _ call: @escaping () -> OpaquePointer?
    ) throws(KafkaError) -> OpaquePointer? {
        let queue = queue
        let pending = LeftCall(call, wake: { rd_kafka_queue_yield(queue) })
        let began = ContinuousClock.now
        var noted = began
        while true {
            if let result = pending.result { return result }
            poll(timeoutMilliseconds: 100)
            guard !mayWait() else {
                let now = ContinuousClock.now
                if now - noted >= Self.notePause {
                    noted = now
                    note(
                        client.error(
                            RD_KAFKA_RESP_ERR__TIMED_OUT, operation,
                            reason: "no answer for \((now - began).components.seconds) s"))
                }
                continue
            }
            let destroy = client.leaveBehind()
            let isLeft = pending.leave { failed in
                if let failed { rd_kafka_error_destroy(failed) }
                rd_kafka_queue_destroy(queue)
                destroy()
            }
            if isLeft {
                throw KafkaError(
                    RD_KAFKA_RESP_ERR__TIMED_OUT, operation: operation,
                    reason: "the brokers did not answer before the worker had to end", isRetriable: false)
            }
            client.takeBack()
        }
    }
}

/// A consumer's membership in its group as librdkafka passes it to a producer. Freed with its last reference.
private final class GroupMembership {
    private let metadata: OpaquePointer

    init(of consumer: GroupConsumer, _ operation: String) throws(KafkaError) {
        let member = try consumer.client.open(operation)
        guard let metadata = rd_kafka_consumer_group_metadata(member) else {
            throw consumer.client.error(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, operation)
        }
        self.metadata = metadata
    }

    deinit { rd_kafka_consumer_group_metadata_destroy(metadata) }

    func lend<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        withExtendedLifetime(self) { body(metadata) }
    }
}
