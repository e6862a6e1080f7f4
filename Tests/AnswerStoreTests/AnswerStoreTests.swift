import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct AnswerStoreTests {
    private func withStore(mapSize: Int = 1 << 28, _ body: (AnswerStore) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test, mapSize: mapSize).store
        defer { store.close() }
        try body(store)
    }

    @Test func votesFollowTheContract() throws {
        let cases: [(changes: [Change], voteCount: Int64)] = [
            ([], 0),
            ([.cast("q", "a", voter: "v", 1)], 1),
            ([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "v", -1)], -1),
            ([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "v", 0)], 0),
            ([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "w", 1)], 2),
            ([.cast("q", "a", voter: "v", 1), .cast("q", "b", voter: "v", 1)], 1),
            ([.counted("q", "a", 40)], 40),
            ([.counted("q", "a", 40), .cast("q", "a", voter: "v", 1)], 41),
            // The voter's vote is in the number counted: changing it moves the count by the difference.
            ([.cast("q", "a", voter: "v", 1), .counted("q", "a", 40), .cast("q", "a", voter: "v", -1)], 38),
            ([.cast("q", "a", voter: "v", 1), .counted("q", "a", 40), .cast("q", "a", voter: "v", 1)], 40),
            ([.counted("q", "a", 40), .cast("q", "a", voter: "v", 1), .counted("q", "a", 3)], 3),
            ([.counted("q", "a", 40), .forgetVotes("q")], 0),
            ([.cast("q", "a", voter: "v", 1), .forgetVotes("q"), .cast("q", "a", voter: "v", 1)], 1),
            ([.cast("q", "a", voter: "v", 1), .forgetVotes("other")], 1),
            // A tally on the answer itself is a *counted* record for it.
            ([.answer("q", "a", "{}", votes: 40)], 40),
            ([.cast("q", "a", voter: "v", 1), .answer("q", "a", "{}", votes: 40)], 40),
            (
                [
                    .cast("q", "a", voter: "v", 1), .answer("q", "a", "{}", votes: 40),
                    .cast("q", "a", voter: "v", -1),
                ], 38
            ),
            ([.answer("q", "a", "{}", votes: 40), .answer("q", "a", "{}", votes: -3)], -3),
            ([.answer("q", "a", "{}", votes: 40), .cast("q", "a", voter: "w", 1), .answer("q", "a", "{}")], 41),
            ([.answer("q", "a", "{}", votes: 7), .forgetVotes("q")], 0),
        ]
        for (changes, voteCount) in cases {
            for isOneBatch in [true, false] {
                for isAnswerLast in [true, false] {
                    try withStore { store in
                        let answer = Change.answer("q", "a", "{}")
                        let all = isAnswerLast ? changes + [answer] : [answer] + changes
                        for batch in isOneBatch ? [all] : all.map({ [$0] }) { try store.apply(batch) }
                        #expect(try store.see("q").map(\.voteCount) == [voteCount], "\(all), one batch: \(isOneBatch)")
                    }
                }
            }
        }
    }

    @Test func aTallyOutlastsTheAnswerThatBroughtIt() throws {
        let cases: [[Change]] = [
            [.withdraw("q", "a", votes: 7)], [.answer("q", "a", "{}", votes: 7), .forgetAnswers("q")],
            [.answer("q", "a", "{}", votes: 9), .withdraw("q", "a", votes: 7)],
        ]
        for changes in cases {
            try withStore { store in
                try store.apply(changes)
                #expect(try store.see("q").isEmpty)
                try store.apply([.answer("q", "a", "{}")])
                #expect(try store.see("q").map(\.voteCount) == [7], "\(changes)")
            }
        }
    }

    @Test func aWithdrawnAnswerComesBackWithItsVotes() throws {
        try withStore { store in
            try store.apply([.answer("q", "a", "1"), .cast("q", "a", voter: "v", 1), .withdraw("q", "a")])
            #expect(try store.see("q").isEmpty)
            try store.apply([.cast("q", "a", voter: "w", 1)])
            try store.apply([.answer("q", "a", "2")])
            #expect(try store.see("q").map(\.voteCount) == [2])
            #expect(try store.see("q").map(\.json) == [Array("2".utf8)])
        }
    }

    @Test func whatWasAnsweredIsCarriedWhole() throws {
        let instants = [
            nil, Instant(seconds: 0, attoseconds: 0), Instant(seconds: .min, attoseconds: 999_999_999_999_999_999),
            Instant(seconds: .max, attoseconds: 1),
        ]
        try withStore { store in
            try store.apply(
                instants.enumerated().map { .answer("q", "a\($0.offset)", " {\"n\":\(1)}\n", at: $0.element) })
            #expect(try store.see("q").map(\.answeredAt) == instants)
            #expect(try store.see("q").allSatisfy { $0.json == Array(" {\"n\":1}\n".utf8) })
        }
    }

    @Test func neighboursAreNotMixedUp() throws {
        try withStore { store in
            // One id's bytes begin with another's, and a question's id begins with another's and its answer's.
            try store.apply([
                .answer("q", "1a", "x"), .answer("q1", "a", "y"), .answer("q1a", "b", "z"), .answer("q", "1", "w"),
                .counted("q", "1a", 5), .counted("q1", "a", 6),
            ])
            #expect(try store.see("q").map(\.json) == [Array("w".utf8), Array("x".utf8)])
            #expect(try store.see("q").map(\.voteCount) == [0, 5])
            try store.apply([.forgetAnswers("q"), .forgetVotes("q")])
            #expect(try store.see("q").isEmpty)
            #expect(try store.see("q1").map(\.voteCount) == [6])
            #expect(try store.see("q1a").count == 1)
        }
    }

    @Test func idsThatCannotBeStoredAreNothing() throws {
        try withStore { store in
            let long = String(repeating: "k", count: 201)
            try store.apply([.answer("q", "a", "1"), .forgetAnswers(long), .forgetVotes(long), .forgetAnswers("")])
            #expect(try store.see("q").count == 1)
            #expect(try store.see(long).isEmpty)
            #expect(try store.see("").isEmpty)
            #expect(store.positions == TablePositions(answers: 3, votes: 1))
        }
    }

    @Test func longestIdsAndAnyBytes() throws {
        try withStore { store in
            let ink = Ink()
            let batch = TableBatch()
            let ids = (0...255).map { byte in [UInt8](repeating: UInt8(byte), count: 200) }
            for id in ids {
                batch.append(
                    AnswerRecord.answer(questionID: ink(id), answerID: ink(id), answeredAt: nil), json: ink(id))
                batch.append(
                    VoteRecord.cast(questionID: ink(id), answerID: ink(id), voterID: ink(id), value: -1))
            }
            #expect(batch.count == 512)
            #expect(batch.byteCount == 256 * (401 + 200 + 401 + 200))
            try store.apply(batch, positions: TablePositions(answers: 256, votes: 256))
            for id in ids {
                #expect(try store.see(id) == [Seen(id: id, json: id, voteCount: -1, answeredAt: nil)])
            }
            batch.removeAll()
            #expect(batch.count == 0 && batch.byteCount == 0)
        }
    }

    @Test func theMapGrowsByItself() throws {
        try withStore(mapSize: 1 << 16) { store in
            let json = String(repeating: "j", count: 50_000)
            try store.apply((0..<40).map { .answer("q\($0)", "a", json) })
            for index in 0..<40 { #expect(try store.see("q\(index)").map(\.json.count) == [50_000]) }
            #expect(store.positions == TablePositions(answers: 40, votes: 0))
            #expect(store.usage.bytes > 40 * 50_000)
            // Replaced rows free their pages for reuse.
            for _ in 0..<5 { try store.apply((0..<40).map { .answer("q\($0)", "a", json) }) }
            #expect(store.usage.bytes < 40 * 50_000 * 4)
            #expect(store.usage.answerRows == 40)
        }
    }

    @Test func manyAnswersAndLargeTallies() throws {
        try withStore { store in
            let ids = (0..<1000).map { String(repeating: "i", count: 190) + String(format: "%04d", $0) }
            try store.apply(
                ids.shuffled().flatMap { id -> [Change] in
                    [.answer("q", id, String(repeating: "5", count: 5000)), .cast("q", id, voter: "v", 1)]
                })
            try store.apply([.cast("q", ids[500], voter: "w", 1)])
            let seen = try store.see("q")
            #expect(seen.map { String(decoding: $0.id, as: UTF8.self) } == ids)
            #expect(seen.map(\.voteCount) == ids.map { $0 == ids[500] ? 2 : 1 })
        }
    }

    @Test func aLookupStaysValidUntilTheNextWrite() throws {
        try withStore { store in
            try store.apply([.answer("q", "a", "first"), .answer("r", "a", "second")])
            let (first, second) = (StoredAnswers(), StoredAnswers())
            try "q".withBytes { try store.lookup(question: $0, into: first) }
            try "r".withBytes { try store.lookup(question: $0, into: second) }
            #expect(Array(first[0].json) == Array("first".utf8))
            #expect(Array(second[0].json) == Array("second".utf8))
        }
    }

    @Test func resetEmptiesAndGivesSpaceBack() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        try store.apply((0..<100).map { .answer("q", "a\($0)", String(repeating: "x", count: 9000)) })
        let before = store.usage.bytes
        try store.reset()
        #expect(store.positions == TablePositions())
        #expect(try store.see("q").isEmpty)
        #expect(store.usage.bytes < before / 10)
        try store.apply([.answer("q", "b", "{}")])
        store.close()
        let again = try state.openStore(partition: 3, source: .test)
        #expect(again.opening == .resumed)
        #expect(again.store.positions == TablePositions(answers: 1, votes: 0))
        again.store.close()
    }

    @Test func aClosedStoreSaysSo() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(partition: 3, source: .test).store
        store.close()
        #expect(store.usage == StoreUsage())
        let error = #expect(throws: StoreError.self) { try store.see("q") }
        #expect(error?.kind == .closed)
        #expect(throws: StoreError.self) { try store.apply([.answer("q", "a", "{}")]) }
        #expect(throws: StoreError.self) { try store.reset() }
    }

    @Test func positionsAloneAreStored() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        try store.apply(TableBatch(), positions: TablePositions(answers: 9, votes: 10))
        store.close()
        let again = try state.openStore(partition: 3, source: .test).store
        #expect(again.positions == TablePositions(answers: 9, votes: 10))
        again.close()
    }

    /// A file size limit stands in for a full disk: both stop a write in the middle of a transaction.
    @Test func withoutSpaceNothingIsChanged() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            let state = try StateDirectory(path: path)
            let store = try state.openStore(partition: 3, source: .test).store
            try store.apply([.answer("q", "a", "{}")])
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            #if os(Linux)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #else
                setrlimit(RLIMIT_FSIZE, &limit)
            #endif
            let error = #expect(throws: StoreError.self) {
                try store.apply((0..<500).map { .answer("q", "b\($0)", String(repeating: "x", count: 9000)) })
            }
            #expect(error?.kind == .diskFull)
            #expect(error?.description.contains(path) == true)
            #expect(store.positions == TablePositions(answers: 1, votes: 0))
            #expect(try store.see("q").count == 1)
            // Smaller records are written as before.
            try store.apply([.answer("q", "b", "{}")])
            #expect(try store.see("q").count == 2)
            store.close()
            let again = try state.openStore(partition: 3, source: .test)
            #expect(again.opening == .resumed)
            #expect(try again.store.see("q").count == 2)
            again.store.close()
        }
    }
}
