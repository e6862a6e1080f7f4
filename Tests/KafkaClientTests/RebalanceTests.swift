import Foundation
import KafkaClient
import TestSupport
import Testing

/// Members that come, go and get lost.
@Suite struct RebalanceTests {
    @Test(
        .enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)),
        arguments: ["cooperative-sticky", "range"])
    func partitionsMoveBetweenTwoMembers(_ strategy: String) throws {
        let cluster = try RealCluster.shared()
        try cluster.withTopic(partitions: 4) { name in
            let properties = cluster.properties.overlaid(
                by: KafkaProperties([
                    "group.id": RealCluster.uniqueName("group"), "partition.assignment.strategy": strategy,
                    "heartbeat.interval.ms": "300", "auto.offset.reset": "earliest",
                ]))
            let first = try GroupConsumer(properties: properties, logger: .silent)
            try first.subscribe([name])
            _ = try first.poll { _, _ in first.assignment.count == 4 }

            let second = try GroupConsumer(properties: properties, logger: .silent)
            try second.subscribe([name])
            var seen: [Rebalance] = []
            let deadline = ContinuousClock.now + .seconds(40)
            while first.assignment.count != 2 || second.assignment.count != 2, .now < deadline {
                seen += try step(first)
                _ = try step(second)
            }
            let owned = Set(first.assignment)
            #expect(owned.isDisjoint(with: second.assignment))
            #expect(owned.union(second.assignment).count == 4)
            var revoked: Set<TopicPartition> = []
            for case .revoked(let partitions) in seen { revoked.formUnion(partitions) }
            // Cooperative: only the moving partitions are revoked. Eager: all are.
            #expect(revoked.count == (strategy == "range" ? 4 : 2), "\(seen)")
            #expect(!seen.contains { if case .lost = $0 { true } else { false } })

            second.close(timeout: .seconds(20))
            _ = try first.poll { _, _ in first.assignment.count == 4 }
            first.close(timeout: .seconds(20))
        }
    }

    @Test(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
    func aStaticMemberThatClosesKeepsItsPartitions() throws {
        let cluster = try RealCluster.shared()
        try cluster.withTopic(partitions: 4) { name in
            let group = RealCluster.uniqueName("group")
            func member(_ instance: String) throws -> GroupConsumer {
                let consumer = try GroupConsumer(
                    properties: cluster.properties.overlaid(
                        by: KafkaProperties([
                            "group.id": group, "partition.assignment.strategy": "cooperative-sticky",
                            "group.instance.id": instance, "heartbeat.interval.ms": "300",
                            "session.timeout.ms": "20000",
                        ])), logger: .silent)
                try consumer.subscribe([name])
                return consumer
            }
            let staying = try member("staying")
            let leaving = try member("leaving")
            let deadline = ContinuousClock.now + .seconds(40)
            while staying.assignment.count != 2 || leaving.assignment.count != 2, .now < deadline {
                _ = try step(staying)
                _ = try step(leaving)
            }
            #expect(staying.assignment.count == 2)
            leaving.close(timeout: .seconds(20))
            // Had it left the group, its partitions would come within a heartbeat.
            var seen: [Rebalance] = []
            for _ in 0..<30 { seen += try step(staying) }
            #expect(seen.isEmpty, "\(seen)")
            #expect(staying.assignment.count == 2)
            staying.close(timeout: .seconds(20))
        }
    }

    /// One short poll, its rebalance answered.
    private func step(_ consumer: GroupConsumer) throws -> [Rebalance] {
        var polls = 0
        return try consumer.poll { _, _ in
            polls += 1
            return polls > 1
        }.rebalances
    }

    @Test(arguments: ["cooperative-sticky", "range"])
    func aMemberThatDoesNotPollLosesItsPartitionsAndCanStillClose(_ strategy: String) throws {
        let broker = try EmbeddedBroker()
        try broker.createTopic("t", partitions: 2)
        let consumer = try GroupConsumer(
            properties: KafkaProperties([
                "bootstrap.servers": broker.bootstrapServers, "group.id": "g",
                "partition.assignment.strategy": strategy, "session.timeout.ms": "4000",
                "max.poll.interval.ms": "4000", "heartbeat.interval.ms": "200",
            ]), logger: .silent)
        try consumer.subscribe(["t"])
        _ = try consumer.poll { _, _ in consumer.assignment.count == 2 }
        // Longer than max.poll.interval.ms, which cannot be shorter than the session's timeout, which has to cover the
        // 3 s that the embedded broker waits for more members.
        Thread.sleep(forTimeInterval: 5.5)
        var lost: [TopicPartition] = []
        let deadline = ContinuousClock.now + .seconds(20)
        while lost.isEmpty, .now < deadline {
            if case .rebalance(let rebalance) = consumer.poll(timeoutMilliseconds: 100) {
                guard case .lost(let partitions) = rebalance else {
                    Issue.record("expected lost partitions, got \(rebalance)")
                    break
                }
                lost = partitions
            }
        }
        #expect(lost.count == 2)
        #expect(consumer.isAssignmentLost)
        // The loss is not answered: closing has to.
        let start = ContinuousClock.now
        consumer.close(timeout: .seconds(40))
        #expect(ContinuousClock.now - start < .seconds(35))
    }
}
