import KafkaClient
import TestSupport
import Testing

/// Transactions as a real server does them.
@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct TransactionTests {
    let cluster: RealCluster

    init() throws { cluster = try RealCluster.shared() }

    private func producer(_ id: String, _ more: [String: String] = [:]) throws -> Producer {
        let producer = try Producer(
            properties: cluster.properties.overlaid(by: KafkaProperties(more)), transactionalID: id, logger: .silent)
        try producer.initTransactions(timeout: .seconds(20))
        return producer
    }

    private func committed(_ topic: String) throws -> [Consumed] {
        let consumer = try AssignedConsumer(
            properties: cluster.properties.overlaid(by: KafkaProperties(["isolation.level": "read_committed"])),
            logger: .silent)
        defer { consumer.close() }
        try consumer.assign([TopicPartition(topic: topic, partition: 0): AssignedConsumer.beginning])
        return try consumer.readToEnd()
    }

    @Test func everyRequestOfATransactionIsAnsweredOnce() throws {
        try cluster.withTopic { name in
            let producer = try producer(RealCluster.uniqueName("tx"))
            let topic = try producer.topic(name)
            let consumer = try GroupConsumer(
                properties: cluster.properties.overlaid(by: KafkaProperties(["group.id": name])), logger: .silent)
            for _ in 0..<3 {
                try producer.beginTransaction()
                try producer.produce("one", key: nil, to: topic, partition: 0)
                try producer.sendOffsets(
                    [TopicPartition(topic: name, partition: 0): 1], of: consumer, timeout: .seconds(20))
                try producer.commitTransaction(timeout: .seconds(20))
                #expect(producer.requestsInDoubt == 0)
            }
            consumer.close(timeout: .seconds(5))
            producer.close(timeout: .seconds(1))
        }
    }

    @Test func onlyCommittedRecordsAreSeen() throws {
        try cluster.withTopic { name in
            let producer = try producer(RealCluster.uniqueName("tx"))
            let topic = try producer.topic(name)
            for (text, isCommitted) in [("one", true), ("two", false), ("three", true)] {
                try producer.beginTransaction()
                try producer.produce(text, key: nil, to: topic, partition: 0)
                if isCommitted {
                    try producer.commitTransaction(timeout: .seconds(20))
                } else {
                    try producer.flush(timeout: .seconds(20))
                    try producer.abortTransaction(timeout: .seconds(20))
                }
            }
            #expect(try committed(name).map(\.text) == ["one", "three"])
            producer.close(timeout: .seconds(1))
        }
    }

    @Test func abortDropsWhatIsStillQueued() throws {
        try cluster.withTopic { name in
            let producer = try producer(RealCluster.uniqueName("tx"), ["linger.ms": "5000"])
            let topic = try producer.topic(name)
            try producer.beginTransaction()
            for _ in 0..<100 { try producer.produce("gone", key: nil, to: topic, partition: 0) }
            try producer.abortTransaction(timeout: .seconds(20))
            #expect(producer.queuedMessageCount == 0)
            try producer.beginTransaction()
            try producer.produce("stays", key: nil, to: topic, partition: 0)
            try producer.commitTransaction(timeout: .seconds(20))
            #expect(try committed(name).map(\.text) == ["stays"])
            producer.close(timeout: .seconds(1))
        }
    }

    @Test func aRecordThatTheBrokerRefusesFailsTheTransactionAndTheNextOneWorks() throws {
        try cluster.withTopic { name in
            let producer = try producer(
                RealCluster.uniqueName("tx"), ["topic.metadata.propagation.max.ms": "500"])
            let missingName = RealCluster.uniqueName("missing")
            let missing = try producer.topic(missingName)
            let topic = try producer.topic(name)
            try producer.beginTransaction()
            try producer.produce("v", key: nil, to: topic, partition: 0)
            let error = try #require(throws: KafkaError.self) {
                try producer.produce("v", key: nil, to: missing, partition: 0)
                try producer.commitTransaction(timeout: .seconds(30))
            }
            #expect(error.requiresAbort, "\(error)")
            #expect(error.description.contains(missingName), "\(error)")
            try producer.abortTransaction(timeout: .seconds(20))
            try producer.beginTransaction()
            try producer.produce("after", key: nil, to: topic, partition: 0)
            try producer.commitTransaction(timeout: .seconds(20))
            #expect(try committed(name).map(\.text) == ["after"])
            producer.close(timeout: .seconds(1))
        }
    }

    @Test func aSecondProducerFencesTheFirst() throws {
        try cluster.withTopic { name in
            let id = RealCluster.uniqueName("tx")
            let first = try producer(id)
            let topic = try first.topic(name)
            try first.beginTransaction()
            try first.produce("first", key: nil, to: topic, partition: 0)
            try first.flush(timeout: .seconds(20))
            let second = try producer(id)
            let error = try #require(throws: KafkaError.self) {
                try first.produce("again", key: nil, to: topic, partition: 0)
                try first.commitTransaction(timeout: .seconds(20))
            }
            #expect(error.isFatal, "\(error)")
            #expect(error.isFenced, "\(error)")
            let other = try second.topic(name)
            try second.beginTransaction()
            try second.produce("second", key: nil, to: other, partition: 0)
            try second.commitTransaction(timeout: .seconds(20))
            #expect(try committed(name).map(\.text) == ["second"])
            first.close(timeout: .seconds(1))
            second.close(timeout: .seconds(1))
        }
    }

    @Test func offsetsOfTheTransactionAreTheGroupsOffsets() throws {
        try cluster.withTopic("in") { input in
            try cluster.withTopic("table") { table in
                let group = RealCluster.uniqueName("group")
                let consumer = try GroupConsumer(
                    properties: cluster.properties.overlaid(
                        by: KafkaProperties([
                            "group.id": group, "partition.assignment.strategy": "cooperative-sticky",
                        ])), logger: .silent)
                try consumer.subscribe([input])
                _ = try consumer.poll { _, rebalances in
                    rebalances.contains { if case .assigned(let new) = $0 { !new.isEmpty } else { false } }
                }
                let producer = try producer(RealCluster.uniqueName("tx"))
                let here = TopicPartition(topic: input, partition: 0)
                // Of a topic that the group does not subscribe to.
                let there = TopicPartition(topic: table, partition: 0)
                let admin = try AdminClient(properties: cluster.properties, logger: .silent)

                try producer.beginTransaction()
                try producer.sendOffsets([here: 7, there: 8], of: consumer, timeout: .seconds(20))
                try producer.abortTransaction(timeout: .seconds(20))
                #expect(try consumer.committedOffsets([here, there], timeout: .seconds(10)) == [:])

                try producer.beginTransaction()
                try producer.sendOffsets([here: 7, there: 8], of: consumer, timeout: .seconds(20))
                try producer.commitTransaction(timeout: .seconds(20))
                let expected = [here: Int64(7), there: Int64(8)]
                #expect(try consumer.committedOffsets([here, there], timeout: .seconds(10)) == expected)
                #expect(
                    try admin.committedOffsets(group: group, of: [here, there], timeout: .seconds(10)) == expected)

                try consumer.commit([here: 9, there: 10])
                #expect(
                    try consumer.committedOffsets([here, there], timeout: .seconds(10)) == [here: 9, there: 10])
                consumer.close(timeout: .seconds(10))
                producer.close(timeout: .seconds(1))
            }
        }
    }
}
