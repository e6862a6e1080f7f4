import Foundation
import KafkaClient
import Logging
import Worker
import Workload

/// Publishes a plan's records with the idempotent producer, placed by key as Java clients place them.
struct WorkloadPublisher {
    let topics: TopicNames
    let properties: KafkaProperties
    /// Records of the traffic a second; nil: as fast as the brokers take them.
    let rate: Double?
    let logger: Logger

    /// Longer than librdkafka's default `message.timeout.ms` (300 s), so that a record fails before a flush gives up.
    private static let patience = Duration.seconds(330)

    /// Published records by topic.
    typealias Counts = [WorkloadGenerator.Topic: Int]

    /// - Parameters:
    ///   - stages: the parts of the plan to publish.
    ///   - progress: called once in 1,000 records with the number queued.
    func run(
        _ generator: WorkloadGenerator, stages: Set<WorkloadStage>, progress: (Int) -> Void
    ) throws -> Counts {
        // At full speed batches fill up; at a rate no record waits for a batch.
        let own = KafkaProperties([
            "linger.ms": rate == nil ? "20" : "0", "queue.buffering.max.messages": "1000000",
            "queue.buffering.max.kbytes": "262144",
        ])
        let producer = try Producer(properties: own.overlaid(by: properties), transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        let handles: [WorkloadGenerator.Topic: ProducerTopic] = [
            .answers: try producer.topic(topics.answers), .votes: try producer.topic(topics.votes),
            .questions: try producer.topic(topics.questions),
        ]
        var counts: Counts = [:]
        var total = 0
        func publish(_ topic: WorkloadGenerator.Topic, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer)
            throws
        {
            guard let handle = handles[topic] else { return }
            try produce(key, value, to: handle, with: producer)
            counts[topic, default: 0] += 1
            total += 1
            if total % 1_000 == 0 {
                producer.poll(timeoutMilliseconds: 0)
                progress(total)
            }
        }
        if stages.contains(.tables) {
            try generator.tables(publish)
            // The tables must be in the topics before the traffic refers to them.
            try producer.flush(timeout: Self.patience)
        }
        if stages.contains(.traffic) {
            var pacer = rate.map { TrafficPacer(rate: $0) }
            try generator.traffic { topic, key, value in
                pacer?.wait()
                try publish(topic, key, value)
            }
            try producer.flush(timeout: Self.patience)
        }
        return counts
    }

    private func produce(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to topic: ProducerTopic, with producer: Producer
    ) throws {
        try producer.waitingForRoom(Self.patience) { () throws(KafkaError) in
            try producer.produce(to: topic, partition: nil, key: key, value: value, timestamp: nil)
        }
    }
}

/// Paces records at a rate. After a delay, records follow each other faster until the rate is made up.
struct TrafficPacer {
    private let rate: Double
    private let began = ContinuousClock.now
    private var passed = 0

    /// - Parameter rate: records a second, above 0.
    init(rate: Double) { self.rate = rate }

    mutating func wait() {
        let due = Duration.seconds(Double(passed) / rate)
        passed += 1
        while true {
            let early = due - (ContinuousClock.now - began)
            guard early > .zero else { return }
            Thread.sleep(forTimeInterval: early / .seconds(1))
        }
    }
}
