import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct StateDirectorySearchTests {
    private func find(_ question: String, _ path: String) throws -> StateSearch {
        try question.withBytes { try StateDirectory.find(question: $0, stateDirectory: path) }
    }

    @Test func findsWhatIsStored() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        let instant = Instant(seconds: 5, attoseconds: 6)
        try store.apply(
            [
                .answer("q", "b", "{}", at: instant), .answer("q", "a", String(repeating: "x", count: 20_000)),
                .counted("q", "b", 7), .cast("q", "later", voter: "v", 1), .cast("r", "a", voter: "v", -1),
            ] + (0..<500).map { .answer("other\($0)", "a", "{}") })
        for isOpen in [true, false] {
            if !isOpen { store.close() }
            let search = try find("q", directory.path)
            #expect(search.unreadable.isEmpty)
            let expected = FoundQuestion(
                partition: 3,
                answers: [
                    FoundAnswer(
                        id: Array("a".utf8), json: Array(repeating: 0x78, count: 20_000), voteCount: 0,
                        answeredAt: nil),
                    FoundAnswer(id: Array("b".utf8), json: Array("{}".utf8), voteCount: 7, answeredAt: instant),
                ], talliesWithoutAnswer: [FoundTally(answerID: Array("later".utf8), voteCount: 1)])
            #expect(search.found == [expected])
            #expect(try find("r", directory.path).found.map(\.talliesWithoutAnswer.count) == [1])
            #expect(try find("other77", directory.path).found.map(\.answers.count) == [1])
            #expect(try find("none", directory.path) == StateSearch())
            #expect(try find("", directory.path) == StateSearch())
            #expect(try find(String(repeating: "x", count: 300), directory.path) == StateSearch())
        }
    }

    @Test func tellsAnAbsentQuestionFromAStoreThatCannotBeRead() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        func event(_ question: String, partition: Int32 = 3) -> StoredEvent {
            question.withBytes {
                StateDirectory.event(of: $0, partition: partition, stateDirectory: directory.path)
            }
        }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        #expect(event("asked") == .absent(below: 0))
        let ink = Ink()
        let batch = TableBatch()
        batch.append(
            question: ink("asked"), StoredQuestion(value: ink("{}"), headers: ink(""), timestamp: 5, offset: 8))
        var positions = TablePositions(answers: 1, votes: 0)
        positions.questions = 9
        try store.apply(batch, positions: positions)
        #expect(event("asked") == .absent(below: 0), "the file does not have the row yet")
        try store.commit()
        #expect(event("asked") == .found(FoundEvent(value: Array("{}".utf8), offset: 8, timestamp: 5)))
        #expect(event("never") == .absent(below: 9))
        // Answers without their question.
        try store.apply([.answer("orphan", "a", "{}")])
        #expect(event("orphan") == .absent(below: 9))
        batch.removeAll()
        batch.append(question: ink("asked"), nil)
        positions = store.positions
        positions.questions = 12
        try store.apply(batch, positions: positions)
        try store.commit()
        #expect(event("asked") == .absent(below: 12))
        store.close()
        guard case .unreadable = event("asked", partition: 4) else {
            return #expect(Bool(false), "there is no store of partition 4")
        }
    }

    @Test func readsNoPageOfAnUnknownFormat() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        defer { store.close() }
        try store.apply([.answer("q", "a", "{}")])
        let ink = Ink()
        #expect(
            try StoreReader(directory: store.directory, pagesAreKnown: true).find(ink("q")).found?.answers.count == 1)
        let damage = #expect(throws: StoreDamage.self) {
            try StoreReader(directory: store.directory, pagesAreKnown: false).find(ink("q"))
        }
        #expect(damage?.reason.contains("LMDB \(LMDBVersion.text)") == true)
    }

    @Test func looksIntoEveryPartitionAndChangesNothing() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        for partition: Int32 in [0, 7, 12] {
            let store = try state.openStore(partition: partition, source: .test).store
            try store.apply([.answer("q", "a\(partition)", "{}")])
            store.close()
        }
        state.unlock()
        try Data("noise".utf8).write(to: URL(fileURLWithPath: directory.path + "/partitions/12/data.mdb"))
        try Data("noise".utf8).write(to: URL(fileURLWithPath: directory.path + "/partitions/readme"))
        func files() throws -> [String] { try FileManager.default.subpathsOfDirectory(atPath: directory.path).sorted() }
        let before = try files()
        let search = try find("q", directory.path)
        #expect(search.found.map(\.partition) == [0, 7])
        #expect(search.unreadable.map(\.partition) == [12])
        #expect(search.unreadable.first?.reason.contains("partition 12") == true)
        #expect(try files() == before)
    }

    @Test func nowhereToLook() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        #expect(try find("q", directory.path) == StateSearch())
        let missing = #expect(throws: StateDirectoryError.self) { try find("q", directory.path + "/none") }
        #expect(missing?.kind == .missing)
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory.path + "/file"))
        let file = #expect(throws: StateDirectoryError.self) { try find("q", directory.path + "/file") }
        #expect(file?.kind == .notADirectory)
        #expect(!FileManager.default.fileExists(atPath: directory.path + "/none"))
    }

    /// A search sees a single transaction, also while a worker writes.
    @Test func seesOneTransactionWhileAWorkerWrites() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path
        let done = DispatchSemaphore(value: 0)
        let begun = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            defer { done.signal() }
            do {
                let state = try StateDirectory(path: path)
                let store = try state.openStore(partition: 3, source: .test).store
                for round in 1...400 {
                    // All answers of the question carry the same text and count, and the tree changes its shape.
                    var changes: [Change] = (0..<20).flatMap { answer -> [Change] in
                        [
                            .answer("q", "a\(answer)", String(repeating: "\(round) ", count: round % 40 + 1)),
                            .counted("q", "a\(answer)", Int64(round)),
                        ]
                    }
                    changes += (0..<20).map {
                        .answer("p\(round % 10)-\($0)", "a", String(repeating: "p", count: round))
                    }
                    changes.append(.forgetAnswers("p\((round + 5) % 10)-1"))
                    try store.apply(changes)
                    if round == 1 { begun.signal() }
                }
                store.close()
            } catch {
                Issue.record(error)
            }
        }
        begun.wait()
        var looks = 0
        while done.wait(timeout: .now()) == .timedOut {
            let search = try find("q", path)
            #expect(search.unreadable.isEmpty)
            let answers = search.found.first?.answers ?? []
            #expect(answers.count == 20)
            #expect(Set(answers.map(\.json)).count == 1)
            #expect(Set(answers.map(\.voteCount)).count == 1)
            if let answer = answers.first {
                #expect(String(decoding: answer.json, as: UTF8.self).hasPrefix("\(answer.voteCount) "))
            }
            looks += 1
        }
        #expect(looks > 0)
        done.signal()
    }
}
