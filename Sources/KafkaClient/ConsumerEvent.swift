import CRDKafka

/// The result of one poll of a consumer.
package enum ConsumerEvent {
    case message(ConsumedMessage)
    /// Must be answered with `assign` or `unassign`; nothing is fetched until then.
    case rebalance(Rebalance)
    /// Every record before `offset` has been handed out. Only with `enable.partition.eof`.
    case endOfPartition(TopicPartition, offset: Int64)
    case failure(KafkaError)
    /// The timeout passed without an event.
    case nothing
}

/// A change of a group member's assignment.
package enum Rebalance: Sendable, Equatable {
    /// Must be answered with `assign`: these are new (cooperative), or these are all (eager). May be empty.
    case assigned([TopicPartition])
    /// Must be answered with `unassign`. The partitions are ours until then, so their offsets can still be committed.
    case revoked([TopicPartition])
    /// Must be answered with `unassign`. The partitions already have another owner, so nothing can be committed for
    /// them.
    case lost([TopicPartition])
}

/// Finds a message's topic by librdkafka's topic object: a pointer comparison per message.
///
/// The client keeps the topic objects of the table alive, so an address stands for one topic for good.
struct TopicTable {
    private(set) var names: [String] = []
    private var pointers: [OpaquePointer] = []
    private var lastPointer: OpaquePointer?
    private var lastIndex = -1

    mutating func add(_ name: String, pointer: OpaquePointer) {
        guard !names.contains(name) else { return }
        names.append(name)
        pointers.append(pointer)
    }

    /// The topic's index, or -1 for a topic that was never subscribed to or assigned by name (a pattern's match).
    mutating func index(of pointer: OpaquePointer?) -> Int {
        if pointer == lastPointer { return lastIndex }
        return find(pointer)
    }

    @inline(never)
    private mutating func find(_ pointer: OpaquePointer?) -> Int {
        guard let pointer else { return -1 }
        var index = pointers.firstIndex(of: pointer)
        if index == nil, let name = rd_kafka_topic_name(pointer).map({ String(cString: $0) }) {
            index = names.firstIndex(of: name)
        }
        // Only the table's own topic objects are sure to keep their addresses.
        guard let index else { return -1 }
        if pointers[index] == pointer {
            lastPointer = pointer
            lastIndex = index
        }
        return index
    }
}
