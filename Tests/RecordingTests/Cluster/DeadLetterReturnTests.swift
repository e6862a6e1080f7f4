import Foundation
import KafkaClient
import Records
import TestSupport
import Testing
import Worker

@testable import Recording

@Suite(.enabled(if: RealCluster.isAvailable, Comment(rawValue: RealCluster.reason)))
struct DeadLetterReturnTests {
    private static let start: Int64 = 1_700_000_000_000
    private static let names = ["questions", "answers", "votes", "dead"]

    private func options(_ site: ClusterSite) throws -> DeadLetterReturn.Options {
        DeadLetterReturn.Options(
            configuration: WorkerConfiguration(
                kafkaProperties: site.cluster.properties,
                topics: TopicNames(
                    questions: site["questions"], answers: site["answers"], votes: site["votes"],
                    enriched: "questions.enriched", deadLetter: site["dead"])),
            window: try Window())
    }

    private func run(
        _ site: ClusterSite, _ change: (inout DeadLetterReturn.Options) -> Void = { _ in }
    ) throws -> (summary: DeadLetterReturn.Summary, letters: [ReturnedLetter]) {
        var options = try options(site)
        change(&options)
        var letters: [ReturnedLetter] = []
        let summary = try DeadLetterReturn(options: options, stop: StopSignal(), logger: .silent)
            .run(progress: { _ in }, each: { letters.append($0) })
        return (summary, letters)
    }

    /// The dead letter that the worker makes of a record.
    private func letter(
        _ record: RecordedRecord, _ site: ClusterSite, _ code: RecordErrorCode, _ more: [RecordHeader] = []
    ) -> RecordedRecord {
        var letter = record
        letter.topic = site["dead"]
        letter.timestamp = nil
        letter.headers += DeadLetter.headers(
            error: RecordError(code: code, message: "because"), topic: record.topic, partition: record.partition,
            offset: record.offset, timestamp: record.timestamp)
        letter.headers += more
        return letter
    }

    private func records(_ site: ClusterSite) -> [RecordedRecord] {
        [
            RecordedRecord(
                topic: site["questions"], partition: 1, offset: 40, timestamp: Self.start + 1,
                headers: [RecordHeader(name: "h", value: [0, 0xFF]), RecordHeader(name: "h", value: nil)],
                key: [0xFF, 0], value: []),
            RecordedRecord(
                topic: site["answers"], partition: 0, offset: 41, timestamp: Self.start + 2,
                headers: [RecordHeader("rejoinder.returned", "1")], key: nil, value: Array(repeating: 0xC3, count: 5000)
            ),
            RecordedRecord(
                topic: site["votes"], partition: 1, offset: 42, timestamp: nil, key: [], value: nil),
        ]
    }

    @Test func backByteForByte() throws {
        try ClusterSite.with(Self.names) { site in
            let records = records(site)
            try site.publish(zip(records, [.schema, .invalidJSON, .schema]).map { letter($0, site, $1) })
            let (summary, letters) = try run(site)
            #expect(summary.letters == 3)
            #expect(summary.returned == [site["questions"]: 1, site["answers"]: 1, site["votes"]: 1])
            #expect(summary.returnedBefore == 1)
            #expect(summary.kept.isEmpty)
            #expect(Set(letters.map(\.sourceOffset)) == [40, 41, 42])
            for (record, mark) in zip(records, ["1", "2", "1"]) {
                let found = try site.read(record.topic)
                #expect(found.count == 1)
                #expect(found.first?.key == record.key)
                #expect(found.first?.value == record.value)
                #expect(found.first?.partition == record.partition)
                #expect(
                    found.first?.headers
                        == record.headers.filter { $0.name == "h" } + [RecordHeader("rejoinder.returned", mark)])
                // One without a timestamp comes back without.
                #expect(found.first?.timestamp == record.timestamp)
            }
            #expect(try site.read(site["dead"]).count == 3)
        }
    }

    @Test func aDryRunPublishesNothing() throws {
        try ClusterSite.with(Self.names) { site in
            try site.publish([letter(records(site)[0], site, .schema)])
            let (summary, letters) = try run(site) { $0.isDryRun = true }
            #expect(summary.returned == [site["questions"]: 1])
            #expect(letters.map(\.code) == ["schema"])
            #expect(letters.map(\.message) == ["because"])
            #expect(letters.map(\.source) == [TopicPartition(topic: site["questions"], partition: 1)])
            #expect(letters.map(\.letter.topic) == [site["dead"]])
            #expect(try site.read(site["questions"]).isEmpty)
        }
    }

    @Test func codesAndTheWindowSelect() throws {
        try ClusterSite.with(Self.names, partitions: ["dead": 1]) { site in
            var letters = zip(records(site), [.schema, .invalidJSON, .schema] as [RecordErrorCode]).map {
                letter($0, site, $1)
            }
            for index in letters.indices { letters[index].partition = 0 }
            try site.publish(letters)
            let (summary, _) = try run(site) {
                $0.codes = ["schema"]
                $0.window.to = .offset(2)
            }
            #expect(summary.letters == 2)
            #expect(summary.otherCodes == 1)
            #expect(summary.returned == [site["questions"]: 1])
        }
    }

    @Test func whatCannotComeBackIsListedAndCounted() throws {
        try ClusterSite.with(Self.names, partitions: ["votes": 1]) { site in
            let records = records(site)
            var foreign = records[0]
            foreign.topic = "payments"
            try site.publish([
                letter(records[0], site, .tooLarge, [RecordHeader("rejoinder.error.value-omitted", "true")]),
                letter(foreign, site, .schema), letter(records[2], site, .schema),
                RecordedRecord(site["dead"], 0, 0, at: nil, key: "k", "something else"),
            ])
            let (summary, letters) = try run(site)
            #expect(summary.returned.isEmpty)
            #expect(summary.kept == [.valueOmitted: 1, .foreignTopic: 1, .partitionGone: 1, .sourceUnknown: 1])
            #expect(letters.count == 4)
            for name in ["questions", "answers", "votes"] {
                #expect(try site.read(site[name], partitions: name == "votes" ? 1 : 2).isEmpty)
            }
        }
    }

    @Test func withoutADeadLetterTopicItSaysSo() throws {
        try ClusterSite.with(Self.names) { site in
            let missing = RealCluster.uniqueName("missing")
            let error = try #require(throws: WorkerError.self) {
                _ = try run(site) { $0.configuration.topics.deadLetter = missing }
            }
            #expect(error.matter == .configuration)
            #expect(error.message.contains(missing))
        }
    }
}
