import CRDKafka

extension GroupConsumer {
    /// Leaves the group and ends the consumer, answering rebalances on the way. A static member stays in the group
    /// until its session times out. Safe at any time, and more than once. Every message must have been released. Takes
    /// about `timeout` at most.
    package func close(timeout: Duration) {
        guard let pointer = client.pointer else { return }
        let deadline = ContinuousClock.now + timeout
        answerRebalances()
        if isStatic { waitForFirstAssignment(deadline: deadline) } else { endSubscription(pointer, deadline: deadline) }
        guard !wouldCrash else { return abandon() }
        let isClosed = closeGroup(pointer, deadline: deadline)
        guard !wouldCrash else { return abandon() }
        let left = max(.seconds(1), deadline - .now)
        client.destroy(flags: isClosed ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE, within: left)
    }

    private func abandon() {
        client.context.logger.warning(
            "The \(client.label) is closed in the middle of joining: leaving the group to its session timeout.")
        client.abandon()
    }

    /// Ends the subscription and answers its revocation while the group still works as usual; the caller closes
    /// librdkafka's consumer only then. In the reverse order, an assignment that arrives in between is never finished
    /// and the close hangs (librdkafka before 2.4.0). It also hangs after a lost partition (before 2.1.0).
    ///
    /// Not for static members: ending a subscription takes them out of the group, closing does not.
    private func endSubscription(_ pointer: OpaquePointer, deadline: ContinuousClock.Instant) {
        var topics: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        guard rd_kafka_subscription(pointer, &topics) == RD_KAFKA_RESP_ERR_NO_ERROR, let topics else { return }
        let subscription = PartitionList(owning: topics)
        repeat {
            waitForFirstAssignment(deadline: deadline)
            rd_kafka_unsubscribe(pointer)
            // From here on a late answer to the join changes nothing, but one that came just before the unsubscribe
            // did.
            if !wouldCrash { break }
            _ = subscription.lend { rd_kafka_subscribe(pointer, $0) }
        } while .now < deadline
        while !assignment.isEmpty, .now < deadline { drain(milliseconds: 20) }
        answerRebalances()
    }

    private func waitForFirstAssignment(deadline: ContinuousClock.Instant) {
        while wouldCrash, .now < deadline { drain(milliseconds: 50) }
    }

    /// Whether ending this consumer would crash (librdkafka before 2.3.0): its sticky assignor frees state that only
    /// the first assignment creates, and asserts that it exists. The assignor is chosen when the join is answered, so
    /// the danger lasts from that answer to the first assignment. An unknown protocol counts as danger.
    private var wouldCrash: Bool {
        guard rd_kafka_version() < 0x0203_0000, !sawAssignment, let pointer = client.pointer else { return false }
        return rd_kafka_rebalance_protocol(pointer).map { String(cString: $0) } ?? "COOPERATIVE" == "COOPERATIVE"
    }

    /// - Returns: whether the member has left the group and librdkafka's consumer is closed.
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

    /// Serves the consumer for a while and drops its messages, as there is no reader any more.
    private func drain(milliseconds: Int32) {
        if let pointer = client.pointer, let message = rd_kafka_consumer_poll(pointer, milliseconds) {
            rd_kafka_message_destroy(message)
        }
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
