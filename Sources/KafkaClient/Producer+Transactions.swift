import CRDKafka
import Foundation

/// librdkafka's transaction calls may be cut off by their timeout and are resumed by calling them again, so the ones
/// that wait are called in slices: between them failed deliveries are read, without which they would never finish.
///
/// Of the errors, `isFatal` ends the producer, `requiresAbort` wants `abortTransaction`, and `isRetriable` means that
/// the same call may be made again (and nothing else: a commit that timed out has to be resumed, not aborted).
extension Producer {
    /// Registers the transactional id, fences producers that used it before and ends what they left open. Once, before
    /// the first transaction.
    package func initTransactions(timeout: Duration) throws(KafkaError) {
        let operation = "Registering transactional id '\(transactionalID ?? "")'"
        try inSlices(operation, timeout: timeout, slice: nil) { rd_kafka_init_transactions($0, $1) }
    }

    package func beginTransaction() throws(KafkaError) {
        let operation = "Beginning a transaction"
        let pointer = try client.open(operation)
        try client.check(rd_kafka_begin_transaction(pointer), operation)
    }

    /// Makes offsets (the next record to process) of the consumer's group part of the transaction. Topics that the
    /// group does not subscribe to may be among them. The consumer's membership goes with it, so that a member that
    /// was thrown out cannot commit.
    package func sendOffsets(
        _ offsets: [TopicPartition: Int64], of consumer: GroupConsumer, timeout: Duration
    ) throws(KafkaError) {
        guard !offsets.isEmpty else { return }
        let operation = "Adding offsets of \(offsets.keys.listed) to the transaction for group '\(consumer.groupID)'"
        _ = try client.open(operation)
        let member = try consumer.client.open(operation)
        guard let metadata = rd_kafka_consumer_group_metadata(member) else {
            throw client.error(RD_KAFKA_RESP_ERR__UNKNOWN_GROUP, operation)
        }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        let list = PartitionList(offsets)
        try inSlices(operation, timeout: timeout, slice: nil) {
            (pointer, milliseconds) in
            list.lend { rd_kafka_send_offsets_to_transaction(pointer, $0, metadata, milliseconds) }
        }
    }

    /// Waits for the transaction's records and commits it.
    ///
    /// - Throws: with `requiresAbort` when a record could not be delivered or the broker refuses; the first failed
    ///   delivery is named.
    package func commitTransaction(timeout: Duration) throws(KafkaError) {
        let operation = "Committing a transaction"
        poll(timeoutMilliseconds: 0)
        do {
            try inSlices(operation, timeout: timeout, slice: .milliseconds(100)) { rd_kafka_commit_transaction($0, $1) }
        } catch {
            poll(timeoutMilliseconds: 0)
            throw takeFailures(operation).map { error.explained($0.reason) } ?? error
        }
        _ = takeFailures(operation)
    }

    /// Drops the transaction's records and offsets.
    package func abortTransaction(timeout: Duration) throws(KafkaError) {
        let operation = "Aborting a transaction"
        defer { _ = takeFailures(operation) }
        // Every record that is dropped makes a report, and the abort waits until it is read.
        try inSlices(operation, timeout: timeout, slice: .milliseconds(20)) { rd_kafka_abort_transaction($0, $1) }
    }

    /// Calls until it succeeds, fails with what does not pass by itself, or the time is up.
    private func inSlices(
        _ operation: String, timeout: Duration, slice: Duration?,
        _ call: (OpaquePointer, Int32) -> OpaquePointer?
    ) throws(KafkaError) {
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        while true {
            let left = max(.milliseconds(1), deadline - .now)
            let failed = call(pointer, slice.map { min($0, left) }.map(\.milliseconds) ?? left.milliseconds)
            poll(timeoutMilliseconds: 0)
            guard let failed else { return }
            do {
                try client.check(failed, operation)
            } catch {
                guard error.isRetriable, !error.isFatal, !error.requiresAbort, .now < deadline else { throw error }
                if !error.isTimeout { Thread.sleep(forTimeInterval: 0.01) }
            }
        }
    }
}
