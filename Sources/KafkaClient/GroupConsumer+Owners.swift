import CRDKafka

/// The partitions that a group's members own, as the group's coordinator has it.
package struct GroupOwners: Sendable, Equatable {
    /// Whether the group has settled: no rebalance is under way.
    package let isStable: Bool
    /// Partitions that some member's assignment names.
    package let owned: Set<TopicPartition>

    /// - Parameter owned: partitions of any topics.
    package init(isStable: Bool, owned: Set<TopicPartition>) {
        self.isStable = isStable
        self.owned = owned
    }

    /// Reads a member's assignment in the consumer protocol (version, topics with their partitions, user data).
    /// - Returns: nil when the bytes are no such assignment.
    package static func places(in assignment: UnsafeRawBufferPointer) -> [TopicPartition]? {
        guard !assignment.isEmpty else { return [] }
        var rest = assignment[...]
        func take(_ count: Int) -> Slice<UnsafeRawBufferPointer>? {
            guard count >= 0, count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func integer(_ size: Int) -> Int? {
            take(size).map { $0.reduce(0) { $0 << 8 | Int($1) } }
        }
        guard integer(2) != nil, let topics = integer(4) else { return nil }
        var places: [TopicPartition] = []
        for _ in 0..<topics {
            guard let name = integer(2).flatMap(take), let partitions = integer(4) else { return nil }
            let topic = String(decoding: name, as: UTF8.self)
            for _ in 0..<partitions {
                guard let partition = integer(4) else { return nil }
                places.append(TopicPartition(topic: topic, partition: Int32(truncatingIfNeeded: partition)))
            }
        }
        return places
    }
}

extension GroupConsumer {
    /// Asks which partitions the group's members own.
    /// - Throws: when no coordinator answers in time, or a member's protocol is not the consumers'.
    package func owners(timeout: Duration) throws(KafkaError) -> GroupOwners {
        let operation = "Asking for the members of group '\(groupID)'"
        let pointer = try client.open(operation)
        var list: UnsafePointer<rd_kafka_group_list>?
        try client.check(rd_kafka_list_groups(pointer, groupID, &list, timeout.milliseconds), operation)
        guard let list else { throw client.error(RD_KAFKA_RESP_ERR__TIMED_OUT, operation) }
        defer { rd_kafka_group_list_destroy(list) }
        guard list.pointee.group_cnt > 0 else {
            throw client.error(RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, operation)
        }
        let group = list.pointee.groups[0]
        try client.check(group.err, operation)
        var owned: Set<TopicPartition> = []
        for index in 0..<Int(group.member_cnt) {
            let member = group.members[index]
            let assignment = UnsafeRawBufferPointer(
                start: member.member_assignment, count: Int(member.member_assignment_size))
            guard let places = GroupOwners.places(in: assignment) else {
                throw client.error(RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, operation)
            }
            owned.formUnion(places)
        }
        return GroupOwners(isStable: group.state.map { String(cString: $0) } == "Stable", owned: owned)
    }

    /// Leaves the group, a static member too, and joins it again: the group assigns all partitions anew. `poll` returns
    /// the revocation of this member's partitions first.
    package func rejoin() throws(KafkaError) {
        let operation = "Joining group '\(groupID)' again"
        let pointer = try client.open(operation)
        let list = PartitionList(topics.map { TopicPartition(topic: $0, partition: RD_KAFKA_PARTITION_UA) })
        try client.check(rd_kafka_unsubscribe(pointer), operation)
        try client.check(list.lend { rd_kafka_subscribe(pointer, $0) }, operation)
    }
}
