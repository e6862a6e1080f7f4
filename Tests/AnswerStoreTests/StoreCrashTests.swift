import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct StoreCrashTests {
    /// Killed at any moment, the store has exactly the records up to its positions, and goes on from there.
    @Test func killedWhileWriting() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var written = 0
        for round in 0..<6 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = directory.path as String, round = round as Int] in
                let state = try StateDirectory(path: path)
                let opened = try state.openStore(partition: 3, source: .test)
                guard round == 0 || opened.opening == .resumed else { exit(3) }
                let store = opened.store
                var next = Int(store.positions.answers + store.positions.votes)
                Thread.detachNewThread {
                    usleep(.random(in: 1000...40_000))
                    kill(getpid(), SIGKILL)
                }
                while true {
                    let count = 1 + next % 17
                    try store.apply((next..<next + count).map(Self.change), isCommitted: next % 3 == 0)
                    next += count
                }
            }
            let state = try StateDirectory(path: directory.path)
            let opened = try state.openStore(partition: 3, source: .test)
            // The very first may have died before there was a store.
            guard round > 0 || opened.opening == .resumed else { continue }
            #expect(opened.opening == .resumed)
            let store = opened.store
            let count = Int(store.positions.answers + store.positions.votes)
            var model = TableModel()
            var positions = TablePositions()
            for change in (0..<count).map(Self.change) {
                model.apply(change)
                if change.isOfAnswers { positions.answers += 1 } else { positions.votes += 1 }
            }
            #expect(store.positions == positions)
            for id in Change.randomIDs {
                #expect(try store.see(id) == model.see(id), "question \(id), \(count) records")
            }
            written = count
            if round % 2 == 0 { store.close() }
        }
        #expect(written > 0)
    }

    /// Uncommitted changes are gone after the process, and so are their positions.
    @Test func uncommittedChangesGoWithTheProcess() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(partition: 3, source: .test).store
        try store.apply([.answer("q", "a", "first"), .cast("q", "a", voter: "v", 1)])
        try store.apply([.answer("q", "b", "second"), .cast("q", "a", voter: "w", 1)], isCommitted: false)
        #expect(try store.see("q").map(\.voteCount) == [2, 0])
        #expect(store.positions == TablePositions(answers: 2, votes: 2))
        let copy = try TemporaryDirectory()
        defer { copy.remove() }
        try FileManager.default.copyItem(
            atPath: directory.path + "/partitions", toPath: copy.path + "/partitions")
        let opened = try StateDirectory(path: copy.path).openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(try opened.store.see("q").map(\.voteCount) == [1])
        #expect(opened.store.positions == TablePositions(answers: 1, votes: 1))
        opened.store.close()
        store.close()
    }

    /// The record at one place in an endless sequence that is always the same.
    private static func change(_ index: Int) -> Change {
        var generator = SeededGenerator(UInt64(index) &* 0xD6E8_FEB8_6659_FD93)
        return Change.random(using: &generator)
    }
}
