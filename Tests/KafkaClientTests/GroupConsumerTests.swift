import TestSupport
import Testing

@testable import KafkaClient

/// A consumer's life on the embedded broker.
@Suite struct GroupConsumerTests {
    private func properties(_ broker: EmbeddedBroker, _ strategy: String) -> KafkaProperties {
        KafkaProperties([
            "bootstrap.servers": broker.bootstrapServers, "group.id": "g", "auto.offset.reset": "earliest",
            "partition.assignment.strategy": strategy,
        ])
    }

    @Test func groupIDIsNeeded() throws {
        let error = try #require(throws: KafkaError.self) {
            try GroupConsumer(properties: KafkaProperties(), logger: .silent)
        }
        #expect(error.description.contains("group.id"))
    }

    @Test(arguments: ["cooperative-sticky", "range,roundrobin"])
    func closingBeforeTheFirstAssignmentIsSafe(_ strategy: String) throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 2)
        // At every stage of joining: not started, coordinator found, join sent.
        for polls in [0, 1, 5, 20] {
            let consumer = try GroupConsumer(properties: properties(broker, strategy), logger: .silent)
            try consumer.subscribe(["t"])
            for _ in 0..<polls {
                if case .message(let message) = consumer.poll(timeoutMilliseconds: 20) { message.release() }
            }
            consumer.close(timeout: .seconds(5))
            consumer.close(timeout: .seconds(5))
            #expect(throws: KafkaError.self) { try consumer.subscribe(["t"]) }
        }
    }

    @Test(arguments: [nil, "instance-1"])
    func closingBetweenJoinAndAssignmentIsSafe(_ instance: String?) throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 2)
        var properties = properties(broker, "cooperative-sticky")
        properties["group.instance.id"] = instance
        let consumer = try GroupConsumer(properties: properties, logger: .silent)
        try consumer.subscribe(["t"])
        // Slow answers stretch the time in which librdkafka before 2.3.0 crashes when it is ended: it has chosen the
        // sticky assignor (the join is answered) and has no assignment.
        _ = consumer.poll(timeoutMilliseconds: 1000)
        try broker.setRoundTrip(.milliseconds(800), ofBroker: 1)
        let deadline = ContinuousClock.now + .seconds(20)
        while !consumer.isCooperative, .now < deadline { _ = consumer.poll(timeoutMilliseconds: 20) }
        #expect(consumer.isCooperative)
        #expect(!consumer.sawAssignment)
        consumer.close(timeout: .seconds(15))
        #expect(throws: KafkaError.self) { try consumer.subscribe(["t"]) }
    }

    @Test func closingInThatTimeWithoutPatienceGivesTheConsumerUp() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 2)
        let consumer = try GroupConsumer(properties: properties(broker, "cooperative-sticky"), logger: .silent)
        try consumer.subscribe(["t"])
        _ = consumer.poll(timeoutMilliseconds: 1000)
        try broker.setRoundTrip(.milliseconds(1500), ofBroker: 1)
        let deadline = ContinuousClock.now + .seconds(20)
        while !consumer.isCooperative, .now < deadline { _ = consumer.poll(timeoutMilliseconds: 20) }
        consumer.close(timeout: .milliseconds(10))
        #expect(throws: KafkaError.self) { try consumer.subscribe(["t"]) }
        try broker.setRoundTrip(.zero, ofBroker: 1)
    }

    @Test func closingWithoutABrokerIsBounded() throws {
        let broker = try EmbeddedBroker()
        let consumer = try GroupConsumer(properties: properties(broker, "cooperative-sticky"), logger: .silent)
        broker.close()
        try consumer.subscribe(["t"])
        _ = consumer.poll(timeoutMilliseconds: 100)
        consumer.close(timeout: .milliseconds(300))
    }

    @Test(arguments: ["cooperative-sticky", "range"])
    func aMemberReadsPausesSeeksAndCommits(_ strategy: String) throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 2)
        let properties = properties(broker, strategy)
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        let topic = try producer.topic("t")
        for number in 0..<5 { try producer.produce("\(number)", key: nil, to: topic, partition: 0) }
        try producer.flush(timeout: .seconds(10))

        let consumer = try GroupConsumer(properties: properties, logger: .silent)
        try consumer.subscribe(["t"])
        let zero = TopicPartition(topic: "t", partition: 0)
        let one = TopicPartition(topic: "t", partition: 1)
        let first = try consumer.poll { messages, _ in messages.count == 5 }
        #expect(first.messages.map(\.text) == ["0", "1", "2", "3", "4"])
        #expect(first.rebalances == [.assigned([zero, one])])
        #expect(Set(consumer.assignment) == [zero, one])
        #expect(consumer.memberID != nil)
        #expect(!consumer.isAssignmentLost)
        #expect(consumer.cachedWatermarks(zero)?.high == 5)
        #expect(try producer.queryWatermarks(zero, timeout: .seconds(10)) == (0, 5))

        try consumer.seek([zero: 3], timeout: .seconds(10))
        #expect(try consumer.poll { messages, _ in messages.count == 2 }.messages.map(\.offset) == [3, 4])

        // A pause right behind a seek keeps the place that was sought, and so does a seek of a paused partition.
        try consumer.seek([zero: 3], timeout: .seconds(10))
        try consumer.pause([zero])
        try consumer.resume([zero])
        #expect(try consumer.poll { messages, _ in messages.count == 2 }.messages.map(\.offset) == [3, 4])
        try consumer.pause([zero])
        try consumer.seek([zero: 2], timeout: .seconds(10))
        try consumer.resume([zero])
        #expect(try consumer.poll { messages, _ in messages.count == 3 }.messages.map(\.offset) == [2, 3, 4])

        try consumer.pause([zero])
        try producer.produce("5", key: nil, to: topic, partition: 0)
        try producer.produce("other", key: nil, to: topic, partition: 1)
        try producer.flush(timeout: .seconds(10))
        // The other partition's record shows that fetching goes on; the paused one stays silent.
        #expect(try consumer.poll { messages, _ in messages.count == 1 }.messages.map(\.text) == ["other"])
        if case .message(let message) = consumer.poll(timeoutMilliseconds: 300) {
            Issue.record("a paused partition handed out \(Consumed(taking: message))")
        }
        try consumer.resume([zero])
        #expect(try consumer.poll { messages, _ in messages.count == 1 }.messages.map(\.text) == ["5"])

        #expect(try consumer.committedOffsets([zero, one], timeout: .seconds(10)) == [:])
        try consumer.commit([zero: 4])
        #expect(try consumer.committedOffsets([zero, one], timeout: .seconds(10)) == [zero: 4])
        consumer.close(timeout: .seconds(10))
        producer.close(timeout: .seconds(1))
    }

    @Test func seekingWhatIsNotAssignedFails() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        let consumer = try GroupConsumer(properties: properties(broker, "range"), logger: .silent)
        #expect(throws: KafkaError.self) {
            try consumer.seek([TopicPartition(topic: "t", partition: 0): 0], timeout: .milliseconds(300))
        }
    }

    @Test func aRebalanceMayBeAnsweredLater() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        let properties = properties(broker, "cooperative-sticky")
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        let topic = try producer.topic("t")
        try producer.produce("v", key: nil, to: topic, partition: 0)
        try producer.flush(timeout: .seconds(10))
        let consumer = try GroupConsumer(properties: properties, logger: .silent)
        try consumer.subscribe(["t"])
        var assigned: [TopicPartition] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while assigned.isEmpty, .now < deadline {
            if case .rebalance(.assigned(let partitions)) = consumer.poll(timeoutMilliseconds: 100) {
                assigned = partitions
            }
        }
        #expect(assigned == [TopicPartition(topic: "t", partition: 0)])
        // Not answered: nothing is fetched, nothing is asked twice.
        for _ in 0..<5 {
            guard case .nothing = consumer.poll(timeoutMilliseconds: 50) else {
                Issue.record("something came before the assignment was answered")
                break
            }
        }
        #expect(consumer.assignment.isEmpty)
        try consumer.assign(assigned)
        #expect(try consumer.poll { messages, _ in messages.count == 1 }.messages.map(\.text) == ["v"])
        consumer.close(timeout: .seconds(10))
    }

    /// Many partitions, so that a pause behind the assignment would overtake the start of one of them.
    @Test(arguments: ["cooperative-sticky", "range"])
    func partitionsThatAreAssignedPausedAreAllReadOnceTheyAreResumed(_ strategy: String) throws {
        let broker = try EmbeddedBroker()
        let count: Int32 = 300
        try broker.createTopic("t", partitions: count)
        let properties = properties(broker, strategy)
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        let topic = try producer.topic("t")
        for partition in 0..<count { try producer.produce("v", key: nil, to: topic, partition: partition) }
        try producer.flush(timeout: .seconds(10))

        let consumer = try GroupConsumer(properties: properties, logger: .silent)
        defer { consumer.close(timeout: .seconds(10)) }
        try consumer.subscribe(["t"])
        var assigned: [TopicPartition] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while assigned.isEmpty, .now < deadline {
            if case .rebalance(.assigned(let partitions)) = consumer.poll(timeoutMilliseconds: 100) {
                assigned = partitions
            }
        }
        #expect(assigned.count == count)
        try consumer.assign(assigned, paused: true)
        for _ in 0..<5 {
            guard case .nothing = consumer.poll(timeoutMilliseconds: 50) else {
                Issue.record("something came of a paused partition")
                break
            }
        }
        try consumer.resume(assigned)
        let read = try consumer.poll { messages, _ in messages.count == count }
        #expect(Set(read.messages.map(\.partition)).count == Int(count))
    }

    @Test func closingAnswersWhatTheCallerHasNot() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        let consumer = try GroupConsumer(properties: properties(broker, "cooperative-sticky"), logger: .silent)
        try consumer.subscribe(["t"])
        let deadline = ContinuousClock.now + .seconds(20)
        var isAssigned = false
        while !isAssigned, .now < deadline {
            if case .rebalance(.assigned) = consumer.poll(timeoutMilliseconds: 100) { isAssigned = true }
        }
        #expect(isAssigned)
        let start = ContinuousClock.now
        consumer.close(timeout: .seconds(30))
        // Closed by itself, not by its limit.
        #expect(ContinuousClock.now - start < .seconds(25))
    }

    @Test func aJoinThatTheBrokerRefusesIsAFailure() throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 1)
        try broker.inject(["GROUP_AUTHORIZATION_FAILED"], into: .joinGroup)
        let consumer = try GroupConsumer(properties: properties(broker, "range"), logger: .silent)
        try consumer.subscribe(["t"])
        let error = try #require(throws: KafkaError.self) {
            _ = try consumer.poll { _, rebalances in !rebalances.isEmpty }
        }
        #expect(error.name == "GROUP_AUTHORIZATION_FAILED")
        consumer.close(timeout: .seconds(5))
    }
}
