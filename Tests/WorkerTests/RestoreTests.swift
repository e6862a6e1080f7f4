import AnswerStore
import Enrichment
import Foundation
import KafkaClient
import Testing

@testable import Worker

@Suite("A restore's end, on the embedded broker", .timeLimit(.minutes(2)))
struct RestoreTests {
    /// As a replica says that is behind its leader: the end event comes, and the target lies beyond.
    @Test("a restore ends at its target, not at an end event below it")
    func endBelowTheTarget() throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish((0..<3).map { Make.answer("a\($0)", to: "q") }, to: site.topics.answers)
        let restoring = try Restoring(site, ends: [(0, 5), (0, 0)])
        defer { restoring.close() }
        try restoring.advance(until: { restoring.partition.answers.endsShort != nil })
        #expect(!restoring.partition.answers.isCaughtUp && restoring.partition.answers.next == 3)
        #expect(restoring.partition.votes.isCaughtUp)
        try site.publish((3..<5).map { Make.answer("a\($0)", to: "q") }, to: site.topics.answers)
        try restoring.advance(until: { restoring.partition.answers.isCaughtUp })
        #expect(restoring.partition.answers.next == 5 && restoring.store.positions.answers == 5)
    }
}
