import Bytes
import Foundation
import KafkaClient
import Logging
import Recording
import ServiceLifecycle
import Throughput
import Worker

/// All of Rejoinder in one process: an embedded broker, sample records, and the worker that `run` runs.
struct Demo: Sendable {
    struct Output: Sendable {
        var key: String
        var value: [UInt8]?
    }

    struct Result: Sendable {
        /// The records of the enriched topic, in order of partition and offset.
        var enriched: [Output]
        var deadLetters: Int
        /// The records of a question before and after its first answer, with `publish.on: changes`.
        var firstAnswer: [Output]
        var totals: String
    }

    let examples: URL
    let logger: Logger

    private static let patience = Duration.seconds(60)

    func run() async throws -> Result {
        let topics = TopicNames()
        var samples: [RecordedRecord] = []
        for name in ["answers", "votes", "questions"] {
            samples += try Self.records(of: examples.appendingPathComponent("\(name).jsonl"))
        }
        let broker = try EmbeddedBroker(brokerCount: 1)
        defer { broker.close() }
        let partitions = (samples.map(\.partition).max() ?? 0) + 1
        for topic in topics.inputs + topics.outputs { try broker.createTopic(topic, partitions: partitions) }
        // The embedded broker holds an empty fetch for its whole wait.
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "fetch.wait.max.ms": "20"])
        try publish(samples, properties: properties)

        let state = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-demo-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: state) }
        let began = ContinuousClock.now
        let events = samples.count { $0.topic == topics.questions }
        let worker = try WorkerService(
            configuration: WorkerConfiguration(
                kafkaProperties: properties, groupID: "rejoinder-demo", topics: topics,
                publishOn: .changes(coalesce: .milliseconds(100)), stateDirectory: state.path),
            logger: logger)
        return try await run(worker) {
            let totals = try await Self.wait(for: worker) { $0.recordsIn >= events }
            let seconds = (ContinuousClock.now - began) / .seconds(1)
            let enriched = try read(topics.enriched, partitions: partitions, properties: properties)
            let deadLetters = try read(topics.deadLetter, partitions: partitions, properties: properties).count
            let firstAnswer = try await askAndAnswer(worker, topics, properties)
            return Result(
                enriched: enriched, deadLetters: deadLetters, firstAnswer: firstAnswer,
                totals: Self.text(totals, events, enriched.count, deadLetters, seconds))
        }
    }

    private static func text(
        _ totals: LaneTotals, _ events: Int, _ enriched: Int, _ deadLetters: Int, _ seconds: Double
    ) -> String {
        """
        \(events) question events, \(totals.tableAnswers) answer records and \(totals.tableVotes) vote records in; \
        \(enriched) enriched records and \(deadLetters) dead letters out; \
        \(totals.answersAttached) answers attached, in \
        \(FigureText.tenths(seconds)) s
        """
    }

    /// Asks a question, then answers it and votes for the answer.
    private func askAndAnswer(
        _ worker: WorkerService, _ topics: TopicNames, _ properties: KafkaProperties
    ) async throws -> [Output] {
        let id = "demo"
        let now = WallClock.microseconds / 1000
        func record(_ topic: String, _ value: String) -> RecordedRecord {
            RecordedRecord(
                topic: topic, partition: 0, offset: 0, timestamp: now, key: Array(id.utf8), value: Array(value.utf8))
        }
        let before = worker.reports[0].current.totals
        try publish(
            [
                record(
                    topics.questions,
                    #"{"id":"demo","title":"Is a question's record current when its first answer comes?"}"#)
            ], properties: properties)
        _ = try await Self.wait(for: worker) { $0.recordsIn > before.recordsIn }
        // A vote may precede its answer; it does here, so that one record shows both.
        try publish(
            [record(topics.votes, #"{"questionId":"demo","answerId":"demo-1","voterId":"reader","value":1}"#)],
            properties: properties)
        _ = try await Self.wait(for: worker) { $0.tableVotes > before.tableVotes }
        try publish(
            [
                record(
                    topics.answers,
                    #"{"id":"demo-1","questionId":"demo","#
                        + #""body":"With publish.on: changes it is, within publish.coalesceMs.","#
                        + #""author":{"id":"rejoinder","displayName":"Rejoinder"}}"#)
            ], properties: properties)
        _ = try await Self.wait(for: worker) {
            $0.republishedByAnswers + $0.republishedByVotes > before.republishedByAnswers + before.republishedByVotes
        }
        return try read(topics.enriched, partitions: 1, properties: properties).filter { $0.key == id }
    }

    /// Reads a sample recording.
    static func records(of file: URL) throws -> [RecordedRecord] {
        let reader: RecordingReader
        do throws(RecordingError) {
            reader = try RecordingReader(path: file.path)
        } catch {
            guard error.matter == .unopened else { throw error }
            throw CommandFailure(
                .badData,
                "the sample recording \(file.path) cannot be read; run this from the project's folder, or name the folder of "
                    + "the recordings with --examples")
        }
        var records: [RecordedRecord] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    private func publish(_ samples: [RecordedRecord], properties: KafkaProperties) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        for sample in samples {
            try Bytes.lend(optional: sample.key) { key in
                try Bytes.lend(optional: sample.value) { value in
                    try producer.produce(
                        to: try producer.topic(sample.topic), partition: sample.partition, key: key, value: value,
                        timestamp: sample.timestamp, headersOf: nil, extraHeaders: sample.headers)
                }
            }
        }
        try producer.flush(timeout: Self.patience)
    }

    /// Runs the worker while `body` runs, then stops it, which commits.
    private func run<Outcome: Sendable>(
        _ worker: WorkerService, while body: @escaping @Sendable () async throws -> Outcome
    ) async throws -> Outcome {
        var quiet = Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }
        quiet.logLevel = .critical
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)], logger: quiet)
        )
        return try await withThrowingTaskGroup(of: Outcome?.self) { tasks in
            tasks.addTask {
                try await group.run()
                return nil
            }
            tasks.addTask {
                let outcome = try await body()
                await group.triggerGracefulShutdown()
                return outcome
            }
            var result: Outcome?
            // The first task to fail ends the other.
            for try await outcome in tasks { result = outcome ?? result }
            guard let result else {
                throw CommandFailure(.internalError, "the worker ended by itself; run again with --verbose")
            }
            return result
        }
    }

    private static func wait(
        for worker: WorkerService, until isDone: (LaneTotals) -> Bool
    ) async throws -> LaneTotals {
        let deadline = ContinuousClock.now + patience
        while true {
            let totals = worker.reports[0].current.totals
            if isDone(totals) { return totals }
            try await Task.sleep(for: .milliseconds(20))
            if ContinuousClock.now > deadline {
                throw CommandFailure(
                    .internalError,
                    "the worker has not worked through the samples within a minute; run again with --verbose")
            }
        }
    }

    private func read(_ topic: String, partitions: Int32, properties: KafkaProperties) throws -> [Output] {
        var own = properties
        own["group.id"] = "rejoinder-demo-reader"
        let consumer = try AssignedConsumer(properties: own, logger: logger)
        defer { consumer.close() }
        var outputs: [Output] = []
        // Partition by partition, so that the order is the same on every run.
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
}
