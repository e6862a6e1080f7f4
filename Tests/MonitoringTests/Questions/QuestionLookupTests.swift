import Foundation
import KafkaClient
import Logging
import Synchronization
import Testing

@testable import Admin
@testable import Throughput
@testable import Worker

@Suite("Looking a question up")
struct QuestionLookupTests {
    private static let id = Array("q1".utf8)
    private static let number = KeyHash.partition(of: id, of: 4)
    private static let place = TopicPartition(topic: "questions", partition: number)

    private static func event(_ value: [UInt8]?) -> QuestionEvent {
        QuestionEvent(place: place, offset: 5, timestamp: nil, value: value)
    }

    private func lookup(
        partitions: [Int32] = [0, 1, 2, 3], restoring: [Int32] = [],
        find: @escaping QuestionLookup.Find = { _, _, _, _ in event([1]) },
        preview: Worker.Preview = .enriched([9])
    ) -> QuestionLookup {
        let report = LaneReport(lane: 0)
        report.update {
            $0.partitions = partitions
            $0.restoring = restoring
        }
        return QuestionLookup(topic: "questions", partitionCount: 4, reports: [report], find: find) { _, _, _ in preview
        }
    }

    private func lookUp(
        _ lookup: QuestionLookup, _ id: [UInt8] = Self.id, partition: Int32? = nil,
        cancellation: SearchCancellation = SearchCancellation()
    ) async -> QuestionOutcome {
        await lookup.lookUp(id, partition: partition, cancellation: cancellation)
    }

    @Test("found and enriched by the lane")
    func enriched() async {
        #expect(await lookUp(lookup()) == .enriched([9], Self.event([1])))
    }

    @Test("what the lane says")
    func lane() async {
        #expect(
            await lookUp(lookup(preview: .refused(.schema, "title is missing")))
                == .refused(.schema, "title is missing", Self.event([1])))
        #expect(await lookUp(lookup(preview: .notOwned)) == .notOwned(Self.place))
        #expect(await lookUp(lookup(preview: .restoring)) == .restoring(Self.place))
        #expect(await lookUp(lookup(preview: .busy)) == .noAnswer(Self.place))
    }

    @Test("no event, and one that deletes")
    func absent() async {
        #expect(await lookUp(lookup(find: { _, _, _, _ in nil })) == .notFound(Self.place))
        #expect(await lookUp(lookup(find: { _, _, _, _ in Self.event(nil) })) == .deleted(Self.event(nil)))
    }

    @Test("what need not be searched for is not")
    func unsearched() async {
        let never: QuestionLookup.Find = { _, _, _, _ in
            Issue.record("searched")
            return nil
        }
        let some = lookup(partitions: [0, 1, 2, 3].filter { $0 != Self.number }, find: never)
        #expect(await lookUp(some) == .notOwned(Self.place))
        #expect(await lookUp(lookup(partitions: [], restoring: [Self.number], find: never)) == .restoring(Self.place))
        let any = lookup(find: never)
        #expect(await lookUp(any, []) == .noID)
        #expect(await lookUp(any, Array(repeating: 1, count: 201)) == .noID)
        #expect(await lookUp(any, partition: 4) == .noPartition(4))
        #expect(await lookUp(any, partition: -1) == .noPartition(-1))
    }

    @Test("with a store that keeps the questions, only events that it does not have yet are searched for")
    func stored() async throws {
        let broker = try EmbeddedBroker()
        defer { broker.close() }
        try broker.createTopic("questions", partitions: 4)
        let properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers, "fetch.wait.max.ms": "20"])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let producer = try Producer(properties: properties, transactionalID: nil, logger: logger)
        defer { producer.close(timeout: .seconds(1)) }
        let topic = try producer.topic("questions")
        for id in [Self.id, Array("other".utf8)] {
            try id.withUnsafeBytes { key in
                try producer.produce(
                    to: topic, partition: Self.number, key: key, value: key, timestamp: nil, extraHeaders: [])
            }
        }
        try producer.flush(timeout: .seconds(20))
        let report = LaneReport(lane: 0)
        report.update { $0.partitions = [Self.number] }
        func lookUp(_ stored: StoredQuestionEvent) async -> QuestionOutcome {
            let lookup = QuestionLookup(
                topic: "questions", partitionCount: 4, properties: properties, reports: [report], logger: logger,
                stored: { _, _ in stored }, preview: { _, _, _ in .enriched([9]) })
            return await lookup.lookUp(Self.id, partition: nil, cancellation: SearchCancellation())
        }
        // The event at offset 0 was one of a question that is not in the store any more.
        #expect(await lookUp(.absent(below: 2)) == .notStored(Self.place))
        #expect(await lookUp(.absent(below: 1)) == .notStored(Self.place))
        #expect(await lookUp(.absent(below: 7)) == .notStored(Self.place))
        #expect(await lookUp(.found(Self.event([3]))) == .enriched([9], Self.event([3])))
        for stored in [StoredQuestionEvent.absent(below: 0), .unknown] {
            #expect(await lookUp(stored).event?.offset == 0)
        }
    }

    @Test("a partition that is named is the one searched")
    func named() async {
        let other = (Self.number + 1) % 4
        let lookup = lookup(find: { id, place, deadline, _ in
            #expect(place.partition == other)
            #expect(id == Self.id)
            #expect(deadline > .now)
            return nil
        })
        #expect(
            await lookUp(lookup, partition: other) == .notFound(TopicPartition(topic: "questions", partition: other)))
    }

    @Test("failures of the search")
    func failures() async {
        #expect(
            await lookUp(lookup(find: { _, _, _, _ in throw QuestionSearch.Failure.tooLong(events: 12) }))
                == .tooLong(Self.place, events: 12))
        #expect(
            await lookUp(lookup(find: { _, _, _, _ in throw QuestionSearch.Failure.unreachable("why") }))
                == .unreachable("why"))
    }

    @Test("one at a time: others are told, and it is free again after; nobody waiting ends it")
    func oneAtATime() async {
        let (begun, begins) = AsyncStream.makeStream(of: Void.self)
        let lookup = lookup(find: { _, _, _, cancellation in
            begins.yield()
            while !cancellation.isCancelled { Thread.sleep(forTimeInterval: 0.005) }
            throw QuestionSearch.Failure.cancelled
        })
        let cancellation = SearchCancellation()
        async let first = lookUp(lookup, cancellation: cancellation)
        for await _ in begun { break }
        #expect(await lookUp(lookup) == .busy)
        cancellation.cancel()
        #expect(await first != .busy)
        let cancelled = SearchCancellation()
        cancelled.cancel()
        #expect(await lookUp(lookup, cancellation: cancelled) != .busy)
    }
}
