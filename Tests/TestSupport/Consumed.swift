import KafkaClient

/// A consumed record, copied, for comparing.
package struct Consumed: Equatable, Sendable {
    package var topic: String
    package var partition: Int32
    package var offset: Int64
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var timestamp: Int64?
    package var headers: [RecordHeader]

    /// Copies and releases the message.
    package init(taking message: ConsumedMessage) {
        topic = message.topic
        partition = message.partition
        offset = message.offset
        key = message.key.map(Array.init)
        value = message.value.map(Array.init)
        timestamp = message.timestamp
        headers = message.headers
        message.release()
    }

    package var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

extension AssignedConsumer {
    /// Reads until every partition that is assigned has been read to its end, or the time is up.
    package func readToEnd(within limit: Duration = .seconds(20)) throws -> [Consumed] {
        var open = Set(assignment)
        var result: [Consumed] = []
        let deadline = ContinuousClock.now + limit
        while !open.isEmpty {
            guard .now < deadline else { throw TookTooLong(what: "reading \(open) to the end") }
            switch poll(timeoutMilliseconds: 100) {
            case .message(let message): result.append(Consumed(taking: message))
            case .endOfPartition(let partition, _): open.remove(partition)
            case .failure(let error): throw error
            case .rebalance, .nothing: break
            }
        }
        return result
    }
}

extension GroupConsumer {
    /// Polls, answering rebalances at once, until `enough` says so.
    package func poll(
        within limit: Duration = .seconds(30), until enough: ([Consumed], [Rebalance]) -> Bool
    ) throws -> (messages: [Consumed], rebalances: [Rebalance]) {
        var messages: [Consumed] = []
        var rebalances: [Rebalance] = []
        let deadline = ContinuousClock.now + limit
        while !enough(messages, rebalances) {
            guard .now < deadline else {
                throw TookTooLong(what: "polling: \(messages.count) messages, rebalances \(rebalances)")
            }
            switch poll(timeoutMilliseconds: 50) {
            case .message(let message):
                messages.append(Consumed(taking: message))
            case .rebalance(let rebalance):
                rebalances.append(rebalance)
                switch rebalance {
                case .assigned(let partitions): try assign(partitions)
                case .revoked(let partitions), .lost(let partitions): try unassign(partitions)
                }
            case .failure(let error): throw error
            case .endOfPartition, .nothing: break
            }
        }
        return (messages, rebalances)
    }
}

package struct TookTooLong: Error, CustomStringConvertible {
    package let what: String
    package var description: String { "Took too long: \(what)" }
}

extension Producer {
    /// Produces text.
    package func produce(
        _ text: String?, key: String?, to topic: ProducerTopic, partition: Int32? = nil, timestamp: Int64? = nil
    ) throws {
        try Self.withBytes(key) { key in
            try Self.withBytes(text) { value in
                try produce(to: topic, partition: partition, key: key, value: value, timestamp: timestamp)
            }
        }
    }

    private static func withBytes<Result>(
        _ text: String?, _ body: (UnsafeRawBufferPointer?) throws -> Result
    ) rethrows -> Result {
        guard let text else { return try body(nil) }
        return try Array(text.utf8).withUnsafeBytes { try body($0) }
    }
}
