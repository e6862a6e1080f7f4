import Testing

@testable import AnswerStore

/// A map that fills in the middle of a transaction. Versions of an answer that grows from one to the next take pages of
/// their own each, until the commit, which the estimate of a transaction's size does not see.
@Suite struct FullMapTests {
    private static let mapSize = 636 * 4096

    @Test func aSharedTransactionThatFillsTheMapIsUndone() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path, mapSize: Self.mapSize, longestWait: .seconds(600))
        let store = try state.openStore(partition: 3, source: .test).store
        defer { store.close() }
        #expect(store.mapSize == Self.mapSize)
        func json(_ version: Int) -> String { String(repeating: "j", count: 60_000 + 4100 * version) }
        var versions = 0
        let error = #expect(throws: StoreError.self) {
            while versions < 100 {
                try store.apply([.answer("q", "a", json(versions))], isCommitted: false)
                versions += 1
            }
        }
        #expect(error?.kind == .undone && versions > 10)
        #expect(store.isUndone && store.mapSize == 2 * Self.mapSize)
        #expect(store.positions == TablePositions())
        #expect(try store.see("q").isEmpty)
        // With the records read again it goes on, in the larger map.
        for version in 0..<versions { try store.apply([.answer("q", "a", json(version))], isCommitted: false) }
        #expect(try store.see("q").map(\.json.count) == [json(versions - 1).count])
        #expect(store.positions.answers == Int64(versions))
        store.close()
        let again = try state.openStore(partition: 3, source: .test, mapSize: store.mapSize)
        #expect(again.opening == .resumed && !again.store.isUndone && again.store.mapSize == 2 * Self.mapSize)
        #expect(again.store.positions.answers == Int64(versions))
        again.store.close()
    }
}
