import Foundation
import KafkaClient
import Logging
import TestSupport
import Testing

@testable import Recording

/// Faults while a window is read: nothing is lost in silence.
@Suite("Capturing while brokers fail")
struct CaptureFaultTests {
    let broker: EmbeddedBroker
    let properties: KafkaProperties

    init() throws {
        broker = try EmbeddedBroker()
        try broker.createTopic("questions", partitions: 3)
        properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
    }

    private func produce(_ count: Int, to partitions: Range<Int32>, bytes: Int = 10) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        defer { producer.close(timeout: .seconds(1)) }
        let topic = try producer.topic("questions")
        let text = String(repeating: "x", count: bytes)
        for index in 0..<count {
            for partition in partitions {
                try producer.produce(
                    text, key: "k", to: topic, partition: partition, timestamp: 1_700_000_000_000 + Int64(index))
            }
        }
        try producer.flush(timeout: .seconds(30))
    }

    private func capture(isFollowing: Bool = false) throws -> Capture {
        Capture(
            topics: ["questions"], window: try Window(), isFollowing: isFollowing, properties: properties,
            groupID: "live", logger: .silent)
    }

    private func place(_ partition: Int32) -> TopicPartition {
        TopicPartition(topic: "questions", partition: partition)
    }

    /// Reads until the end, or until nothing comes.
    private func read(_ reader: WindowReader) throws -> [Int32: [Int64]] {
        var offsets: [Int32: [Int64]] = [:]
        while try reader.next({ offsets[$0.partition, default: []].append($0.offset) }) == .record {}
        return offsets
    }

    @Test("records that retention took before their turn are a hole that is told")
    func holes() throws {
        try produce(20, to: 0..<2)
        let consumer = try AssignedConsumer(
            properties: WindowReader.properties(properties, groupID: "live"), logger: .silent)
        defer { consumer.close() }
        var window = try Window().resolve(partitions: ["questions": 2], with: consumer)
        #expect(window.ranges == [place(0): 0..<20, place(1): 0..<20])
        // The embedded broker keeps the last 5 MiB of a partition.
        try produce(10, to: 0..<1, bytes: 900_000)
        let low = try consumer.queryWatermarks(place(0), timeout: .seconds(10)).low
        try #require(low > 0)
        window.ranges[place(0)] = 0..<30
        let reader = try WindowReader(window: window, consumer: consumer, logger: .silent)
        try withExtendedLifetime(reader) {
            var offsets: [Int32: [Int64]] = [:]
            reading: while true {
                switch try reader.next({ offsets[$0.partition, default: []].append($0.offset) }) {
                case .end: break reading
                case .record, .nothing: continue
                }
            }
            #expect(offsets[0] == Array(low..<30))
            #expect(offsets[1] == Array(0..<20))
            #expect(reader.holes == [WindowHole(partition: place(0), offsets: 0..<low, cause: .deleted)])
            #expect(reader.offsetsPassed == 50)
        }
    }

    @Test("a window that lies before what is left ends, and all of it is a hole")
    func allGone() throws {
        try produce(20, to: 0..<1)
        let capture = try capture()
        let consumer = try AssignedConsumer(
            properties: WindowReader.properties(properties, groupID: "live"), logger: .silent)
        defer { consumer.close() }
        let window = try Window().resolve(partitions: ["questions": 1], with: consumer)
        try produce(14, to: 0..<1, bytes: 900_000)
        try #require(try consumer.queryWatermarks(place(0), timeout: .seconds(10)).low >= 20)
        let reader = try WindowReader(window: window, consumer: consumer, logger: capture.logger)
        try withExtendedLifetime(reader) {
            var steps = 0
            while try reader.next({ _ in steps += 1 }) == .nothing {}
            #expect(steps == 0)
            #expect(reader.holes == [WindowHole(partition: place(0), offsets: 0..<20, cause: .deleted)])
        }
    }

    @Test("partitions that a followed topic gets are read from their first record on")
    func newPartitions() throws {
        try produce(5, to: 0..<3)
        let consumer = try AssignedConsumer(
            properties: WindowReader.properties(properties, groupID: "live"), logger: .silent)
        defer { consumer.close() }
        let window = try Window().resolve(partitions: ["questions": 2], with: consumer)
        let reader = try WindowReader(window: window, consumer: consumer, isFollowing: true, logger: .silent)
        let admin = try AdminClient(properties: properties, logger: .silent)
        defer { admin.close() }
        try withExtendedLifetime(reader) {
            var discovery = PartitionDiscovery(admin, ["questions": 2], interval: .zero)
            let new = discovery.newPartitions()
            #expect(new == [place(2)])
            #expect(discovery.newPartitions() == [])
            try reader.add(new)
            try reader.add(new)
            var offsets: [Int32: [Int64]] = [:]
            let deadline = ContinuousClock.now + .seconds(30)
            while offsets.values.map(\.count).reduce(0, +) < 15, .now < deadline {
                _ = try reader.next { offsets[$0.partition, default: []].append($0.offset) }
            }
            #expect(offsets == [0: Array(0..<5), 1: Array(0..<5), 2: Array(0..<5)])
        }
    }

    @Test("followed, brokers that are away are waited for, and nothing is lost")
    func outage() throws {
        try produce(10, to: 0..<3)
        var capture = try capture(isFollowing: true)
        capture.patience = .milliseconds(200)
        var stopped: ContinuousClock.Instant?
        var isBack = false
        var isStopped = false
        let found = try RecordingWriter.capture(
            capture, isStopped: { isStopped },
            progress: { progress in
                switch (progress.records, stopped) {
                case (30..., nil):
                    try? broker.stopBroker(1)
                    stopped = .now
                case (_, let since?) where !isBack && ContinuousClock.now - since > .seconds(1):
                    try? broker.startBroker(1)
                    try? produce(5, to: 0..<3)
                    isBack = true
                default: break
                }
                if progress.records == 45 { isStopped = true }
            })
        #expect(found.records.count == 45)
        #expect(found.summary.wasStopped && found.summary.holes.isEmpty)
    }

    @Test("brokers that stay away end a window that is not followed; what was read before is there")
    func givenUp() throws {
        try produce(10, to: 0..<1)
        try broker.inject(Array(repeating: "NOT_LEADER_FOR_PARTITION", count: 100_000), into: .fetch)
        var capture = try capture()
        capture.patience = .milliseconds(300)
        let found = try RecordingWriter.capture(capture)
        guard case .failed(let error) = found.summary.end else {
            Issue.record("\(String(describing: found.summary.end))")
            return
        }
        #expect((error as? CaptureError)?.matter == .brokerUnreachable || error is KafkaError, "\(error)")
    }

    @Test("it ends at the size or after the time that was asked for")
    func bounds() throws {
        try produce(100, to: 0..<1)
        var small = try capture()
        small.maxBytes = 55
        let found = try RecordingWriter.capture(small)
        #expect(found.records.count == 5)
        #expect(!found.summary.wasStopped)
        var short = try capture(isFollowing: true)
        short.duration = .seconds(2)
        let followed = try RecordingWriter.capture(short)
        #expect(followed.records.count == 100)
        #expect(!followed.summary.wasStopped)
    }

    @Test("a sample is of whole questions, and topics are renamed on the way")
    func sampleAndNames() throws {
        try broker.createTopic("answers", partitions: 2)
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        for index in 0..<400 {
            try producer.produce("q", key: "q\(index)", to: producer.topic("questions"), partition: Int32(index % 3))
            try producer.produce("a", key: "q\(index)", to: producer.topic("answers"), partition: Int32(index % 2))
        }
        try producer.produce("q", key: nil, to: producer.topic("questions"), partition: 0)
        try producer.flush(timeout: .seconds(20))
        producer.close(timeout: .seconds(1))
        var capture = try capture()
        capture.topics = ["questions", "answers"]
        capture.sample = KeySample("25%")
        capture.renaming = try TopicRenaming(["answ=test.answ"])
        let found = try RecordingWriter.capture(capture).records
        let questions = Set(found.filter { $0.topic == "questions" }.map(\.keyText))
        #expect((60...140).contains(questions.count))
        #expect(Set(found.filter { $0.topic == "test.answers" }.map(\.keyText)) == questions)
        #expect(found.count == 2 * questions.count)
        for share in ["0%", "101%", "1", "%", "-1%", "1 %"] { #expect(KeySample(share) == nil, "\(share)") }
        #expect(KeySample("100%").map { $0.contains(nil) } == false)
    }

    @Test("names are renamed by the first rule that fits")
    func renaming() throws {
        let renaming = try TopicRenaming(["prod.=test.", "prod=x", "=all."])
        #expect(renaming.apply(to: "prod.questions") == "test.questions")
        #expect(renaming.apply(to: "production") == "xuction")
        #expect(renaming.apply(to: "votes") == "all.votes")
        for text in ["", "a", "a=b=c", "a=a", "="] {
            #expect(throws: CaptureError.self, "\(text)") { try TopicRenaming([text]) }
        }
    }
}
