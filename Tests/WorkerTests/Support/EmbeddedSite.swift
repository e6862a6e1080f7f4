import Foundation
import KafkaClient
import Logging
import ServiceLifecycle
import Synchronization

@testable import Worker

/// A record as a test writes or reads it.
struct TestRecord: Equatable {
    var partition: Int32 = 0
    var key: String?
    var value: String?
    var timestamp: Int64? = 1_700_000_000_000
    var headers: [RecordHeader] = []
}

/// An embedded broker with the five topics, and workers on it. The broker knows no real transactions: it shows aborted
/// records, and does not store offsets that go with a transaction.
final class EmbeddedSite {
    let broker: EmbeddedBroker
    let topics = TopicNames()
    let partitions: Int32
    let directory: URL
    /// The workers'.
    var logger: Logger
    /// The embedded broker answers a fetch that finds nothing only when its wait is over.
    var properties: KafkaProperties {
        KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "fetch.wait.max.ms": "20"])
    }

    init(partitions: Int32 = 2, outputPartitions: Int32? = nil) throws {
        self.partitions = partitions
        broker = try EmbeddedBroker()
        for topic in topics.inputs { try broker.createTopic(topic, partitions: partitions) }
        for topic in topics.outputs { try broker.createTopic(topic, partitions: outputPartitions ?? partitions) }
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString)")
        var logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel =
            Logger.Level(rawValue: ProcessInfo.processInfo.environment["REJOINDER_TEST_LOG"] ?? "") ?? .critical
        self.logger = logger
    }

    deinit {
        broker.close()
        try? FileManager.default.removeItem(at: directory)
    }

    func configuration(_ change: (inout WorkerConfiguration) -> Void = { _ in }) -> WorkerConfiguration {
        var configuration = WorkerConfiguration(
            kafkaProperties: properties, groupID: "test", topics: topics, stateDirectory: directory.path)
        change(&configuration)
        return configuration
    }

    /// Errors that meet the lanes at work and not at their start: they are there once the lane has its partitions.
    func injectOnceAssigned(_ errors: [String], into request: EmbeddedBroker.Request) {
        let broker = broker
        let isDone = Atomic(false)
        logger = LogHook.logger { message, _ in
            guard message == "partitions assigned", !isDone.exchange(true, ordering: .relaxed) else { return }
            try? broker.inject(errors, into: request)
        }
    }

    /// Whether the coordinator has held a lane's commit up for so long. The registration of the producer waits for it
    /// too.
    static func isCommitHeldUp(_ content: LaneReport.Content, for duration: Duration) -> Bool {
        guard let wait = content.wait, wait.reason == .coordinator, content.busy?.activity == .committing else {
            return false
        }
        return .now - wait.since > duration
    }

    func publish(_ records: [TestRecord], to topic: String) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        let topic = try producer.topic(topic)
        for record in records {
            try Self.withBytes(record.key) { key in
                try Self.withBytes(record.value) { value in
                    try producer.produce(
                        to: topic, partition: record.partition, key: key, value: value, timestamp: record.timestamp,
                        extraHeaders: record.headers)
                }
            }
        }
        try producer.flush(timeout: .seconds(20))
    }

    /// First offset and end of a partition.
    func ends(of place: TopicPartition) throws -> (low: Int64, high: Int64) {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        return try producer.queryWatermarks(place, timeout: .seconds(5))
    }

    /// The topic's records, partition by partition.
    func read(_ topic: String, partitions: Int32? = nil) throws -> [TestRecord] {
        let consumer = try AssignedConsumer(
            properties: properties.overlaid(by: KafkaProperties(["group.id": "reader"])), logger: logger)
        defer { consumer.close() }
        var records: [TestRecord] = []
        for number in 0..<(partitions ?? self.partitions) {
            let place = TopicPartition(topic: topic, partition: number)
            try consumer.assign([place: AssignedConsumer.beginning])
            reading: while true {
                switch consumer.poll(timeoutMilliseconds: 10_000) {
                case .message(let message):
                    records.append(
                        TestRecord(
                            partition: message.partition,
                            key: message.key.map { String(decoding: $0, as: UTF8.self) },
                            value: message.value.map { String(decoding: $0, as: UTF8.self) },
                            timestamp: message.timestamp, headers: message.headers))
                    message.release()
                case .endOfPartition: break reading
                case .failure(let error): throw error
                case .nothing: throw Timeout(what: "reading \(topic)")
                case .rebalance: continue
                }
            }
            try consumer.unassign([place])
        }
        return records
    }

    /// Runs a worker until the condition holds, and stops it gracefully.
    @discardableResult
    func work(
        _ configuration: WorkerConfiguration? = nil, until isDone: @escaping @Sendable ([LaneTotals]) throws -> Bool
    ) async throws -> [LaneTotals] {
        try await run(configuration) { worker in
            try await Self.wait(for: "the worker's work") { try isDone(worker.reports.map(\.current.totals)) }
        }.reports.map(\.current.totals)
    }

    /// Runs a worker for as long as `body` takes, and stops it gracefully.
    @discardableResult
    func run(
        _ configuration: WorkerConfiguration? = nil,
        while body: @escaping @Sendable (WorkerService) async throws -> Void
    ) async throws -> WorkerService {
        let worker = try WorkerService(configuration: configuration ?? self.configuration(), logger: logger)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)], logger: logger
            ))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                try await body(worker)
                await group.triggerGracefulShutdown()
            }
            // The first to fail ends the other.
            for try await _ in tasks {}
        }
        return worker
    }

    static func wait(for what: String, until isDone: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !(try isDone()) {
            if ContinuousClock.now > deadline { throw Timeout(what: what) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Runs a worker until so many question events were worked on.
    @discardableResult
    func work(
        _ configuration: WorkerConfiguration? = nil, events: Int
    ) async throws -> LaneTotals {
        try await work(configuration) { $0.reduce(0) { $0 + $1.recordsIn } >= events }[0]
    }

    struct Timeout: Error, CustomStringConvertible {
        let what: String
        var description: String { "\(what) took longer than a minute" }
    }

    private static func withBytes<Result>(
        _ text: String?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        guard var text else { return try body(nil) }
        return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
    }
}

/// Records in as few words as a test needs.
enum Make {
    static func question(_ id: String, partition: Int32 = 0, title: String = "Why?") -> TestRecord {
        TestRecord(partition: partition, key: id, value: #"{"id":"\#(id)","title":"\#(title)"}"#)
    }

    static func answer(_ id: String, to question: String, partition: Int32 = 0, body: String = "So.") -> TestRecord {
        TestRecord(
            partition: partition, key: question,
            value: #"{"id":"\#(id)","questionId":"\#(question)","body":"\#(body)"}"#)
    }

    static func vote(_ value: Int, by voter: String, for answer: String, to question: String, partition: Int32 = 0)
        -> TestRecord
    {
        TestRecord(
            partition: partition, key: question,
            value: #"{"questionId":"\#(question)","answerId":"\#(answer)","voterId":"\#(voter)","value":\#(value),"#
                + #""castAt":"2025-01-01T00:00:00Z"}"#)
    }
}
