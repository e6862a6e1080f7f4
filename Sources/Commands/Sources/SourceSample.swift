import Foundation
import KafkaClient
import Logging
import Sources
import Worker

/// Reads the newest records of a topic, without a consumer group.
struct SourceSample {
    let configuration: WorkerConfiguration
    let logger: Logger

    struct Record {
        var partition: Int32
        var offset: Int64
        var key: [UInt8]?
        var value: [UInt8]?
        var headers = SchemaHeaders.none
    }

    /// - Parameters:
    ///   - count: records in total, divided among the partitions.
    ///   - patience: limit on each query of a broker, and on the time until the last record is read.
    /// - Returns: number of records read; nil where the topic does not exist.
    func read(_ topic: String, count: Int, patience: Duration, _ body: (Record) throws -> Void) throws -> Int? {
        let deadline = ContinuousClock.now + patience
        let properties = ClientProperties(configuration: configuration, identity: "sample", lane: 0)
        let admin = try AdminClient(properties: properties.admin, logger: logger)
        defer { admin.close() }
        guard let description = try admin.describe(topics: [topic], timeout: patience)[topic] else { return nil }
        let consumer = try AssignedConsumer(properties: properties.follower, logger: logger)
        defer { consumer.close() }
        var starts: [TopicPartition: Int64] = [:]
        let share = Int64(max(1, (count + Int(description.partitionCount) - 1) / Int(description.partitionCount)))
        for partition in 0..<description.partitionCount {
            let place = TopicPartition(topic: topic, partition: partition)
            let (low, high) = try consumer.queryWatermarks(place, timeout: patience)
            if high > low { starts[place] = max(low, high - share) }
        }
        try consumer.assign(starts)
        var waiting = Set(starts.keys)
        var read = 0
        while !waiting.isEmpty, read < count, .now < deadline {
            switch consumer.poll(timeoutMilliseconds: 100) {
            case .message(let message):
                read += 1
                var headers = SchemaHeaders.none
                message.forEachHeader { headers.note(name: $0, value: $1) }
                let record = Record(
                    partition: message.partition, offset: message.offset, key: message.key.map(Array.init),
                    value: message.value.map(Array.init), headers: headers)
                message.release()
                try body(record)
            case .endOfPartition(let place, _): waiting.remove(place)
            case .failure(let error) where !error.isRetriable: throw error
            case .failure, .rebalance, .nothing: break
            }
        }
        return read
    }
}
