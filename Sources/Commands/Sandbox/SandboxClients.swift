import Admin
import Bytes
import Foundation
import KafkaClient
import Logging
import Recording
import Worker

/// A sandbox's own producer and consumer. Not Sendable: used by one thread at a time.
final class SandboxClients {
    private let producer: Producer
    private let consumer: AssignedConsumer
    private let partitions: Int32
    /// The first offset of each partition for readers: its end at the last reset.
    private var beginnings: [TopicPartition: Int64] = [:]
    private static let patience = Duration.seconds(10)

    init(properties: KafkaProperties, topics: [String], partitions: Int32, logger: Logger) throws(KafkaError) {
        var quiet = logger
        quiet.logLevel = .error
        producer = try Producer(properties: properties, transactionalID: nil, logger: quiet)
        consumer = try AssignedConsumer(
            properties: properties.overlaid(
                by: KafkaProperties(["group.id": "rejoinder-sandbox", "auto.offset.reset": "earliest"])),
            logger: quiet)
        self.partitions = partitions
        for topic in topics {
            for place in places(of: topic) { beginnings[place] = 0 }
        }
    }

    func close() {
        producer.close(timeout: .seconds(1))
        consumer.close()
    }

    private func places(of topic: String) -> [TopicPartition] {
        (0..<partitions).map { TopicPartition(topic: topic, partition: $0) }
    }

    // MARK: - Publishing

    func publish(recording path: String) throws(SandboxFailure) -> Int {
        try check(recording: path)
        var count = 0
        try failing {
            let reader = try RecordingReader(path: path, allowsEmpty: true)
            while let record = try reader.next() {
                try publish(record)
                count += 1
            }
            try producer.flush(timeout: Self.patience)
        }
        return count
    }

    private func check(recording path: String) throws(SandboxFailure) {
        do throws(RecordingError) {
            let reader = try RecordingReader(path: path, allowsEmpty: true)
            while try reader.advance() {
                let topic = String(decoding: reader.view.topic, as: UTF8.self)
                let place = TopicPartition(topic: topic, partition: reader.view.partition)
                guard beginnings[place] != nil else {
                    throw RecordingError(
                        .content, path: reader.name, line: reader.lineNumber,
                        reason:
                            "there is no \(Printable.text("\(place)")) in the sandbox; it has \(partitions) partitions "
                            + "of \(Set(beginnings.keys.map(\.topic)).sorted().joined(separator: ", "))")
                }
            }
            for warning in reader.warnings {
                LogWriter.standardError.say("warning: \(Printable.text(warning, limit: 1_000))")
            }
        } catch {
            throw SandboxFailure(.content, error.description)
        }
    }

    private func publish(_ record: RecordedRecord) throws {
        try publish(
            record.key, record.value, to: TopicPartition(topic: record.topic, partition: record.partition),
            timestamp: record.timestamp, headers: record.headers)
    }

    private func publish(
        _ key: [UInt8]?, _ value: [UInt8]?, to place: TopicPartition, timestamp: Int64? = nil,
        headers: [RecordHeader] = []
    ) throws {
        let topic = try producer.topic(place.topic)
        try Bytes.lend(optional: key) { key in
            try Bytes.lend(optional: value) { value in
                try producer.waitingForRoom(Self.patience) { () throws(KafkaError) in
                    try producer.produce(
                        to: topic, partition: place.partition, key: key, value: value, timestamp: timestamp,
                        extraHeaders: headers)
                }
            }
        }
    }

    /// Publishes a null value for each key whose last record since the reset has a value, in that record's partition.
    /// - Returns: their number.
    func deleteAll(of topic: String) throws(SandboxFailure) -> Int {
        var living: [[UInt8]: Int32] = [:]
        try read(topic) { message, partition in
            guard let key = message.key.map(Array.init), !key.isEmpty else { return }
            living[key] = message.value == nil ? nil : partition
        }
        try failing {
            for (key, partition) in living {
                try publish(key, nil, to: TopicPartition(topic: topic, partition: partition))
            }
            try producer.flush(timeout: Self.patience)
        }
        return living.count
    }

    // MARK: - Reading

    func ends(of topics: [String]) throws(SandboxFailure) -> [TopicPartition: Int64] {
        do throws(KafkaError) {
            return try consumer.ends(of: topics.flatMap(places(of:)), timeout: Self.patience)
        } catch {
            throw SandboxFailure(.broker, error.description)
        }
    }

    /// Makes readers start at the current ends of all topics.
    func beginHere() throws(SandboxFailure) -> [String: [Int32: Int64]] {
        for (place, end) in try ends(of: Set(beginnings.keys.map(\.topic)).sorted()) { beginnings[place] = end }
        var offsets: [String: [Int32: Int64]] = [:]
        for (place, offset) in beginnings { offsets[place.topic, default: [:]][place.partition] = offset }
        return offsets
    }

    /// The topic's records as the lines of a recording.
    func lines(of topic: String) throws(SandboxFailure) -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "rejoinder-records-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        var records: [RecordedRecord] = []
        try read(topic) { message, partition in
            records.append(
                RecordedRecord(
                    topic: topic, partition: partition, offset: message.offset,
                    timestampType: message.timestamp == nil ? .unknown : .create, timestamp: message.timestamp,
                    headers: message.headers, key: message.key.map(Array.init), value: message.value.map(Array.init)))
        }
        var lines: [UInt8] = []
        try failing {
            let writer = try RecordingWriter(path: file.path)
            for record in records { try writer.write(record) }
            try writer.finish()
            lines = Array(try Data(contentsOf: file))
        }
        return lines
    }

    /// Lends each record since the last reset, by partition and offset.
    private func read(_ topic: String, _ body: (ConsumedMessage, Int32) -> Void) throws(SandboxFailure) {
        let ends = try ends(of: [topic])
        for place in places(of: topic) {
            let (first, end) = (beginnings[place] ?? 0, ends[place] ?? 0)
            guard first < end else { continue }
            do throws(KafkaError) {
                try consumer.assign([place: first])
            } catch {
                throw SandboxFailure(.broker, error.description)
            }
            defer { try? consumer.unassign([place]) }
            let deadline = ContinuousClock.now + Self.patience
            var next = first
            while next < end {
                switch consumer.poll(timeoutMilliseconds: 100) {
                case .message(let message):
                    body(message, place.partition)
                    next = message.offset + 1
                    message.release()
                case .endOfPartition(_, let offset): next = max(next, offset)
                case .failure(let error): throw SandboxFailure(.broker, error.description)
                case .nothing, .rebalance:
                    guard .now < deadline else {
                        throw SandboxFailure(
                            .broker, "the embedded broker gave nothing of \(place) for \(Self.patience)")
                    }
                }
            }
        }
    }

    private func failing(_ work: () throws -> Void) throws(SandboxFailure) {
        do {
            try work()
        } catch {
            throw SandboxFailure(.broker, CommandFailure(error).lines.joined(separator: "; "))
        }
    }
}
