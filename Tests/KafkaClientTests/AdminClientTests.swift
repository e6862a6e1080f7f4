import Foundation
import KafkaClient
import TestSupport
import Testing

@Suite struct AdminClientTests {
    /// An admin client of a broker with the topic `here`, of one partition.
    private func withAdmin(_ body: (EmbeddedBroker, AdminClient) throws -> Void) throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        try broker.createTopic("here", partitions: 1)
        let admin = try AdminClient(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), logger: .silent)
        defer { admin.close() }
        try body(broker, admin)
    }

    @Test func describesTopicsAndMakesNone() throws {
        let broker = try EmbeddedBroker(brokerCount: 3)
        try broker.createTopic("here", partitions: 5)
        let admin = try AdminClient(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "group.id": "g"]),
            logger: .silent)
        for _ in 0..<2 {
            // Twice, since asking must not create.
            let found = try admin.describe(topics: ["here", "missing"], timeout: .seconds(10))
            #expect(Set(found.keys) == ["here"])
            #expect(found["here"]?.partitionCount == 5)
            #expect(found["here"]?.replicationFactor == 3)
            #expect(found["here"]?.leaderlessPartitions == [])
        }
        #expect(try admin.brokerCount(timeout: .seconds(10)) == 3)
        let zero = TopicPartition(topic: "here", partition: 0)
        #expect(try admin.committedOffsets(group: "nobody", of: [zero], timeout: .seconds(10)) == [:])
        #expect(try !admin.clusterID(timeout: .seconds(10)).isEmpty)
        #expect(try admin.watermarks(of: TopicPartition(topic: "here", partition: 0), timeout: .seconds(10)) == (0, 0))
        admin.close()
        #expect(throws: KafkaError.self) { try admin.clusterID(timeout: .seconds(1)) }
    }

    /// As on a cluster that has just been made: `__consumer_offsets` comes into being with the first question for a
    /// coordinator. librdkafka 2.0.2's own request ends the process where the first or second of these is the answer.
    @Test(arguments: ["COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS"])
    func aGroupsCoordinatorIsWaitedFor(_ error: String) throws {
        try withAdmin { broker, admin in
            let zero = TopicPartition(topic: "here", partition: 0)
            for request in [EmbeddedBroker.Request.findCoordinator, .offsetFetch] {
                try broker.inject([error], into: request)
                #expect(try admin.committedOffsets(group: "g", of: [zero], timeout: .seconds(20)) == [:])
            }
            // One that does not come in time is an error like any other.
            try broker.inject(Array(repeating: error, count: 100), into: .findCoordinator)
            let failure = #expect(throws: KafkaError.self) {
                try admin.committedOffsets(group: "h", of: [zero], timeout: .seconds(1))
            }
            #expect(failure?.isUnreachable == true || failure?.isRetriable == true)
        }
    }

    /// librdkafka waits for the coordinator to the end of the call, as if no broker answered.
    @Test func aGroupThatTheUserMayNotSeeIsRefused() throws {
        try withAdmin { broker, admin in
            try broker.inject(Array(repeating: "GROUP_AUTHORIZATION_FAILED", count: 100), into: .findCoordinator)
            let failure = #expect(throws: KafkaError.self) {
                try admin.committedOffsets(
                    group: "g", of: [TopicPartition(topic: "here", partition: 0)], timeout: .seconds(1))
            }
            #expect(failure?.isAuthorization == true, "\(String(describing: failure))")
        }
    }

    @Test func whenNobodyListensTheErrorSaysWhoWasAskedAndWhy() throws {
        // A port that was free a moment ago: the embedded broker's, after its end.
        let broker = try EmbeddedBroker()
        let servers = broker.bootstrapServers
        broker.close()
        let admin = try AdminClient(properties: KafkaProperties(["bootstrap.servers": servers]), logger: .silent)
        let calls: [() throws -> Void] = [
            { _ = try admin.clusterID(timeout: .milliseconds(800)) },
            { _ = try admin.describe(topics: ["a", "b"], timeout: .milliseconds(800)) },
            { _ = try admin.brokerCount(timeout: .milliseconds(800)) },
            { _ = try admin.topicSettings("a", timeout: .milliseconds(800)) },
            { _ = try admin.watermarks(of: TopicPartition(topic: "a", partition: 0), timeout: .milliseconds(800)) },
            {
                _ = try admin.committedOffsets(
                    group: "g", of: [TopicPartition(topic: "a", partition: 0)], timeout: .milliseconds(800))
            },
            {
                try admin.createTopic("a", partitions: 1, replicationFactor: 1, timeout: .milliseconds(800))
            },
        ]
        for (number, call) in calls.enumerated() {
            let error = try #require(throws: KafkaError.self, "call \(number)") { try call() }
            #expect(error.isUnreachable, "call \(number): \(error)")
            #expect(error.description.contains(servers), "call \(number): \(error)")
            #expect(error.description.contains("refused"), "call \(number): \(error)")
        }
    }

    @Test(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
    func topicsAreMadeWithSettingsAndDeleted() throws {
        let cluster = try RealCluster.shared()
        let admin = try AdminClient(properties: cluster.properties, logger: .silent)
        let name = try cluster.withTopic(partitions: 3, settings: ["retention.ms": "-1"]) { name in
            #expect(try admin.describe(topics: [name], timeout: .seconds(10))[name]?.partitionCount == 3)
            let settings = try admin.topicSettings(name, timeout: .seconds(10))
            #expect(settings["retention.ms"] == "-1")
            let error = try #require(throws: KafkaError.self) {
                try admin.createTopic(name, partitions: 3, replicationFactor: 1, timeout: .seconds(10))
            }
            #expect(error.name == "TOPIC_ALREADY_EXISTS")
            return name
        }
        #expect(try admin.describe(topics: [name], timeout: .seconds(10)).isEmpty)
    }

    @Test(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
    func offsetsByTimeAndWatermarks() throws {
        let cluster = try RealCluster.shared()
        try cluster.withTopic(settings: ["retention.ms": "-1"]) { name in
            let producer = try Producer(properties: cluster.properties, transactionalID: nil, logger: .silent)
            let topic = try producer.topic(name)
            for time in [1000, 2000, 3000] as [Int64] {
                try producer.produce("v", key: nil, to: topic, partition: 0, timestamp: time)
            }
            try producer.flush(timeout: .seconds(10))
            let partition = TopicPartition(topic: name, partition: 0)
            let admin = try AdminClient(properties: cluster.properties, logger: .silent)
            #expect(try admin.watermarks(of: partition, timeout: .seconds(10)) == (0, 3))
            #expect(try admin.offsets(at: [partition: 1500], timeout: .seconds(10)) == [partition: 1])
            #expect(try admin.offsets(at: [partition: 9000], timeout: .seconds(10)) == [:])
            producer.close(timeout: .seconds(1))
        }
    }
}
