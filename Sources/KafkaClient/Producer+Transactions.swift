import CRDKafka
import Foundation

/// Each of librdkafka's transaction calls is made once, with the full timeout. When calls are cut into short slices,
/// librdkafka 2.0.2 confuses them: a later call gets an earlier one's result, or an assertion ends the process. The
/// call runs on another thread, as librdkafka's timeouts are not always kept. Meanwhile this thread reads reports of
/// failed deliveries, for which the calls wait inside, and asks `mayWait` whether to wait on.
///
/// Of the errors, `isFatal` ends the producer, `requiresAbort` demands `abortTransaction`, and `isRetriable` means that
/// the same call may be repeated, and only that call: a commit that timed out must be resumed, not aborted.
extension Producer {
    /// Registers the transactional id, fences its earlier producers and ends their open transactions. Call once, before
    /// the first transaction.
    package func initTransactions(
        timeout: Duration, while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        let operation = "Registering transactional id '\(transactionalID ?? "")'"
        try complete(operation, timeout: timeout, while: mayWait) { rd_kafka_init_transactions($0, $1) }
    }

    package func beginTransaction() throws(KafkaError) {
        let operation = "Beginning a transaction"
        lastFailure = nil
        let pointer = try client.open(operation)
        try client.check(rd_kafka_begin_transaction(pointer), operation)
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
    /// - Throws: with `requiresAbort` when a record could not be delivered or the broker refuses. The error names the
    ///   first failed delivery.
    package func commitTransaction(
        timeout: Duration, while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        let operation = "Committing a transaction"
        do {
            try deliverAll(operation, timeout: timeout)
            try complete(operation, timeout: timeout, while: mayWait) { rd_kafka_commit_transaction($0, $1) }
        } catch {
            poll(timeoutMilliseconds: 0)
            throw takeFailures(operation).map { error.explained($0.reason) } ?? error
        }
        _ = takeFailures(operation)
    }

    /// Aborts the transaction, its offsets included.
    package func abortTransaction(
        timeout: Duration, while mayWait: () -> Bool = { true }
    ) throws(KafkaError) {
        let operation = "Aborting a transaction"
        defer { _ = takeFailures(operation) }
        try complete(operation, timeout: timeout, while: mayWait) { rd_kafka_abort_transaction($0, $1) }
    }

    /// Waits until every record is delivered, or until a delivery has failed; the commit then reports the consequence.
    private func deliverAll(_ operation: String, timeout: Duration) throws(KafkaError) {
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        poll(timeoutMilliseconds: 0)
        while !hasFailures, rd_kafka_flush(pointer, Self.slice(until: deadline)) != RD_KAFKA_RESP_ERR_NO_ERROR {
            poll(timeoutMilliseconds: 0)
            if ClientContext.fatalError(of: pointer) != nil { return }
            guard .now < deadline else {
                throw client.error(
                    RD_KAFKA_RESP_ERR__TIMED_OUT, operation,
                    reason: "\(queuedMessageCount) records were not acknowledged within \(timeout)")
            }
        }
        poll(timeoutMilliseconds: 0)
    }

    /// Repeats a retriable call until it succeeds, fails with a permanent error, or the time is up.
    private func complete(
        _ operation: String, timeout: Duration, while mayWait: () -> Bool,
        _ call: @escaping (OpaquePointer, Int32) -> OpaquePointer?
    ) throws(KafkaError) {
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        while true {
            let failed = try waiting(for: operation, while: mayWait) { call(pointer, timeout.milliseconds) }
            poll(timeoutMilliseconds: 0)
            guard let failed else { return }
            do {
                try client.check(failed, operation)
            } catch {
                guard error.isRetriable, !error.isFatal, !error.requiresAbort, .now < deadline, mayWait() else {
                    throw error
                }
                if !error.isTimeout { Thread.sleep(forTimeInterval: 0.01) }
            }
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
