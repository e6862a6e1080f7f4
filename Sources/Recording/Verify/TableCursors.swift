import Enrichment
import KafkaClient
import Worker

/// Reads both tables of a partition number side by side, each up to the requested position. Joins no group and commits
/// nothing. Not Sendable: one thread.
final class TableCursors {
    /// Bytes that one table may have waiting while the other is read.
    private static let highMark = 8 << 20
    private static let patience = Duration.seconds(60)

    private struct Source {
        let place: TopicPartition
        /// Messages not handed out yet, from `first` on.
        var waiting: [ConsumedMessage] = []
        var first = 0
        var bytes = 0
        /// The offset after the last message read.
        var next: Int64
        var isAtEnd = false
        var isPaused = false

        var head: ConsumedMessage? { first < waiting.count ? waiting[first] : nil }

        mutating func append(_ message: ConsumedMessage) {
            waiting.append(message)
            bytes += message.byteCount
        }

        mutating func removeFirst() -> ConsumedMessage {
            let message = waiting[first]
            first += 1
            bytes -= message.byteCount
            if first == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                first = 0
            }
            return message
        }
    }

    private let consumer: AssignedConsumer
    private let stop: StopSignal
    private var sources: [Source]
    /// Each table's offset after the last record handed out.
    private(set) var positions: [Int64]

    /// - Parameter starts: the first offset of each table's partition, by `Table.rawValue`.
    init(
        _ consumer: AssignedConsumer, starts: [(place: TopicPartition, offset: Int64)], stop: StopSignal
    ) throws(KafkaError) {
        self.consumer = consumer
        self.stop = stop
        sources = starts.map { Source(place: $0.place, next: $0.offset) }
        positions = starts.map(\.offset)
        try consumer.assign(Dictionary(uniqueKeysWithValues: starts.map { ($0.place, $0.offset) }))
    }

    /// Ends reading and releases the waiting messages.
    func close() {
        for source in sources {
            for index in source.first..<source.waiting.count { source.waiting[index].release() }
        }
        let places = sources.map(\.place)
        sources = []
        try? consumer.unassign(places)
    }

    /// Hands out a table's records up to, not including, a position.
    /// - Returns: false when the table ends before it.
    func advance(_ table: Table, to position: Int64, _ body: (ConsumedMessage) throws -> Void) throws -> Bool {
        let index = table.rawValue
        var heard = ContinuousClock.now
        while positions[index] < position {
            if let head = sources[index].head {
                guard head.offset < position else { break }
                let message = sources[index].removeFirst()
                defer { message.release() }
                try resumeIfDrained(index)
                try body(message)
                positions[index] = message.offset + 1
                continue
            }
            if sources[index].next >= position { break }
            if sources[index].isAtEnd || stop.isRequested { return false }
            if try take() {
                heard = .now
            } else if ContinuousClock.now - heard > Self.patience {
                throw WorkerError(
                    .brokerUnreachable,
                    "Reading \(sources[index].place) stopped: nothing came for \(Self.patience.components.seconds) s; "
                        + "see that the brokers run ('rejoinder check' tells more), then start again")
            }
        }
        positions[index] = max(positions[index], position)
        return true
    }

    /// - Returns: false when no event arrived.
    private func take() throws -> Bool {
        switch consumer.poll(timeoutMilliseconds: 100) {
        case .message(let message):
            guard let index = sources.firstIndex(where: { $0.place == message.topicPartition }),
                message.offset >= sources[index].next
            else {
                message.release()
                return true
            }
            sources[index].append(message)
            sources[index].next = message.offset + 1
            if !sources[index].isPaused, sources[index].bytes > Self.highMark {
                sources[index].isPaused = true
                try consumer.pause([sources[index].place])
            }
            return true
        case .endOfPartition(let place, let offset):
            if let index = sources.firstIndex(where: { $0.place == place }) {
                sources[index].next = max(sources[index].next, offset)
                sources[index].isAtEnd = true
            }
            return true
        case .failure(let error):
            if error.name == "GROUP_AUTHORIZATION_FAILED" { return true }
            if error.isFatal || error.isAuthorization || !(error.isRetriable || error.isUnreachable) { throw error }
            return false
        case .nothing, .rebalance:
            return false
        }
    }

    private func resumeIfDrained(_ index: Int) throws(KafkaError) {
        guard sources[index].isPaused, sources[index].bytes < Self.highMark / 4 else { return }
        sources[index].isPaused = false
        try consumer.resume([sources[index].place])
    }
}
