import Foundation
import KafkaClient
import Logging
import Monitoring
import ServiceLifecycle
import Worker

/// The whole of Rejoinder in one process: an embedded broker, sample records, and the worker that `run` runs.
struct Demo {
    struct Output {
        var key: String
        var value: [UInt8]?
    }

    struct Result {
        /// The records of the enriched topic, in order of partition and offset.
        var enriched: [Output]
        var deadLetters: Int
        var totals: String
    }

    let examples: URL
    let logger: Logger

    private static let patience = Duration.seconds(60)

    func run() async throws -> Result {
        let topics = TopicNames()
        var samples: [SampleRecord] = []
        for name in ["answers", "votes", "questions"] {
            samples += try SampleRecord.read(examples.appendingPathComponent("\(name).jsonl"))
        }
        let broker = try EmbeddedBroker(brokerCount: 1)
        defer { broker.close() }
        let partitions = (samples.map(\.partition).max() ?? 0) + 1
        for topic in topics.inputs + topics.outputs { try broker.createTopic(topic, partitions: partitions) }
        // The embedded broker answers a fetch that finds nothing only when its wait is over.
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "fetch.wait.max.ms": "20"])
        try publish(samples, properties: properties)

        let state = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: state) }
        let began = ContinuousClock.now
        let events = samples.count { $0.topic == topics.questions }
        let totals = try await work(
            through: events,
            configuration: WorkerConfiguration(
                kafkaProperties: properties, groupID: "rejoinder-demo", topics: topics, stateDirectory: state.path))
        let seconds = (ContinuousClock.now - began) / .seconds(1)

        let enriched = try read(topics.enriched, partitions: partitions, properties: properties)
        let deadLetters = try read(topics.deadLetter, partitions: partitions, properties: properties).count
        return Result(
            enriched: enriched, deadLetters: deadLetters,
            totals: """
                \(events) question events, \(totals.tableAnswers) answer records and \(totals.tableVotes) vote records in; \
                \(enriched.count) enriched records and \(deadLetters) dead letters out; \
                \(totals.answersAttached) answers attached, in \
                \(FigureText.tenths(seconds)) s
                """)
    }

    private func publish(_ samples: [SampleRecord], properties: KafkaProperties) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        for sample in samples {
            let names = sample.headers ?? []
            let headers = stride(from: 0, to: names.count - 1, by: 2).map { RecordHeader(names[$0], names[$0 + 1]) }
            try Self.withBytes(sample.key) { key in
                try Self.withBytes(sample.payload) { value in
                    try producer.produce(
                        to: try producer.topic(sample.topic), partition: sample.partition, key: key, value: value,
                        timestamp: sample.ts, headersOf: nil, extraHeaders: headers)
                }
            }
        }
        try producer.flush(timeout: Self.patience)
    }

    /// Runs the worker until it has taken every event, and stops it, which commits.
    private func work(through events: Int, configuration: WorkerConfiguration) async throws -> LaneTotals {
        let worker = try WorkerService(configuration: configuration, logger: logger)
        var quiet = Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
        quiet.logLevel = .critical
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)], logger: quiet)
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                let deadline = ContinuousClock.now + Self.patience
                while worker.reports[0].current.totals.recordsIn < events {
                    try await Task.sleep(for: .milliseconds(20))
                    if ContinuousClock.now > deadline {
                        throw CommandFailure(
                            .internalError,
                            "the worker has not worked through the samples within a minute; run again with --verbose")
                    }
                }
                await group.triggerGracefulShutdown()
            }
            // The first to fail ends the other.
            for try await _ in tasks {}
        }
        return worker.reports[0].current.totals
    }

    private func read(_ topic: String, partitions: Int32, properties: KafkaProperties) throws -> [Output] {
        var own = properties
        own["group.id"] = "rejoinder-demo-reader"
        let consumer = try AssignedConsumer(properties: own, logger: logger)
        defer { consumer.close() }
        var outputs: [Output] = []
        // One after the other, for an order that is the same on every run.
        for number in 0..<partitions {
            let place = TopicPartition(topic: topic, partition: number)
            try consumer.assign([place: AssignedConsumer.beginning])
            reading: while true {
                switch consumer.poll(timeoutMilliseconds: 5000) {
                case .message(let message):
                    outputs.append(
                        Output(
                            key: message.key.map { String(decoding: $0, as: UTF8.self) } ?? "",
                            value: message.value.map(Array.init)))
                    message.release()
                case .endOfPartition: break reading
                case .failure(let error): throw error
                case .nothing:
                    throw CommandFailure(.internalError, "the embedded broker did not answer; run again with --verbose")
                case .rebalance: continue
                }
            }
            try consumer.unassign([place])
        }
        return outputs
    }

    private static func withBytes<Result>(
        _ text: String?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        guard var text else { return try body(nil) }
        return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
    }
}
