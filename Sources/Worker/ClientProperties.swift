import AnswerStore
import KafkaClient

/// The librdkafka properties of a lane's three clients: the worker's choices, and the user's properties over them.
///
/// Memory: a lane's share of the budget is split between the group consumer's queue, the follower's queue, the
/// producer's queue, rendered answers, and batches while tables are restored. A fetch response is held whole beside the
/// queue it goes into, so it is kept small against the queue.
package struct ClientProperties: Sendable {
    private let user: KafkaProperties
    private let clientID: String
    private let groupID: String
    private let instanceID: String?
    private let share: MemoryShare

    /// - Parameter identity: the worker's identity from its state directory.
    package init(configuration: WorkerConfiguration, identity: String, lane: Int) {
        user = configuration.kafkaProperties
        groupID = configuration.groupID
        clientID = "rejoinder-\(identity)-\(lane)"
        instanceID = configuration.staticMembership ? clientID : nil
        share = MemoryShare(
            budgetMiB: configuration.memoryBudgetMiB, lanes: configuration.lanes,
            isLive: configuration.publishOn.coalesce != nil)
    }

    /// The lane's `transactional.id`: the same after a restart, so that a restarted worker fences its earlier producer.
    package var transactionalID: String { "\(groupID)-\(clientID)" }

    /// Bytes of a transaction at which it is committed early: unacknowledged records must fit into the producer's
    /// queue, and leave within `transaction.timeout.ms`.
    package var transactionBytes: Int { share.producerQueueKiB * 1024 / 2 }

    /// Memory for the lane's rendered answers.
    var renderedBytes: Int { share.renderedKiB * 1024 }

    /// Memory for the questions that wait to be published, over all partitions of the lane.
    var waitingBytes: Int { share.waitingKiB * 1024 }

    /// Bounds of the follower's batches while it restores tables. Beside a record's bytes librdkafka has some 500 of
    /// its own, which makes about three times as many bytes in all.
    var restoreBounds: (records: Int, bytes: Int) {
        let bytes = max(TableFollower.bounds.bytes, share.restoreKiB * 1024)
        return (max(TableFollower.bounds.records, bytes / 256), bytes)
    }

    /// The longest record that the producer takes: its `message.max.bytes`.
    package var maxMessageBytes: Int {
        producer.effectiveValue("message.max.bytes").flatMap { Int($0) } ?? 1_000_000
    }

    /// The longest enriched value without a setting by the user: leaves room for a key, some headers and the protocol.
    package var defaultMaxRecordBytes: Int { max(1, maxMessageBytes - 2048) }

    /// The member of the consumer group that reads the questions.
    package var groupConsumer: KafkaProperties {
        var own = consumer
        own["partition.assignment.strategy"] = "cooperative-sticky"
        // With the heartbeat at 1 s the other members learn of a rebalance soon after a killed member's session ends,
        // so that its partitions are worked on again within 15 s.
        own["session.timeout.ms"] = "10000"
        own["heartbeat.interval.ms"] = "1000"
        own["auto.offset.reset"] = "earliest"
        // Tells the end of the input, and lets the committed offset pass control records at a partition's end.
        own["enable.partition.eof"] = "true"
        if let instanceID { own["group.instance.id"] = instanceID }
        return own.overlaid(by: user)
    }

    /// The follower of the tables. It joins no group; librdkafka needs a `group.id` for the poll call.
    package var follower: KafkaProperties {
        var own = consumer
        own["auto.offset.reset"] = "earliest"
        var all = own.overlaid(by: user)
        // The user's group properties concern a membership, which the follower does not have.
        all["group.instance.id"] = nil
        all["auto.offset.reset"] = "earliest"
        return all
    }

    /// The producer of the enriched records and dead letters.
    package var producer: KafkaProperties {
        var own = common
        own["queue.buffering.max.kbytes"] = String(share.producerQueueKiB)
        own["queue.buffering.max.messages"] = "1000000"
        // A flush sends lingering records at once, so lingering costs no latency and makes fuller batches.
        own["linger.ms"] = "20"
        // A killed worker's transaction holds back its offsets, and with them the next owner, until the coordinator
        // aborts it: at this timeout, and brokers look every 10 s by default.
        own["transaction.timeout.ms"] = "3000"
        return own.overlaid(by: user)
    }

    /// For queries of metadata and offsets at start.
    package var admin: KafkaProperties { common.overlaid(by: user) }

    private var common: KafkaProperties {
        KafkaProperties(["client.id": clientID])
    }

    private var consumer: KafkaProperties {
        var own = common
        own["group.id"] = groupID
        own["isolation.level"] = "read_committed"
        own["queued.min.messages"] = String(MemoryShare.queuedRecords)
        own["queued.max.messages.kbytes"] = String(share.consumerQueueKiB)
        // librdkafka refuses a value below message.max.bytes, which the user may have raised.
        own["fetch.max.bytes"] = String(max(share.fetchBytes, maxMessageBytes))
        own["fetch.message.max.bytes"] = String(min(share.fetchBytes, 1_048_576))
        // A partition's rest after a failed fetch: half a second by default, in which a fast reader runs dry.
        own["fetch.error.backoff.ms"] = "10"
        // librdkafka from 2.2 on looks at a full queue again after this time; for older ones KafkaClient wakes it.
        if KafkaProperties([:]).effectiveValue("fetch.queue.backoff.ms") != nil { own["fetch.queue.backoff.ms"] = "10" }
        return own
    }
}

/// The split of a lane's part of the memory budget.
private struct MemoryShare {
    let consumerQueueKiB: Int
    let producerQueueKiB: Int
    let renderedKiB: Int
    let waitingKiB: Int
    let restoreKiB: Int
    let fetchBytes: Int

    /// - Parameter isLive: questions wait to be published.
    init(budgetMiB: Int, lanes: Int, isLive: Bool) {
        // The process's need with empty queues: code, librdkafka's threads, histograms, batches, and in larger budgets
        // the stores' uncommitted pages.
        let fixedMiB = 48 + min(StateDirectory.pendingBytes >> 20, budgetMiB / 8)
        let laneKiB = max(8, (budgetMiB - fixedMiB)) * 1024 / max(1, lanes)
        // librdkafka takes no more than 2 GiB. It counts the bytes of records, and beside each has some 500 of its own
        // (`queuedRecords` bounds those), in both of the lane's consumers. A tenth of a second's records are plenty.
        consumerQueueKiB = min(2_097_151, max(1024, laneKiB / 16))
        producerQueueKiB = min(2_097_151, max(4096, laneKiB / 5))
        waitingKiB = isLive ? laneKiB / 8 : 0
        renderedKiB = laneKiB * 2 / 5 - waitingKiB
        restoreKiB = min(8192, laneKiB / 24)
        fetchBytes = min(8_388_608, max(1_048_576, laneKiB * 1024 / 24))
    }

    /// Records that a consumer fetches ahead. With librdkafka's default of 100,000 its own part of each record alone
    /// takes 50 MB.
    static let queuedRecords = 20_000
}
