import AnswerStore
import KafkaClient

/// The librdkafka properties of a lane's three clients: the worker's choices, and the user's properties over them.
///
/// Memory: a lane's share of the budget is split between the group consumer's queue, the follower's queue, the producer's
/// queue, what was rendered, and what is worked on at once while tables are restored. A fetch response is held whole beside
/// the queue it goes into, so it is kept small against it.
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

    /// The lane's `transactional.id`: the same after a restart, so that a restarted worker fences its own past.
    package var transactionalID: String { "\(groupID)-\(clientID)" }

    /// Bytes that one transaction may have produced before it is committed early: what is not acknowledged yet has to
    /// fit into the producer's queue, and to leave within `transaction.timeout.ms`.
    package var transactionBytes: Int { share.producerQueueKiB * 1024 / 2 }

    /// Memory that the lane keeps rendered answers in.
    var renderedBytes: Int { share.renderedKiB * 1024 }

    /// Memory for the questions that wait to be published, over all partitions of the lane.
    var waitingBytes: Int { share.waitingKiB * 1024 }

    /// How much of the tables the follower works on at once while it restores them. Beside a record's bytes librdkafka has
    /// some 500 of its own, which makes it about three times as many bytes in all.
    var restoreBounds: (records: Int, bytes: Int) {
        let bytes = max(TableFollower.bounds.bytes, share.restoreKiB * 1024)
        return (max(TableFollower.bounds.records, bytes / 256), bytes)
    }

    /// What the producer takes at most as one record: its `message.max.bytes`.
    package var maxMessageBytes: Int {
        producer.effectiveValue("message.max.bytes").flatMap { Int($0) } ?? 1_000_000
    }

    /// The longest enriched value unless the user says otherwise: leaves room for a key, some headers and the protocol.
    package var defaultMaxRecordBytes: Int { max(1, maxMessageBytes - 2048) }

    /// The member of the consumer group that reads the questions.
    package var groupConsumer: KafkaProperties {
        var own = consumer
        own["partition.assignment.strategy"] = "cooperative-sticky"
        // With the heartbeat at 1 s the others learn of a rebalance soon after a killed member's session ends, so that its
        // partitions are worked on again within 15 s.
        own["session.timeout.ms"] = "10000"
        own["heartbeat.interval.ms"] = "1000"
        own["auto.offset.reset"] = "earliest"
        // Tells that the input ran dry, and lets the committed offset pass control records at a partition's end.
        own["enable.partition.eof"] = "true"
        if let instanceID { own["group.instance.id"] = instanceID }
        return own.overlaid(by: user)
    }

    /// The follower of the tables. It joins no group; librdkafka wants a `group.id` for the call it polls with.
    package var follower: KafkaProperties {
        var own = consumer
        own["auto.offset.reset"] = "earliest"
        var all = own.overlaid(by: user)
        // The user's group properties are about the membership, which the follower has none of.
        all["group.instance.id"] = nil
        all["auto.offset.reset"] = "earliest"
        return all
    }

    /// The producer of the enriched records and dead letters.
    package var producer: KafkaProperties {
        var own = common
        own["queue.buffering.max.kbytes"] = String(share.producerQueueKiB)
        own["queue.buffering.max.messages"] = "1000000"
        // A flush sends at once whatever lingers, so lingering costs no latency and makes fuller batches.
        own["linger.ms"] = "20"
        // A killed worker's transaction holds back its offsets, and with them whoever takes over, until the coordinator
        // aborts it: at this timeout, and brokers look every 10 s by default.
        own["transaction.timeout.ms"] = "3000"
        return own.overlaid(by: user)
    }

    /// For metadata and offset questions at start.
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
        // Less than message.max.bytes is refused by librdkafka, whatever of the two the user has raised.
        own["fetch.max.bytes"] = String(max(share.fetchBytes, maxMessageBytes))
        own["fetch.message.max.bytes"] = String(min(share.fetchBytes, 1_048_576))
        // How long a partition rests after a fetch that failed: half a second by default, in which a fast reader runs dry.
        own["fetch.error.backoff.ms"] = "10"
        // Librdkafka from 2.2 on looks at a full queue again after this time; for older ones KafkaClient wakes it.
        if KafkaProperties([:]).effectiveValue("fetch.queue.backoff.ms") != nil { own["fetch.queue.backoff.ms"] = "10" }
        return own
    }
}

/// How a lane's part of the memory budget is split.
private struct MemoryShare {
    let consumerQueueKiB: Int
    let producerQueueKiB: Int
    let renderedKiB: Int
    let waitingKiB: Int
    let restoreKiB: Int
    let fetchBytes: Int

    /// - Parameter isLive: questions wait to be published.
    init(budgetMiB: Int, lanes: Int, isLive: Bool) {
        // What the process needs with empty queues: code, librdkafka's threads, histograms, batches, and in larger budgets
        // what the stores have not committed.
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

    /// Records that a consumer fetches ahead. librdkafka's default of 100,000 takes 50 MB for small records' own part alone.
    static let queuedRecords = 20_000
}
