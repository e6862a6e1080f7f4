import Foundation
import KafkaClient
import TestSupport
import Testing
import Worker

@testable import Commands

@Suite(.timeLimit(.minutes(1))) struct TopicReadinessTests {
    /// A broker that leads partitions and does not answer yet, as one that has not heard of them.
    @Test func leadersAreWaitedFor() throws {
        let broker = try EmbeddedBroker(brokerCount: 2)
        defer { broker.close() }
        try broker.createTopic("new", partitions: 2)
        let places = (0..<2).map { TopicPartition(topic: "new", partition: $0) }
        for place in places { try broker.setLeader(of: place, to: 2) }
        let admin = try AdminClient(
            properties: KafkaProperties(["bootstrap.servers": broker.bootstrapServers]), logger: .silent)
        defer { admin.close() }
        try broker.stopBroker(2)
        let error = #expect(throws: WorkerError.self) {
            try TopicReadiness(admin: admin, patience: .milliseconds(500)).wait(for: places)
        }
        #expect(error?.matter == .brokerUnreachable)
        #expect(error?.message.contains("new [0]") == true)

        let starting = Thread { [broker] in
            Thread.sleep(forTimeInterval: 0.5)
            try? broker.startBroker(2)
        }
        starting.start()
        try TopicReadiness(admin: admin).wait(for: places)
        #expect(try admin.watermarks(of: places[0], timeout: .seconds(5)) == (0, 0))
    }
}
