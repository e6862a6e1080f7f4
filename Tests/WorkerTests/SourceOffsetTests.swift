import AnswerStore
import KafkaClient
import Sources
import Testing

@testable import Worker

/// At-least-once, since the embedded broker stores no offsets that go with a transaction.
@Suite("Offsets of the sources that do not match their log, on the embedded broker", .timeLimit(.minutes(3)))
struct SourceOffsetTests {
    private static let posts = "dump.Posts"
    private static let place = TopicPartition(topic: posts, partition: 0)

    private func site() throws -> EmbeddedSite {
        let site = try EmbeddedSite(partitions: 1)
        for topic in [site.topics.sourceIndex, Self.posts, "dump.Votes"] {
            try site.broker.createTopic(topic, partitions: 1)
        }
        try publish(0..<4, site)
        return site
    }

    private func publish(_ ids: Range<Int>, _ site: EmbeddedSite) throws {
        let rows = ids.map { #"{"Id":"\#($0)","PostTypeId":"1","Title":"T"}"# }
        try site.publish(zip(ids, rows).map { TestRecord(partition: 0, key: "\($0)", value: $1) }, to: Self.posts)
    }

    private func configuration(_ site: EmbeddedSite, _ policy: OffsetMismatchPolicy) -> WorkerConfiguration {
        site.configuration {
            $0.delivery = .atLeastOnce
            $0.offsetMismatch = policy
            $0.part = .sources
            $0.sources = SourcePreset.stackExchange.mappings(topicPrefix: "dump")
        }
    }

    private func commit(_ offset: Int64, _ site: EmbeddedSite) throws {
        let consumer = try GroupConsumer(
            properties: site.properties.overlaid(by: KafkaProperties(["group.id": "test-sources"])), logger: site.logger
        )
        defer { consumer.close(timeout: .seconds(5)) }
        try consumer.commit([Self.place: offset], timeout: .seconds(20))
    }

    @Test("the worker ends with a sentence, or goes on where the settings say so, counted")
    func mismatch() async throws {
        let site = try site()
        try commit(9, site)
        let error = await #expect(throws: WorkerError.self) {
            try await site.work(configuration(site, .stop)) { _ in false }
        }
        #expect(error?.matter == .configuration)
        #expect(error?.message.hasPrefix("dump.Posts [0]: offset 9 was committed, and its log ends at 4") == true)
        #expect(error?.message.contains("offsets.onMismatch: continue") == true)
        #expect(try site.read(site.topics.questions).isEmpty)

        let totals = try await site.work(configuration(site, .continue)) {
            $0[0].sourceRecords >= 4 && $0[0].commits > 0
        }
        #expect(totals[0].offsetResets[OffsetResetCounts.sources, .beyondEnd] == 1)
        #expect(try site.read(site.topics.questions).map(\.key) == ["0", "1", "2", "3"])

        try publish(4..<6, site)
        let again = try await site.work(configuration(site, .stop)) { $0[0].sourceRecords >= 2 }
        #expect(again[0].offsetResets.total == 0)
        #expect(try site.read(site.topics.questions).map(\.key) == ["0", "1", "2", "3", "4", "5"])
    }

    @Test("a lane that has no partitions publishes no votes of the index")
    func notOwned() async throws {
        let site = try site()
        // Another lane's: a vote that waits, and then its answer.
        let index = SourceIndex()
        let other = SourceTranslator(SourcePreset.stackExchange.mappings(topicPrefix: "dump"), index: index)
        func changes() -> [(key: [UInt8], value: [UInt8]?)] {
            var changes: [(key: [UInt8], value: [UInt8]?)] = []
            index.takeChanges { key, value in changes.append((Array(key), value.map { Array($0) })) }
            return changes
        }
        func translate(_ topic: String, _ row: String) throws {
            let bytes = Array(row.utf8)
            _ = try bytes.withUnsafeBytes { row in
                try other.translate(topic: topic, partition: 0, key: row, value: row) { _ in }
            }
        }
        try translate("dump.Votes", #"{"Id":"1","PostId":"7","VoteTypeId":"2"}"#)
        var entries = changes()
        try translate(Self.posts, #"{"Id":"7","PostTypeId":"2","ParentId":"1"}"#)
        entries += changes().filter { $0.key.first == UInt8(ascii: "a") }
        #expect(entries.count == 2)
        let producer = try Producer(properties: site.properties, transactionalID: nil, logger: site.logger)
        let topic = try producer.topic(site.topics.sourceIndex)
        for entry in entries {
            try producer.produce(to: topic, key: entry.key, value: entry.value, timestamp: nil, headersOf: nil)
        }
        try producer.flush(timeout: .seconds(20))
        producer.close(timeout: .seconds(1))
        var configuration = configuration(site, .stop)
        configuration.sources = SourcePreset.stackExchange.mappings(topicPrefix: "nowhere")
        try await site.run(configuration) { _ in try await Task.sleep(for: .seconds(2)) }
        #expect(try site.read(site.topics.votes).isEmpty)
    }

    @Test("what a lane has committed is in its store, by group")
    func notes() throws {
        let site = try site()
        let directory = site.directory.path + "/index"
        var store = try IndexStore(directory: directory, source: "s")
        try store.noteCommitted(7, "t", 1, group: "g")
        try store.commit()
        store.close()
        store = try IndexStore(directory: directory, source: "s")
        defer { store.close() }
        #expect(try store.committed("t", 1, group: "g") == 7)
        #expect(try store.committed("t", 1, group: "other") == nil)
        #expect(try store.committed("t", 2, group: "g") == nil)
    }
}
