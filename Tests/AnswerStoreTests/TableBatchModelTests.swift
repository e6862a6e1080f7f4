import Records
import Testing

@testable import AnswerStore

@Suite struct TableBatchModelTests {
    /// The same records give the same answers and tallies, however they are cut into batches, whenever they are
    /// committed, and however often the store is closed and opened in between.
    @Test(arguments: 0..<30)
    func randomRecordsGiveWhatTheModelSays(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        var store = try state.openStore(partition: 3, source: .test).store
        var model = TableModel()
        var total = TablePositions()
        for _ in 0..<Int.random(in: 2...12, using: &generator) {
            let changes = (0..<Int.random(in: 1...120, using: &generator)).map { _ in
                Change.random(using: &generator)
            }
            for change in changes { model.apply(change) }
            try store.apply(changes, isCommitted: Bool.random(using: &generator))
            total.answers += Int64(changes.count { $0.isOfAnswers })
            total.votes += Int64(changes.count { !$0.isOfAnswers })
            if Int.random(in: 0..<4, using: &generator) == 0 {
                store.close()
                let opened = try state.openStore(partition: 3, source: .test)
                #expect(opened.opening == .resumed)
                store = opened.store
            }
            for id in Change.randomIDs { try #require(try store.see(id) == model.see(id), "question \(id)") }
        }
        #expect(store.positions == total)
        #expect(store.usage.answerRows == model.answerRows)
        #expect(store.usage.voteRows == model.voteRows)
        store.close()
    }
}
