import CRDKafka

extension GroupConsumer {
    /// Leaves the group and ends the consumer, answering what rebalances come on the way. Safe at any time, and more
    /// than once. Every message must have been released. Takes about `timeout` at most.
    ///
    /// First the subscription ends, and its revocation is answered, while the group still works as usual; only then
    /// is librdkafka told to close. The other way round an assignment that comes in between is never finished and
    /// closing waits for ever (librdkafka before 2.4.0), and so it does after a lost partition (before 2.1.0).
    package func close(timeout: Duration) {
        guard let pointer = client.pointer else { return }
        let deadline = ContinuousClock.now + timeout
        guard endSubscription(pointer, deadline: deadline) else {
            client.context.logger.warning(
                "The \(client.label) is closed in the middle of joining: leaving the group to its session timeout.")
            client.abandon()
            return
        }
        let closed = closeGroup(pointer, deadline: deadline)
        let left = max(.seconds(1), deadline - .now)
        client.destroy(flags: closed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, within: left)
    }

    /// - Returns: false when ending the consumer now would crash.
    private func endSubscription(_ pointer: OpaquePointer, deadline: ContinuousClock.Instant) -> Bool {
        answerRebalances()
        // Whoever has joined but has no assignment yet waits for it (see wouldCrashOnDestroy). It is looked at again
        // after the subscription has ended, since from then on a late answer to the join changes nothing.
        var topics: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        guard rd_kafka_subscription(pointer, &topics) == RD_KAFKA_RESP_ERR_NO_ERROR, let topics else { return true }
        let subscription = PartitionList(owning: topics)
        var hasEnded = false
        repeat {
            if !client.wouldCrashOnDestroy(sawAssignment: sawAssignment) {
                rd_kafka_unsubscribe(pointer)
                hasEnded = true
                if !client.wouldCrashOnDestroy(sawAssignment: sawAssignment) { break }
            }
            if hasEnded {
                _ = subscription.lend { rd_kafka_subscribe(pointer, $0) }
                hasEnded = false
            }
            drain(pointer, milliseconds: 50)
        } while .now < deadline
        guard hasEnded, !client.wouldCrashOnDestroy(sawAssignment: sawAssignment) else { return false }
        while !assignment.isEmpty, .now < deadline { drain(pointer, milliseconds: 20) }
        answerRebalances()
        return true
    }

    /// - Returns: whether the group has been left and its machinery has ended.
    private func closeGroup(_ pointer: OpaquePointer, deadline: ContinuousClock.Instant) -> Bool {
        guard ClientContext.fatalError(of: pointer) == nil, let queue = rd_kafka_queue_new(pointer) else {
            return false
        }
        defer { rd_kafka_queue_destroy(queue) }
        if let error = rd_kafka_consumer_close_queue(pointer, queue) {
            let error = KafkaError(consuming: error, operation: "Leaving group '\(groupID)'")
            client.context.logger.debug("\(error)")
            return false
        }
        while rd_kafka_consumer_closed(pointer) == 0 {
            guard .now < deadline else { return false }
            if let message = rd_kafka_consume_queue(queue, 20) { rd_kafka_message_destroy(message) }
            answerRebalances()
        }
        return true
    }

    /// Serves the consumer for a while; its messages are nobody's any more.
    private func drain(_ pointer: OpaquePointer, milliseconds: Int32) {
        if let message = rd_kafka_consumer_poll(pointer, milliseconds) { rd_kafka_message_destroy(message) }
        answerRebalances()
    }

    private func answerRebalances() {
        while let rebalance = unanswered ?? client.context.takeRebalance() {
            do {
                switch rebalance {
                case .assigned(let partitions):
                    sawAssignment = true
                    try assign(partitions)
                case .revoked(let partitions), .lost(let partitions):
                    try unassign(partitions)
                }
            } catch {
                client.context.logger.debug("While closing: \(error)")
            }
        }
    }
}
