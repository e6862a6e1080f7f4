import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct StoreLoadTests {
    /// A loaded store holds the same rows as one that was written as the records came, for any number of runs and any
    /// amount written at a time; and it can be closed, opened and written to like any other.
    @Test(arguments: 0..<30)
    func randomRecordsGiveWhatTheModelSays(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        // From a run for every few changes to one for all.
        let memory = Int.random(in: 0..<200_000, using: &generator)
        let store = try state.openStore(partition: 3, source: .test, pendingBytes: memory).store
        var model = TableModel()
        try store.beginLoad(of: .max)
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let changes = (0..<Int.random(in: 0...400, using: &generator)).map { _ in
                Change.random(using: &generator)
            }
            for change in changes { model.apply(change) }
            try store.apply(changes, isCommitted: Bool.random(using: &generator))
            #expect(store.isLoading && store.loadWritten == 0)
        }
        let total = store.positions
        try store.writeAll(Int.random(in: 1...500, using: &generator))
        for id in Change.randomIDs { try #require(try store.see(id) == model.see(id), "question \(id)") }
        store.close()
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(opened.store.positions == total)
        #expect(opened.store.usage.answerRows == model.answerRows)
        #expect(opened.store.usage.voteRows == model.voteRows)
        let changes = (0..<200).map { _ in Change.random(using: &generator) }
        for change in changes { model.apply(change) }
        try opened.store.apply(changes)
        for id in Change.randomIDs { try #require(try opened.store.see(id) == model.see(id), "question \(id)") }
        opened.store.close()
    }

    /// Rows of many pages that come in no order fill pages to their ends, in any map.
    @Test func fillsItsPages() throws {
        var generator = SeededGenerator(7)
        let changes = (0..<6000).flatMap { number -> [Change] in
            let (question, answer) = ("question-\(number / 3)", "answer-\(number)")
            return [
                .answer(question, answer, String(repeating: "x", count: 200)), .cast(question, answer, voter: "v", 1),
            ]
        }.shuffled(using: &generator)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let loaded = try state.openStore(partition: 3, source: .test, mapSize: 1 << 20, pendingBytes: 1 << 20).store
        try loaded.beginLoad(of: .max)
        try loaded.apply(changes)
        try loaded.writeAll(8192)
        let plain = try state.openStore(partition: 4, source: .test).store
        for start in stride(from: 0, to: changes.count, by: 100) {
            try plain.apply(Array(changes[start..<start + 100]), isCommitted: false)
        }
        try plain.commit()
        #expect(loaded.usage.answerRows == 6000)
        #expect(loaded.usage.voteRows == 6000)
        #expect(loaded.usage.bytes * 5 < plain.usage.bytes * 4)
        for number in stride(from: 0, to: 6000 / 3, by: 97) {
            let seen = try loaded.see("question-\(number)")
            #expect(seen.count == 3)
            #expect(try seen == plain.see("question-\(number)"))
        }
        loaded.close()
        plain.close()
    }

    /// An answer longer than all the memory there is for them.
    @Test func longAnswers() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(
            partition: 3, source: .test, pendingBytes: 1 << 16
        ).store
        try store.beginLoad(of: .max)
        let long = String(repeating: "long ", count: 500_000)
        try store.apply([
            .answer("q", "b", "short"), .answer("q", "a", long), .answer("p", "c", "other"),
            .answer("q", "a", long + "er"),
        ])
        try store.writeAll(10)
        #expect(try store.see("q").map(\.json) == [Array((long + "er").utf8), Array("short".utf8)])
        #expect(try store.see("p").map(\.json) == [Array("other".utf8)])
        store.close()
    }

    @Test func loadOfNothing() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        try store.beginLoad(of: .max)
        try store.apply(TableBatch(), positions: TablePositions(answers: 5, votes: 7))
        try store.writeAll(1)
        store.close()
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(opened.store.positions == TablePositions(answers: 5, votes: 7))
        opened.store.close()
    }

    /// Few records go faster as they come, where there is memory for their pages.
    @Test func onlyMuchIsLoaded() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test, pendingBytes: 1 << 20).store
        try store.beginLoad(of: 2559)
        #expect(!store.isLoading)
        let other = try state.openStore(partition: 4, source: .test, pendingBytes: 2 << 20).store
        try other.beginLoad(of: 2560)
        #expect(other.isLoading)
        store.close()
        other.close()
    }

    /// A store that holds rows is not loaded: they are not in the order of their keys.
    @Test func onlyNewStoresAreLoaded() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(partition: 3, source: .test).store
        try store.apply([.answer("q", "a", "first")])
        try store.beginLoad(of: .max)
        #expect(!store.isLoading)
        store.close()
    }

    /// Gathered records are lost with the process, and the store is as new.
    @Test func closedWhileGathering() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test, pendingBytes: 0).store
        try store.beginLoad(of: .max)
        try store.apply([.answer("q", "a", "first"), .answer("q", "b", "second")])
        store.close()
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(opened.store.isNew)
        #expect(opened.store.usage.answerRows == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: opened.store.directory)
        #expect(files.sorted() == ["data.mdb", "seal"])
        opened.store.close()
    }

    /// A part of the gathered records is worth nothing: there is no telling which part, and records may have been
    /// compacted away since.
    @Test(arguments: [false, true])
    func endsWhileWriting(isKilled: Bool) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state: StateDirectory
        if isKilled {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = directory.path as String] in
                let store = try StateDirectory(path: path).openStore(partition: 3, source: .test).store
                try store.beginLoad(of: .max)
                try store.apply((0..<3000).map { .answer("q\($0)", "a", "first") })
                try store.writeLoad(changes: 50, bytes: 50)
                try store.commit()
                kill(getpid(), SIGKILL)
            }
            state = try StateDirectory(path: directory.path)
        } else {
            state = try StateDirectory(path: directory.path)
            let store = try state.openStore(partition: 3, source: .test).store
            try store.beginLoad(of: .max)
            try store.apply((0..<3000).map { .answer("q\($0)", "a", "first") })
            try store.writeLoad(changes: 50, bytes: 50)
            #expect(store.isLoading && store.loadWritten > 0 && store.loadWritten < 1)
            store.close()
        }
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(
            opened.opening == .rebuilt(reason: "its first filling did not come to an end"))
        #expect(opened.store.isNew)
        #expect(opened.store.usage.answerRows == 0)
        opened.store.close()
    }

    /// On a full disk a load ends; the next one to open the store begins anew.
    @Test(arguments: [false, true])
    func withoutSpace(isWritten: Bool) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        await #expect(processExitsWith: .success) {
            [path = directory.path as String, isWritten = isWritten as Bool] in
            signal(SIGXFSZ, SIG_IGN)
            let state = try StateDirectory(path: path)
            let store = try state.openStore(
                partition: 3, source: .test, pendingBytes: isWritten ? 64 << 20 : 1 << 16
            ).store
            try store.beginLoad(of: .max)
            let changes = (0..<500).map { Change.answer("q", "b\($0)", String(repeating: "x", count: 9000)) }
            if isWritten { try store.apply(changes) }
            // The runs put aside have 4.5 MB, the rows written 6 MB.
            let bytes: rlim_t = isWritten ? 5 << 20 : 1 << 20
            var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
            #if os(Linux)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            #else
                setrlimit(RLIMIT_FSIZE, &limit)
            #endif
            let error = #expect(throws: StoreError.self) {
                if isWritten { try store.writeAll(8192) } else { try store.apply(changes) }
            }
            #expect(error?.kind == .diskFull)
            #expect(error?.description.contains(path) == true)
            #expect(error?.description.hasPrefix(isWritten ? "writing" : "sorting") == true)
            #expect(store.isNew && !store.isLoading)
            #expect(throws: try #require(error)) { try store.writeLoad(changes: 1, bytes: 1) }
            #expect(throws: try #require(error)) { try store.apply([.answer("q", "b", "{}")]) }
            store.close()
            let again = try state.openStore(partition: 3, source: .test)
            #expect(again.store.isNew)
            #expect(try again.store.see("q").isEmpty)
            again.store.close()
        }
    }

    /// More votes on one question than are written at a time: they are behind each other no more.
    @Test func manyVotesOnOneQuestion() throws {
        var generator = SeededGenerator(11)
        let votes = 40_000
        var changes: [Change] = (0..<votes).map { .cast("hot", "a\($0 % 3)", voter: "v\($0)", 1) }
        changes.append(.cast("cold", "a", voter: "v", 1))
        changes.shuffle(using: &generator)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test, pendingBytes: 1 << 20).store
        try store.beginLoad(of: .max)
        try store.apply(changes)
        // A tally above all others; the votes cast before it no longer count.
        try store.apply([.counted("hot", "a1", 1_000_000), .answer("hot", "a1", "one"), .answer("hot", "a2", "two")])
        try store.writeAll(1)
        #expect(store.usage.voteRows == votes + 1)
        #expect(try store.see("hot").map(\.voteCount) == [1_000_000, Int64(votes) / 3])
        store.close()
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        #expect(try opened.store.see("hot").map(\.voteCount) == [1_000_000, Int64(votes) / 3])
        opened.store.close()
    }

    /// A reader outside the process sees an empty store until the load has ended.
    @Test func aLoadIsNotSeenFromOutside() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        try store.beginLoad(of: .max)
        try store.apply((0..<3000).map { .answer("q\($0)", "a", "first") })
        try store.writeLoad(changes: 1, bytes: 1)
        try store.commit()
        let reader = StoreReader(directory: store.directory)
        let ink = Ink()
        #expect(try reader.find(ink("q0")).found == nil)
        try store.writeAll(8192)
        #expect(try reader.find(ink("q0")).found?.answers.map(\.json) == [Array("first".utf8)])
        store.close()
    }
}

extension AnswerStore {
    /// - Parameter changes: to be written with each call.
    fileprivate func writeAll(_ changes: Int) throws {
        repeat { try writeLoad(changes: changes, bytes: .max) } while isLoading
    }
}
