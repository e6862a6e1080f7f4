import Foundation
import KafkaClient
import Testing

@testable import Worker

@Suite("A broker in trouble, on the embedded broker", .timeLimit(.minutes(3)))
struct FaultTests {
    private func run(
        _ delivery: DeliveryMode, _ request: EmbeddedBroker.Request, _ errors: [String]
    ) async throws -> (out: [TestRecord], totals: LaneTotals) {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.answer("a1", to: "q0")], to: site.topics.answers)
        try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
        site.injectOnceAssigned(errors, into: request)
        let totals = try await site.work(site.configuration { $0.delivery = delivery }) {
            $0[0].recordsIn >= 20 && $0[0].commits >= 1
        }
        return (try site.read(site.topics.enriched), totals[0])
    }

    // The embedded broker shows aborted records, so every event has to be there at least once.

    @Test(
        "a commit that the broker refuses is aborted, and the step done again",
        arguments: [EmbeddedBroker.Request.endTransaction, .addOffsetsToTransaction, .addPartitionsToTransaction])
    func refusedTransaction(_ request: EmbeddedBroker.Request) async throws {
        let (out, totals) = try await run(.exactlyOnce, request, ["INVALID_TXN_STATE"])
        #expect(Set(out.compactMap(\.key)).count == 20)
        #expect(totals.aborts >= 1)
    }

    @Test("a passing error of a transaction call is waited out, nothing is aborted")
    func passingError() async throws {
        let (out, totals) = try await run(
            .exactlyOnce, .endTransaction,
            ["COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR", "COORDINATOR_NOT_AVAILABLE"])
        #expect(out.count == 20)
        #expect(totals.aborts == 0)
    }

    @Test("a fenced producer is made anew")
    func fenced() async throws {
        let (out, totals) = try await run(.exactlyOnce, .endTransaction, ["PRODUCER_FENCED"])
        #expect(Set(out.compactMap(\.key)).count == 20)
        #expect(totals.aborts >= 1)
    }

    @Test("a producer that fails at its start is made anew, too")
    func failingStart() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
        try site.broker.inject(["PRODUCER_FENCED"], into: .endTransaction)
        let totals = try await site.work { $0[0].recordsIn >= 20 && $0[0].commits >= 1 }
        #expect(totals[0].aborts == 0)
        #expect(try site.read(site.topics.enriched).count == 20)
    }

    @Test("every error code has its verdict")
    func verdicts() {
        #expect(KafkaError.knownNames.count > 150)
        #expect(KafkaError.knownNames.filter { ErrorVerdict.table[$0] == nil } == [])
    }

    @Test("the advice for a batch that cannot be read serves each topic that it may be in")
    func unreadableBatch() {
        guard case .ends(.configuration, let advice) = ErrorVerdict.of(name: "_BAD_COMPRESSION") else {
            return #expect(Bool(false), "it ends the worker")
        }
        for word in [
            "receive.message.max.bytes", "group's offset behind it", "Answers and votes", "kafka-delete-records",
            "offsets.onMismatch: continue",
        ] { #expect(advice.contains(word), "\(word)") }
    }

    @Test(
        "a record that the broker refuses is found and set aside, and holds back no other",
        arguments: [
            "INVALID_TIMESTAMP", "MSG_SIZE_TOO_LARGE", "INVALID_RECORD", "POLICY_VIOLATION",
        ])
    func refusedRecord(_ error: String) async throws {
        for delivery in DeliveryMode.allCases {
            let site = try EmbeddedSite(partitions: 1)
            try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
            // As many refusals as it takes to find one of 20 by halves, where each transaction is one request.
            site.injectOnceAssigned(Array(repeating: error, count: 5), into: .produce)
            nonisolated(unsafe) let reader = site
            try await site.work(site.configuration { $0.delivery = delivery }) { totals in
                guard totals[0].recordsIn >= 20, totals[0].commits > 0 else { return false }
                let out = try reader.read(reader.topics.enriched) + reader.read(reader.topics.deadLetter)
                return Set(out.compactMap(\.key)).count == 20
            }
            for letter in try site.read(site.topics.deadLetter) {
                #expect(letter.headers.first == RecordHeader("rejoinder.error.code", "refused"))
            }
        }
    }

    @Test("a refusal that does not come back costs an abort, and no record")
    func refusedOnce() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
        site.injectOnceAssigned(["INVALID_TIMESTAMP"], into: .produce)
        nonisolated(unsafe) let reader = site
        try await site.work { totals in
            guard totals[0].aborts > 0, totals[0].recordsIn >= 20 else { return false }
            return Set(try reader.read(reader.topics.enriched).compactMap(\.key)).count == 20
        }
        #expect(try site.read(site.topics.deadLetter).isEmpty)
    }

    @Test("dead letters without a key get one where the topic takes none without")
    func lettersOfCompactedTopics() async throws {
        let site = try EmbeddedSite(partitions: 1)
        let bad = [TestRecord(key: nil, value: "{}"), TestRecord(key: "q", value: "{")]
        try site.publish(bad, to: site.topics.questions)
        site.injectOnceAssigned(["INVALID_RECORD"], into: .produce)
        nonisolated(unsafe) let reader = site
        try await site.work { totals in
            guard totals[0].aborts > 0, totals[0].recordsIn >= 2 else { return false }
            return try reader.read(reader.topics.deadLetter).count >= 2
        }
        let letters = try site.read(site.topics.deadLetter)
        let standIn = try #require(letters.first { $0.key == "questions/0@0" })
        #expect(standIn.value == "{}")
        #expect(standIn.headers.contains(RecordHeader("rejoinder.error.key-added", "true")))
        #expect(letters.contains { $0.key == "q" && !$0.headers.contains { $0.name == "rejoinder.error.key-added" } })
    }

    @Test("offsets that the group refuses are not lost: at-least-once does the work again")
    func refusedOffsets() async throws {
        let (out, totals) = try await run(.atLeastOnce, .offsetCommit, ["ILLEGAL_GENERATION"])
        #expect(Set(out.compactMap(\.key)).count == 20)
        #expect(totals.commits >= 1)
    }

    @Test("at-least-once commits no offset past records that were given up after message.timeout.ms")
    func undelivered() async throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<20).map { Make.question("q\($0)") }, to: site.topics.questions)
        try site.broker.inject(Array(repeating: "NOT_ENOUGH_REPLICAS", count: 40), into: .produce)
        let configuration = site.configuration {
            $0.delivery = .atLeastOnce
            $0.kafkaProperties["message.timeout.ms"] = "1000"
            $0.kafkaProperties["retry.backoff.ms"] = "100"
        }
        let totals = try await site.work(configuration) { $0[0].commits >= 1 }
        #expect(totals[0].aborts >= 1)
        #expect(Set(try site.read(site.topics.enriched).compactMap(\.key)).count == 20)
    }

    /// A file size limit stands in for a full disk, as it does for the store by itself.
    @Test("a full disk ends the worker with a sentence that names the store's directory and what to do")
    func fullDisk() async throws {
        await #expect(processExitsWith: .success) {
            signal(SIGXFSZ, SIG_IGN)
            let site = try EmbeddedSite(partitions: 1)
            let body = String(repeating: "x", count: 50_000)
            try site.publish((0..<60).map { Make.answer("a\($0)", to: "q", body: body) }, to: site.topics.answers)
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            #if os(Linux)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #else
                setrlimit(RLIMIT_FSIZE, &limit)
            #endif
            let error = await #expect(throws: WorkerError.self) {
                try await site.work { _ in false }
            }
            #expect(error?.matter == .stateDirectory)
            let message = try #require(error?.message)
            #expect(message.contains("\(site.directory.path)/partitions/0"))
            #expect(message.contains("no space is left") && message.contains("make room"))
        }
    }

    @Test("no broker at the start: a sentence that names the servers, and whose matter it is")
    func nobodyThere() throws {
        let error = #expect(throws: WorkerError.self) {
            try Cluster.survey(
                topics: TopicNames(), properties: KafkaProperties(["bootstrap.servers": "127.0.0.1:1"]),
                timeout: .seconds(1), logger: .init(label: "test"))
        }
        #expect(error?.matter == .brokerUnreachable)
        #expect(error?.message.contains("127.0.0.1:1") == true)
    }
}
