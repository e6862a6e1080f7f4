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
        try restoring.advance(until: { restoring.partition.answers.catchUp.endsShort(for: .zero) })
        #expect(!restoring.partition.answers.catchUp.isDone && restoring.partition.answers.next == 3)
        #expect(restoring.partition.votes.catchUp.isDone)
        try site.publish((3..<5).map { Make.answer("a\($0)", to: "q") }, to: site.topics.answers)
        try restoring.advance(until: { restoring.partition.answers.catchUp.isDone })
        #expect(restoring.partition.answers.next == 5 && restoring.store.positions.answers == 5)
    }

    /// Restoring a lost store, and going on with one that went back to its last commit.
    @Test("a vote that is read before its answer, published long ago, changes its question", arguments: [false, true])
    func voteBeforeItsAnswer(isRunning: Bool) throws {
        let site = try EmbeddedSite(partitions: 1)
        try site.publish([Make.vote(1, by: "u", for: "a", to: "q")], to: site.topics.votes)
        let restoring = try Restoring(site, ends: [(0, 1), (0, 1)], committed: [.answers: 1], isLive: true)
        defer { restoring.close() }
        if isRunning {
            restoring.partition.phase = .running(since: .now)
            restoring.store.areChangesCertain = false
        }
        try restoring.advance(until: { restoring.partition.votes.next == 1 })
        try site.publish([Make.answer("a", to: "q")], to: site.topics.answers)
        try restoring.advance(until: { restoring.partition.answers.catchUp.isDone })
        let waiting = try #require(restoring.partition.live?.waiting)
        #expect(waiting.count == 1 && waiting.first?.isTakenBack == false)
        #expect(waiting.first.map { String(decoding: $0.question, as: UTF8.self) } == "q")
        #expect(waiting.heldPositions?.votes == 0)
    }
}
