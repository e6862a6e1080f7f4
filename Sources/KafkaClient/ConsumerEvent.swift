import CRDKafka

/// What one poll of a consumer brought.
package enum ConsumerEvent {
    case message(ConsumedMessage)
    /// To be answered with `assign` or `unassign`; nothing is fetched until then.
    case rebalance(Rebalance)
    /// Every record before `offset` has been handed out. Only with `enable.partition.eof`.
    case endOfPartition(TopicPartition, offset: Int64)
    case failure(KafkaError)
    /// Nothing came in time.
    case nothing
}

/// A change of the partitions that a group gives to its member.
package enum Rebalance: Sendable, Equatable {
    /// To be answered with `assign`: these are new (cooperative), or these are all (eager). May be empty.
    case assigned([TopicPartition])
    /// To be answered with `unassign`: they are ours until then, so what they need committed can be.
    case revoked([TopicPartition])
    /// To be answered with `unassign`: they are someone else's already, nothing can be committed for them.
    case lost([TopicPartition])
}

/// Finds a message's topic by librdkafka's topic object: a pointer comparison per message.
///
/// The client keeps the topic objects that are in the table, so an address stands for one topic for good.
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

    /// The topic's index, or -1 for one that was never subscribed to or assigned (a pattern's match).
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
        // Only what the table holds is sure to keep its address.
        guard let index else { return -1 }
        if pointers[index] == pointer {
            lastPointer = pointer
            lastIndex = index
        }
        return index
    }
}
