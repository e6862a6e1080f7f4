import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Commands

/// On the embedded broker, which does not tell topic settings; those are looked at on a real one.
@Suite struct ClusterCheckTests {
    private func check(
        _ properties: KafkaProperties, topics: TopicNames = TopicNames(), group: String = "g",
        delivery: DeliveryMode = .exactlyOnce, patience: Duration = .seconds(13)
    ) -> [CheckResult] {
        let configuration = WorkerConfiguration(
            kafkaProperties: properties, groupID: group, topics: topics, delivery: delivery)
        var results: [CheckResult] = []
        ClusterCheck(configuration: configuration, logger: .silent, patience: patience).run { results.append($0) }
        return results
    }

    @Test func noBroker() {
        let all = check(KafkaProperties(["bootstrap.servers": "127.0.0.1:1"]), patience: .seconds(1))
        #expect(all.first == .ok("client settings", "librdkafka takes them"))
        let results = all.dropFirst()
        #expect(results.first?.outcome == .fail)
        #expect(results.first?.matter == .broker)
        #expect(results.first?.advice.contains("kafka.bootstrapServers") == true)
        #expect(results.dropFirst().allSatisfy { $0.outcome == .skipped })
        #expect(CheckCommand.status(of: results.filter { $0.outcome == .fail }) == .brokerUnreachable)
    }

    @Test func clashingProperties() {
        // Each by itself is fine.
        let results = check(
            KafkaProperties([
                "bootstrap.servers": "127.0.0.1:1", "session.timeout.ms": "10000", "max.poll.interval.ms": "5000",
            ]))
        #expect(results.map(\.outcome) == [.fail])
        #expect(results.first?.subject == "client settings")
        #expect(results.first?.finding.contains("max.poll.interval.ms") == true)
        #expect(CheckCommand.status(of: results) == .configuration)
    }

    @Test func unequalPartitionCounts() throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        let topics = TopicNames()
        for topic in topics.inputs + topics.outputs {
            try broker.createTopic(topic, partitions: topic == "votes" ? 3 : 2)
        }
        let results = check(KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), patience: .seconds(4))
        #expect(results.filter { $0.subject.hasPrefix("topic ") }.allSatisfy { $0.outcome == .ok })
        let counts = try #require(results.first { $0.subject == "partition counts" })
        #expect(counts.outcome == .fail)
        #expect(counts.finding.contains("votes has 3"))
        #expect(counts.finding.contains("answers has 2"))
        let transactions = results.first { $0.subject.hasPrefix("transactional id") }
        #expect(transactions?.outcome == .ok)
    }

    @Test func atLeastOnceNeedsNoTransactions() throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        let topics = TopicNames()
        for topic in topics.inputs + topics.outputs { try broker.createTopic(topic, partitions: 2) }
        let results = check(
            KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), delivery: .atLeastOnce,
            patience: .seconds(4))
        #expect(!results.contains { $0.subject.hasPrefix("transactional id") })
        #expect(results.first { $0.subject == "partition counts" }?.outcome == .ok)
    }

    @Test func statusIsTheMostBasicFailures() {
        func status(_ matters: CheckResult.Matter...) -> Int32? {
            CheckCommand.status(of: matters.map { .fail("s", "f", "a", $0) })?.rawValue
        }
        #expect(status() == nil)
        #expect(status(.stateDirectory) == 73)
        #expect(status(.configuration, .stateDirectory) == 78)
        #expect(status(.configuration, .broker) == 69)
    }

    @Test func aLineSaysWhatToDo() {
        #expect(CheckCommand.line(.ok("a", "b")) == "ok    a: b")
        #expect(CheckCommand.line(.fail("a", "b", "c")) == "fail  a: b -> c")
    }
}

@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct RealClusterCheckTests {
    /// Five names of topics that do not exist yet; deletes the topics in the end.
    private func withTopicNames(_ body: (RealCluster, TopicNames) throws -> Void) throws {
        let cluster = try RealCluster.shared()
        let name = RealCluster.uniqueName("cli")
        let topics = TopicNames(
            questions: name + ".questions", answers: name + ".answers", votes: name + ".votes",
            enriched: name + ".enriched", deadLetter: name + ".dead-letter")
        defer {
            if let admin = try? AdminClient(properties: cluster.properties, logger: .silent) {
                for topic in topics.inputs + topics.outputs { try? admin.deleteTopic(topic, timeout: .seconds(10)) }
                admin.close()
            }
        }
        try body(cluster, topics)
    }

    private func check(_ configuration: WorkerConfiguration) -> [CheckResult] {
        var results: [CheckResult] = []
        ClusterCheck(configuration: configuration, logger: .silent).run { results.append($0) }
        return results
    }

    private func make(
        _ configuration: WorkerConfiguration, partitions: Int32? = nil, replicationFactor: Int32? = 1
    ) throws -> (lines: [String], advice: [String]) {
        var lines: [String] = []
        let maker = TopicMaker(
            configuration: configuration, partitions: partitions, replicationFactor: replicationFactor, logger: .silent)
        let advice = try maker.run { lines.append($0) }
        return (lines, advice)
    }

    @Test func topicsAreMadeThenCompared() throws {
        try withTopicNames { cluster, topics in
            var configuration = WorkerConfiguration(
                kafkaProperties: cluster.properties, groupID: RealCluster.uniqueName("group"), topics: topics)
            let before = check(configuration)
            let missing = before.filter { $0.outcome == .fail }
            #expect(missing.count == 5)
            #expect(missing.allSatisfy { $0.advice.contains("rejoinder topics create") })

            let made = try make(configuration, partitions: 3)
            #expect(made.advice.isEmpty)
            #expect(made.lines.count == 5)
            #expect(made.lines.allSatisfy { $0.contains(": created, 3 partitions") }, "\(made.lines)")

            let again = try make(configuration)
            #expect(again.advice.isEmpty)
            #expect(again.lines.allSatisfy { $0.hasSuffix(": exists, as needed") }, "\(again.lines)")

            let other = try make(configuration, partitions: 4)
            #expect(
                other.lines.allSatisfy { $0.contains("exists, differs: it has 3 partitions, not 4") }, "\(other.lines)")

            let after = check(configuration)
            #expect(after.allSatisfy { $0.outcome == .ok }, "\(after)")

            var settings: [CheckResult] = []
            ClusterCheck(configuration: configuration, logger: .silent).runSettings { settings.append($0) }
            #expect(settings.count == 4)
            #expect(settings.allSatisfy { $0.outcome == .ok }, "\(settings)")

            configuration.kafkaProperties["message.max.bytes"] = "2000000"
            let larger = check(configuration).filter { $0.outcome == .fail }
            #expect(larger.map(\.subject) == ["settings of \(topics.enriched)", "settings of \(topics.deadLetter)"])
            #expect(larger.allSatisfy { $0.advice.contains("max.message.bytes=2000000") })
            let compared = try make(configuration)
            #expect(compared.advice.count == 2)
            #expect(compared.lines.filter { $0.contains("max.message.bytes is 1048588") }.count == 2)
        }
    }

    @Test func unequalCountsAndForgettingTopics() throws {
        try withTopicNames { cluster, topics in
            let configuration = WorkerConfiguration(
                kafkaProperties: cluster.properties, groupID: RealCluster.uniqueName("group"), topics: topics)
            let admin = try AdminClient(properties: cluster.properties, logger: .silent)
            defer { admin.close() }
            try admin.createTopic(
                topics.votes, partitions: 5, replicationFactor: 1, settings: ["retention.ms": "1000000"],
                timeout: .seconds(10))
            try admin.createTopic(topics.answers, partitions: 2, replicationFactor: 1, timeout: .seconds(10))
            let made = try make(configuration)
            #expect(made.lines.contains { $0.hasPrefix("\(topics.questions): created, 5 partitions") }, "\(made.lines)")
            #expect(made.lines.contains { $0.contains("retention.ms is 1000000, should be -1") }, "\(made.lines)")
            #expect(made.advice.count == 1)
            #expect(made.advice.first?.contains("equal partition counts") == true)

            let results = check(configuration)
            #expect(results.filter { $0.outcome == .fail }.map(\.subject) == ["partition counts"])
            let warning = results.first { $0.outcome == .warn && $0.subject == "settings of \(topics.votes)" }
            #expect(warning?.finding.contains("retention.ms is 1000000") == true)
            #expect(warning?.advice.contains("retention.ms=-1") == true)
        }
    }

    /// A check must not throw a running worker out of its group.
    @Test func aCheckFencesNobody() throws {
        try withTopicNames { cluster, topics in
            let configuration = WorkerConfiguration(
                kafkaProperties: cluster.properties, groupID: RealCluster.uniqueName("group"), topics: topics)
            _ = try make(configuration, partitions: 1)
            let properties = ClientProperties(configuration: configuration, identity: "0123456789ab", lane: 0)
            let worker = try Producer(
                properties: properties.producer, transactionalID: properties.transactionalID, logger: .silent)
            defer { worker.close(timeout: .seconds(1)) }
            try worker.initTransactions(timeout: .seconds(20))
            try worker.beginTransaction()
            try worker.produce("{}", key: "k", to: try worker.topic(topics.enriched))
            #expect(check(configuration).allSatisfy { $0.outcome == .ok })
            try worker.commitTransaction(timeout: .seconds(20))
        }
    }
}
