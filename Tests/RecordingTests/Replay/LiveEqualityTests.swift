import Foundation
import KafkaClient
import Logging
import ServiceLifecycle
import Testing
import Worker

@testable import Recording

@Suite("A replay against a worker on the embedded broker", .timeLimit(.minutes(3)))
struct LiveEqualityTests {
    @Test("a worker publishes of the samples what a replay gives, byte for byte, dead letters too")
    func samples() async throws {
        var records: [RecordedRecord] = []
        for file in ReplaySite.examples {
            let reader = try RecordingReader(path: file)
            while let record = try reader.next() { records.append(record) }
        }
        let live = try await publish(records)
        var replayed = try ReplaySite.replay(records)
        // Live they are written at the time of writing, so that retention does not take them.
        for index in replayed.indices where replayed[index].topic == TopicNames().deadLetter {
            replayed[index].timestamp = nil
        }
        for topic in TopicNames().outputs {
            for partition in Int32(0)..<3 {
                // Dead letters of several topics come in the order in which a worker happened to read those.
                func sorted(_ records: [RecordedRecord]) -> [RecordedRecord] {
                    let chosen = records.filter { $0.topic == topic && $0.partition == partition }
                    guard topic == TopicNames().deadLetter else { return chosen }
                    return chosen.sorted { place($0) < place($1) }
                }
                let (left, right) = (sorted(live), sorted(replayed))
                #expect(left.count == right.count)
                for (one, other) in zip(left, right) {
                    #expect(one.key == other.key && one.text == other.text && one.headers == other.headers)
                    #expect(one.timestamp == other.timestamp)
                }
            }
        }
        #expect(replayed.count == 19)
    }

    private func place(_ letter: RecordedRecord) -> String {
        (letter.header("rejoinder.source.topic") ?? "") + " " + (letter.header("rejoinder.source.offset") ?? "")
    }

    /// The output of a worker whose input was all there when it began.
    private func publish(_ records: [RecordedRecord]) async throws -> [RecordedRecord] {
        let topics = TopicNames()
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        for topic in topics.inputs + topics.outputs { try broker.createTopic(topic, partitions: 3) }
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
        var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .critical

        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        for record in records {
            try (record.key ?? []).withUnsafeBytes { key in
                try (record.value ?? []).withUnsafeBytes { value in
                    try producer.produce(
                        to: try producer.topic(record.topic), partition: record.partition,
                        key: record.key == nil ? nil : key, value: record.value == nil ? nil : value,
                        timestamp: record.timestamp, extraHeaders: record.headers)
                }
            }
        }
        try producer.flush(timeout: .seconds(20))
        producer.close(timeout: .seconds(1))

        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let worker = try WorkerService(
            configuration: WorkerConfiguration(
                kafkaProperties: properties, groupID: "test", topics: topics, stateDirectory: directory.path),
            logger: logger)
        let events = records.count { $0.topic == topics.questions }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)], logger: logger
            ))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                while worker.reports.reduce(0, { $0 + $1.current.totals.recordsIn }) < events {
                    try await Task.sleep(for: .milliseconds(10))
                }
                await group.triggerGracefulShutdown()
            }
            for try await _ in tasks {}
        }
        return try read(topics.outputs, properties, logger, lettersAt: nil)
    }

    /// - Parameter lettersAt: the time that dead letters are given in place of when they were written.
    private func read(
        _ topics: [String], _ properties: KafkaProperties, _ logger: Logger, lettersAt: Int64?
    ) throws -> [RecordedRecord] {
        let consumer = try AssignedConsumer(
            properties: properties.overlaid(by: KafkaProperties(["group.id": "reader"])), logger: logger)
        defer { consumer.close() }
        var records: [RecordedRecord] = []
        for topic in topics {
            for partition in Int32(0)..<3 {
                let place = TopicPartition(topic: topic, partition: partition)
                try consumer.assign([place: AssignedConsumer.beginning])
                reading: while true {
                    switch consumer.poll(timeoutMilliseconds: 10_000) {
                    case .message(let message):
                        records.append(
                            RecordedRecord(
                                topic: topic, partition: partition, offset: message.offset,
                                timestamp: topic == TopicNames().deadLetter ? lettersAt : message.timestamp,
                                headers: message.headers, key: message.key.map(Array.init),
                                value: message.value.map(Array.init)))
                        message.release()
                    case .endOfPartition: break reading
                    case .failure(let error): throw error
                    case .nothing: throw ReplayError("reading \(topic) took too long")
                    case .rebalance: continue
                    }
                }
                try consumer.unassign([place])
            }
        }
        return records
    }
}
