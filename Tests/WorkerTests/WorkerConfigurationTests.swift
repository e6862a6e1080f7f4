import KafkaClient
import Logging
import Testing

@testable import Worker

@Suite("What a worker is told")
struct WorkerConfigurationTests {
    private func configuration(_ change: (inout WorkerConfiguration) -> Void = { _ in }) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(kafkaProperties: KafkaProperties(["bootstrap.servers": "127.0.0.1:1"]))
        change(&configuration)
        return configuration
    }

    @Test("the defaults have no problem")
    func defaults() {
        #expect(configuration().firstProblem == nil)
    }

    @Test("a problem is named by its key")
    func problems() {
        #expect(configuration { $0.lanes = 0 }.firstProblem?.contains("lanes") == true)
        #expect(configuration { $0.memoryBudgetMiB = 1 }.firstProblem?.contains("memoryBudgetMiB") == true)
        #expect(configuration { $0.commitInterval = .zero }.firstProblem?.contains("commitIntervalMs") == true)
        #expect(configuration { $0.maxRecordBytes = 0 }.firstProblem?.contains("maxRecordBytes") == true)
        #expect(configuration { $0.topics.enriched = "" }.firstProblem?.contains("topics.enriched") == true)
        #expect(configuration { $0.topics.enriched = "questions" }.firstProblem?.contains("questions") == true)
    }

    @Test("the user's properties win over ours, in all clients")
    func userWins() {
        let own = configuration {
            $0.kafkaProperties["session.timeout.ms"] = "30000"
            $0.kafkaProperties["transaction.timeout.ms"] = "60000"
        }
        let properties = ClientProperties(configuration: own, identity: "a", lane: 0)
        #expect(properties.groupConsumer["session.timeout.ms"] == "30000")
        #expect(properties.producer["transaction.timeout.ms"] == "60000")
        #expect(properties.groupConsumer["bootstrap.servers"] == "127.0.0.1:1")
    }

    @Test("lanes and workers have transactional ids of their own, the same on every start")
    func identities() {
        let configuration = configuration { $0.lanes = 2 }
        let ids = [("a", 0), ("a", 1), ("b", 0)].map {
            ClientProperties(configuration: configuration, identity: $0.0, lane: $0.1).transactionalID
        }
        #expect(Set(ids).count == 3)
        #expect(ClientProperties(configuration: configuration, identity: "a", lane: 0).transactionalID == ids[0])
    }

    @Test("membership is static only on demand")
    func membership() {
        let dynamic = ClientProperties(configuration: configuration(), identity: "a", lane: 0)
        #expect(dynamic.groupConsumer["group.instance.id"] == nil)
        let fixed = ClientProperties(
            configuration: configuration { $0.staticMembership = true }, identity: "a", lane: 0)
        #expect(fixed.groupConsumer["group.instance.id"] != nil)
        #expect(fixed.follower["group.instance.id"] == nil)
    }

    @Test("queues of all lanes together stay below the budget", arguments: [64, 128, 256, 1024], [1, 2, 8])
    func memory(budgetMiB: Int, lanes: Int) {
        let configuration = configuration {
            $0.memoryBudgetMiB = budgetMiB
            $0.lanes = lanes
        }
        let properties = ClientProperties(configuration: configuration, identity: "a", lane: 0)
        func kibibytes(_ text: String?) -> Int { Int(text ?? "") ?? .max }
        let lane =
            kibibytes(properties.groupConsumer["queued.max.messages.kbytes"])
            + kibibytes(properties.groupConsumer["fetch.max.bytes"]) / 1024
            + kibibytes(properties.follower["queued.max.messages.kbytes"])
            + kibibytes(properties.follower["fetch.max.bytes"]) / 1024
            + kibibytes(properties.producer["queue.buffering.max.kbytes"])
            + properties.renderedBytes / 1024
        // A small budget for many lanes is bounded by a lane's least need.
        #expect(lane * lanes <= max(budgetMiB, lanes * 10) * 1024)
    }

    @Test("librdkafka takes what we make of large records and of much memory", arguments: [64, 16_384, 1_048_576])
    func clientsCanBeMade(budget: Int) throws {
        for size in ["1000", "10000000", "1000000000"] {
            let own = configuration {
                $0.memoryBudgetMiB = budget
                $0.kafkaProperties["message.max.bytes"] = size
            }
            let properties = ClientProperties(configuration: own, identity: "a", lane: 0)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            try GroupConsumer(properties: properties.groupConsumer, logger: logger).close(timeout: .seconds(1))
            try AssignedConsumer(properties: properties.follower, logger: logger).close()
            try Producer(properties: properties.producer, transactionalID: "t", logger: logger).close(timeout: .zero)
        }
    }

    @Test("the longest value leaves room below what the producer takes")
    func longestValue() {
        let properties = ClientProperties(
            configuration: configuration { $0.kafkaProperties["message.max.bytes"] = "50000" }, identity: "a", lane: 0)
        #expect(properties.maxMessageBytes == 50000)
        #expect(properties.defaultMaxRecordBytes < 50000 && properties.defaultMaxRecordBytes > 45000)
    }
}
