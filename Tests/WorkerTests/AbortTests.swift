import AnswerStore
import Foundation
import KafkaClient
import Testing

@testable import Worker

/// A transaction fails while a batch is worked on: what was gathered and not worked on yet has to come again. The embedded
/// broker shows what was aborted, so that every record has to be there at least once.
@Suite("A transaction that fails in the middle of a batch", .timeLimit(.minutes(3)))
struct AbortTests {
    @Test("questions of partitions that the batch had not come to are read again")
    func questions() async throws {
        let site = try EmbeddedSite(partitions: 3)
        let events = [(0, 1600), (1, 300), (2, 100)].flatMap { partition, count in
            (0..<count).map { Make.question("q\(partition)-\($0)", partition: Int32(partition)) }
        }
        try site.publish(events, to: site.topics.questions)
        try site.broker.inject(["INVALID_TXN_STATE"], into: .addPartitionsToTransaction)
        nonisolated(unsafe) let reader = site
        try await site.work { totals in
            guard totals[0].aborts > 0, totals[0].recordsIn >= events.count else { return false }
            return Set(try reader.read(reader.topics.enriched).compactMap(\.key)).count == events.count
        }
    }
}
