import KafkaClient
import Logging
import TestSupport
import Testing

@testable import Recording

/// On the embedded broker, which everybody has. It knows no times and no transactions.
@Suite("Capturing a window")
struct CaptureTests {
    let broker: EmbeddedBroker
    let properties: KafkaProperties

    init() throws {
        broker = try EmbeddedBroker()
        for topic in ["questions", "answers", "votes"] { try broker.createTopic(topic, partitions: 3) }
        properties = KafkaProperties(["bootstrap.servers": broker.bootstrapServers])
    }

    private func capture(
        _ window: Window, topics: [String] = ["questions", "answers", "votes"], keys: [String] = [],
        isFollowing: Bool = false
    ) -> Capture {
        Capture(
            topics: topics, window: window, isFollowing: isFollowing, keys: keys.map { Array($0.utf8) },
            properties: properties, groupID: "live", logger: .silent)
    }

    /// Records of all topics and partitions with timestamps that now and then go back, and with ties.
    private func fill(_ count: Int, padding: Int = 0) throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        defer { producer.close(timeout: .seconds(1)) }
        let topics = try ["questions", "answers", "votes"].map { try producer.topic($0) }
        var random = SplitMix(state: 7)
        for index in 0..<count {
            let time = 1_700_000_000_000 + Int64(index / 4) - Int64(random.next() % 3)
            try producer.produce(
                "{\"n\":\(index),\"text\":\"secret\"}" + String(repeating: " ", count: padding), key: "q\(index % 5)",
                to: topics[Int(random.next() % 3)], partition: Int32(random.next() % 3), timestamp: time)
        }
        try producer.flush(timeout: .seconds(20))
    }

    @Test("in one order, which is the same on every run")
    func order() throws {
        try fill(2_000)
        let first = try RecordingWriter.capture(capture(Window()))
        #expect(first.records.count == 2_000)
        #expect(first.records == first.records.merged)
        #expect(try RecordingWriter.capture(capture(Window())).bytes == first.bytes)
        #expect(first.summary.recordCount == 2_000)
        #expect(first.summary.times?.upperBound == first.records.compactMap(\.timestamp).max())
        // In the order in which the topics were named, which is not that of the records.
        #expect(first.summary.records.map(\.topic) == ["questions", "answers", "votes"])
    }

    @Test("partitions that are far ahead are paused, and nothing is lost or doubled by it")
    func pausing() throws {
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        let (early, late) = (try producer.topic("answers"), try producer.topic("questions"))
        // All of one partition is older than all of the other, so the younger one has to wait.
        for index in 0..<3_000 {
            let text = String(repeating: "x", count: 1_000)
            try producer.produce(text, key: "a", to: early, partition: 0, timestamp: 1_000_000 + Int64(index))
            try producer.produce(text, key: "q", to: late, partition: 0, timestamp: 2_000_000 + Int64(index))
        }
        try producer.flush(timeout: .seconds(20))
        producer.close(timeout: .seconds(1))
        var capture = try capture(Window())
        capture.memoryLimit = 1
        let found = try RecordingWriter.capture(capture)
        #expect(found.records.count == 6_000)
        #expect(found.records == found.records.merged)
        #expect(found.records.prefix(3_000).allSatisfy { $0.topic == "answers" })
    }

    @Test("a number of records, of the beginning in the file's order")
    func count() throws {
        try fill(300)
        let all = try RecordingWriter.capture(capture(Window())).records
        #expect(try RecordingWriter.capture(capture(Window(to: .count(10)))).records == Array(all.prefix(10)))
        #expect(try RecordingWriter.capture(capture(Window(to: .count(1_000)))).records == all)
        let ofOne = try RecordingWriter.capture(capture(Window(to: .count(7)), keys: ["q3"])).records
        #expect(ofOne == Array(all.filter { $0.keyText == "q3" }.prefix(7)))
    }

    @Test("offsets bound each partition")
    func offsets() throws {
        try fill(600)
        let all = try RecordingWriter.capture(capture(Window())).records
        let some = try RecordingWriter.capture(capture(Window(from: .offset(10), to: .offset(20)))).records
        #expect(some == all.filter { 10..<20 ~= $0.offset }.merged)
        #expect(try RecordingWriter.capture(capture(Window(from: .offset(100_000)))).records == [])
        #expect(try RecordingWriter.capture(capture(Window(from: .offset(30), to: .offset(100_000)))).records.count > 0)
    }

    @Test("records of some questions, from all topics, tombstones among them")
    func match() throws {
        try fill(100)
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        try producer.produce(nil, key: "q1", to: producer.topic("questions"), partition: 2)
        try producer.produce("x", key: nil, to: producer.topic("questions"), partition: 2)
        try producer.produce("x", key: "q11", to: producer.topic("questions"), partition: 2)
        try producer.flush(timeout: .seconds(20))
        producer.close(timeout: .seconds(1))
        let found = try RecordingWriter.capture(capture(Window(), keys: ["q1", "q4"])).records
        #expect(Set(found.map(\.keyText)) == ["q1", "q4"])
        #expect(found.count == 41)
        #expect(found.contains { $0.value == nil })
    }

    @Test("redacted on the way")
    func redacted() throws {
        try fill(20)
        let redaction = Redaction([try RedactedField("text")])
        let found = try RecordingWriter.capture(capture(Window()), redaction: redaction).records
        #expect(found.allSatisfy { !String(decoding: $0.value ?? [], as: UTF8.self).contains("secret") })
        #expect(redaction.replaced == [20])
    }

    @Test("progress comes to its end")
    func progress() throws {
        try fill(3_500)
        var steps: [CaptureProgress] = []
        _ = try RecordingWriter.capture(capture(Window()), progress: { steps.append($0) })
        #expect(steps.map(\.records) == steps.map(\.records).sorted())
        #expect(steps.last?.records == 3_000)
        #expect(steps.allSatisfy { $0.offsetsInAll == 3_500 && 0...1 ~= $0.fraction ?? -1 })
    }

    @Test("a topic that does not exist is named")
    func missingTopic() throws {
        let capture = capture(try Window(), topics: ["questions", "nope"])
        let error = #expect(throws: CaptureError.self) { try RecordingWriter.capture(capture) }
        #expect(error?.matter == .configuration)
        #expect(error?.description.contains("nope") == true)
    }

    @Test("stopped within a window, it says so at once")
    func stopped() throws {
        try fill(1_000)
        var asked = 0
        let found = try RecordingWriter.capture(
            capture(Window()),
            isStopped: {
                asked += 1
                return asked > 100
            })
        #expect(found.summary.wasStopped)
        #expect(found.records.count < 1_000)
    }

    @Test("followed, it goes on with what comes until it is stopped")
    func following() throws {
        try fill(200)
        let producer = try Producer(properties: properties, transactionalID: nil, logger: .silent)
        defer { producer.close(timeout: .seconds(1)) }
        let topic = try producer.topic("questions")
        var hasProduced = false
        var isStopped = false
        let found = try RecordingWriter.capture(
            capture(Window(), isFollowing: true), isStopped: { isStopped },
            progress: { progress in
                if progress.records == 200, !hasProduced {
                    hasProduced = true
                    for index in 0..<5 {
                        try? producer.produce(
                            "late", key: "k\(index)", to: topic, partition: Int32(index % 3),
                            timestamp: 1_800_000_000_000)
                    }
                    try? producer.flush(timeout: .seconds(10))
                }
                if progress.records == 205 { isStopped = true }
            })
        #expect(found.records.count == 205)
        #expect(found.summary.wasStopped)
        #expect(Array(found.records.prefix(200)) == Array(found.records.prefix(200)).merged)
    }
}
