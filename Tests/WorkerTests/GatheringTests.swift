import Logging
import Testing

@testable import KafkaClient
@testable import Worker

@Suite("One turn's take from a consumer")
struct GatheringTests {
    private static let place = TopicPartition(topic: "votes", partition: 3)
    private static let passing = KafkaError(.init(-195), operation: "fetching", reason: "connection reset")
    private static let fatal = KafkaError(.init(-195), operation: "fetching", reason: "fatal", isFatal: true)

    /// Polls from a list of events.
    private struct Consumer {
        var events: [ConsumerEvent]
        var waits: [Int32] = []

        mutating func poll(_ milliseconds: Int32) -> ConsumerEvent {
            waits.append(milliseconds)
            return events.isEmpty ? .nothing : events.removeFirst()
        }
    }

    private let messages = MessageBatch(capacity: 1)

    @Test("it ends with the first error, so that a passing one cannot hide one that ends the worker")
    func errors() {
        var consumer = Consumer(events: [.failure(Self.fatal), .failure(Self.passing)])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(throws: LaneFault.self) {
            try Gathering(into: messages, upTo: (10, 10), wait: 0) { consumer.poll($0) }
                .settle(reading: "questions", logger)
        }
        #expect(throws: Never.self) {
            try Gathering(into: messages, upTo: (10, 10), wait: 0) { consumer.poll($0) }
                .settle(reading: "questions", logger)
        }
        #expect(consumer.waits == [0, 0])
    }

    @Test("what it holds is released with it")
    func release() {
        var consumer = Consumer(events: [
            .endOfPartition(Self.place, offset: 7), .endOfPartition(Self.place, offset: 9), .rebalance(.revoked([])),
        ])
        do {
            let gathering = Gathering(into: messages, upTo: (10, 10), wait: 20) { consumer.poll($0) }
            let held = gathering.messages
            guard case .rebalance(.revoked([])) = gathering.end else {
                Issue.record("\(gathering.end)")
                return
            }
            #expect(held.ends.map(\.offset) == [7, 9])
        }
        #expect(messages.ends.isEmpty)
        #expect(consumer.waits == [20, 0, 0])
    }

    @Test("a rest is a wait for more events")
    func rest() {
        var (consumer, rests) = (Consumer(events: [.nothing, .endOfPartition(Self.place, offset: 1)]), [Int32(5)])
        let rested = Gathering(into: messages, upTo: (10, 10), wait: 0) {
            consumer.poll($0)
        } rest: {
            rests.popLast()
        }
        guard case .dry = rested.end, rested.hasWaited else {
            Issue.record("\(rested.end)")
            return
        }
        #expect(consumer.waits == [0, 5, 0])
        let dry = Gathering(into: messages, upTo: (10, 10), wait: 1) { consumer.poll($0) }
        let hasWaited = dry.hasWaited
        #expect(!hasWaited)
        let unpolled = Gathering(into: messages, upTo: (0, 10), wait: 1) { consumer.poll($0) }
        guard case .full = unpolled.end else {
            Issue.record("\(unpolled.end)")
            return
        }
    }
}
