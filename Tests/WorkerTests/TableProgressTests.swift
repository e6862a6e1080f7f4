import AnswerStore
import Foundation
import Testing

@testable import Worker

@Suite("A table's progress")
struct TableProgressTests {
    @Test("what moved is committed; what rests is committed again now and then, and never an earlier offset")
    func offsetToCommit() {
        let moved = TableProgress(CatchUp(from: 7), committed: 5)
        #expect(moved.offsetToCommit(isRefresh: false) == 7 && moved.offsetToCommit(isRefresh: true) == 7)
        let resting = TableProgress(CatchUp(from: 5), committed: 5)
        #expect(resting.offsetToCommit(isRefresh: false) == nil && resting.offsetToCommit(isRefresh: true) == 5)
        let refilling = TableProgress(CatchUp(from: 2), committed: 5)
        #expect(refilling.offsetToCommit(isRefresh: false) == nil && refilling.offsetToCommit(isRefresh: true) == 5)
        #expect(TableProgress().offsetToCommit(isRefresh: true) == nil)
    }

    @Test("an end below the target is not the target: a replica may be behind its leader")
    func endBelowTheTarget() {
        let now = ContinuousClock.now
        var progress = CatchUp(from: 3, to: 5)
        progress.reachedEnd(at: 3, now: now)
        #expect(progress.state == .endsShort(since: now))
        // The leader has records that the replica lacks: the table waits for them.
        let later = now + .seconds(3)
        var isCut = progress.leaderEnds(at: 5, now: later)
        #expect(!isCut && progress.state == .endsShort(since: later) && progress.target == 5)
        progress.reachedEnd(at: 5)
        #expect(progress.isDone)
        // Nothing is asked any more, and nothing changes by an answer that comes late.
        isCut = progress.leaderEnds(at: 2)
        #expect(!isCut && progress.target == 5 && progress.isDone)
    }

    @Test("a log that was cut below the target ends where its leader says")
    func cutLog() {
        var progress = CatchUp(from: 2, to: 5)
        progress.reachedEnd(at: 2)
        var isCut = progress.leaderEnds(at: 3)
        #expect(isCut && !progress.isDone && progress.target == 3)
        progress.reachedEnd(at: 3)
        #expect(progress.isDone)
        var atEnd = CatchUp(from: 2, to: 5)
        atEnd.reachedEnd(at: 2)
        isCut = atEnd.leaderEnds(at: 2)
        #expect(isCut && atEnd.isDone)
    }

    @Test("dead letters beyond the committed offset stay published, however many transactions are aborted in a row")
    func twoAborts() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rejoinder-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let store = try StateDirectory(path: directory.path).openStore(
            partition: 0, source: StoreSource(clusterID: "c", answersTopic: "a", votesTopic: "v", partition: 0)
        ).store
        defer { store.close() }
        let partition = OwnedPartition(number: 0, store: store)
        partition.answers = TableProgress(CatchUp(from: 850, to: 300), committed: 500, lettered: 840)
        partition.answers.lettered = 845
        for _ in 0..<3 {
            // The broker says the same each time: changes from 500 on wait, dead letters below 840 are published.
            partition.rewind(.answers, committed: 500, lettered: 840)
            #expect(partition.answers.lettered == 840 && partition.answers.letteredCommitted == 840)
            #expect(partition.answers.committed == 500 && partition.answers.next == 0)
        }
        // An offset that this lane cannot have committed is another topic's.
        partition.rewind(.answers, committed: 9000, lettered: 9000)
        #expect(partition.answers.committed == 840 && partition.answers.lettered == 840)
    }
}
