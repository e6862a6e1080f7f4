import Records
import Testing

@testable import AnswerStore

/// Which questions a batch of changes is seen in, and the questions that the store keeps.
struct LiveStoreTests {
    private func withStore(_ body: (AnswerStore, WaitingQuestions) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test).store
        defer { store.close() }
        let waiting = WaitingQuestions()
        store.waiting = waiting
        try body(store, waiting)
    }

    private func apply(_ changes: [Change], to store: AnswerStore, isPublished: (Int) -> Bool = { _ in false }) throws {
        let ink = Ink()
        let batch = TableBatch(isStamped: true)
        for (index, change) in changes.enumerated() {
            batch.stamp(Int64(index), isPublished: isPublished(index))
            change.append(to: batch, ink: ink)
        }
        var next = store.positions
        next.answers += Int64(changes.count)
        try store.apply(batch, positions: next)
    }

    private func take(_ waiting: WaitingQuestions) -> [String] {
        var seen: [String] = []
        while let entry = waiting.first {
            if !entry.isTakenBack { seen.append(String(decoding: entry.question, as: UTF8.self)) }
            waiting.removeFirst()
        }
        return seen.sorted()
    }

    @Test func theSameAgainIsNotSeen() throws {
        try withStore { store, waiting in
            try apply([.answer("q", "a", "{}"), .cast("q", "a", voter: "v", 1)], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.answer("q", "a", "{}"), .cast("q", "a", voter: "v", 1)], to: store)
            #expect(waiting.isEmpty)
            try apply([.answer("q", "a", "{ }")], to: store)
            #expect(take(waiting) == ["q"])
        }
    }

    @Test func whatIsNotVisibleIsNotSeen() throws {
        try withStore { store, waiting in
            try apply([.cast("q", "a", voter: "v", 1), .counted("q", "b", 7), .withdraw("q", "c")], to: store)
            #expect(waiting.isEmpty)
            try apply([.forgetVotes("q")], to: store)
            #expect(waiting.isEmpty)
            try apply([.answer("q", "a", "{}")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.withdraw("q", "a")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.cast("q", "a", voter: "w", 1)], to: store)
            #expect(waiting.isEmpty)
        }
    }

    @Test func whatIsTakenBackIsNotSeen() throws {
        try withStore { store, waiting in
            try apply([.answer("q", "a", "{}")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.cast("q", "a", voter: "v", 1)], to: store)
            try apply([.cast("q", "a", voter: "v", 0)], to: store)
            #expect(waiting.count == 1)
            #expect(take(waiting) == [])
            // Withdrawn, voted for while it is hidden, and shown again: it has another count.
            try apply([.withdraw("q", "a")], to: store)
            try apply([.cast("q", "a", voter: "v", 1)], to: store)
            try apply([.answer("q", "a", "{}")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.cast("q", "a", voter: "v", -1), .cast("q", "a", voter: "v", 1)], to: store)
            #expect(waiting.isEmpty)
        }
    }

    @Test func erasuresAreSeen() throws {
        try withStore { store, waiting in
            try apply(
                [.answer("q", "a", "{}"), .cast("q", "a", voter: "v", 1), .cast("r", "a", voter: "v", 1)], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.forgetVotes("q"), .forgetVotes("r")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.forgetAnswers("q"), .forgetAnswers("r")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.answer("q", "a", "{}")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.forgetAnswers("q"), .answer("q", "a", "{}")], to: store)
            #expect(take(waiting) == [])
        }
    }

    @Test func whatWasPublishedBeforeIsNotSeenAgain() throws {
        try withStore { store, waiting in
            try apply([.answer("q", "a", "{}"), .answer("r", "a", "{}")], to: store) { $0 == 0 }
            #expect(take(waiting) == ["r"])
            // Published with the vote, which is taken back now.
            try apply([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "v", 0)], to: store) { $0 == 0 }
            #expect(take(waiting) == ["q"])
        }
    }

    @Test func afterATakeOverEachChangedQuestionIsSeen() throws {
        try withStore { store, waiting in
            store.areChangesCertain = true
            // An owner before may have published the vote alone.
            try apply([.answer("q", "a", "{}"), .answer("r", "a", "{}")], to: store) { _ in true }
            try apply([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "v", 0)], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.cast("q", "a", voter: "v", 1)], to: store)
            try apply([.cast("q", "a", voter: "v", 0)], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.counted("q", "a", 7), .forgetVotes("q")], to: store)
            #expect(take(waiting) == ["q"])
            try apply([.answer("q", "b", "{}"), .withdraw("q", "b")], to: store)
            #expect(take(waiting) == ["q"])
            // Changes that no reader can have seen: the same rows again, and votes for answers that are not shown.
            try apply([.answer("q", "a", "{}"), .answer("r", "a", "{}"), .cast("q", "a", voter: "v", 0)], to: store)
            try apply([.cast("q", "b", voter: "v", 1), .cast("q", "b", voter: "v", 0)], to: store)
            #expect(waiting.isEmpty)
            store.areChangesCertain = false
            try apply([.cast("q", "a", voter: "v", 1), .cast("q", "a", voter: "v", 0)], to: store)
            #expect(waiting.isEmpty)
        }
    }

    /// Without the instants: the JSON of an answer holds its instant, while the generated changes draw both at random.
    private func instantsRemoved(_ seen: [Seen]) -> [Seen] {
        seen.map { Seen(id: $0.id, json: $0.json, voteCount: $0.voteCount) }
    }

    /// Questions whose rendered state differs from the last one seen are exactly those that wait.
    @Test(arguments: 0..<8) func waitsExactlyWhereSomethingIsSeen(seed: UInt64) throws {
        try withStore { store, waiting in
            var generator = SeededGenerator(seed + 1)
            var seen: [String: [Seen]] = [:]
            for round in 0..<300 {
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let changes = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                        Change.random(using: &generator)
                    }
                    try apply(changes, to: store)
                }
                let waits = take(waiting)
                for id in Change.randomIDs {
                    let now = instantsRemoved(try store.see(id))
                    let isNews = now != seen[id] ?? []
                    #expect(waits.contains(id) == isNews, "round \(round), question \(id.prefix(5))")
                    seen[id] = now
                }
            }
        }
    }

    // MARK: - Questions

    private func put(_ id: String, _ value: String?, offset: Int64, in store: AnswerStore) throws {
        let ink = Ink()
        let batch = TableBatch()
        batch.append(
            question: ink(id),
            value.map { StoredQuestion(value: ink($0), headers: ink("h"), timestamp: 5, offset: offset) })
        var next = store.positions
        next.questions = offset + 1
        try store.apply(batch, positions: next)
    }

    @Test func keepsTheLatestEventOfAQuestion() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        var state = try StateDirectory(path: directory.path)
        var store = try state.openStore(partition: 3, source: .test).store
        try put("q", "first", offset: 4, in: store)
        try put("q", "second", offset: 6, in: store)
        try put("r", String(repeating: "long", count: 5000), offset: 7, in: store)
        try put("s", "gone", offset: 8, in: store)
        try put("s", nil, offset: 9, in: store)
        store.close()
        state.unlock()
        state = try StateDirectory(path: directory.path)
        let opened = try state.openStore(partition: 3, source: .test)
        #expect(opened.opening == .resumed)
        store = opened.store
        #expect(store.positions.questions == 10)
        let ink = Ink()
        let question = try #require(try store.question(ink("q")))
        #expect(String(decoding: question.value, as: UTF8.self) == "second")
        #expect(String(decoding: question.headers, as: UTF8.self) == "h")
        #expect(question.timestamp == 5 && question.offset == 6 && !question.isRefused)
        #expect(try store.question(ink("r"))?.value.count == 20_000)
        #expect(try store.question(ink("s")) == nil)
        #expect(store.usage.questionRows == 2)
        try store.forgetQuestions()
        #expect(try store.question(ink("q")) == nil)
        #expect(store.positions == TablePositions())
        store.close()
    }

    @Test func loadsQuestionsWithTheTables() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let store = try state.openStore(partition: 3, source: .test, pendingBytes: 64 << 10).store
        defer { store.close() }
        try store.beginLoad(of: 100_000)
        #expect(store.isLoading)
        for round in 0..<40 {
            let ink = Ink()
            let batch = TableBatch(isStamped: true)
            for number in 0..<100 {
                let id = "q\((number * 7919 + round) % 1000)"
                Change.answer(id, "a", "{}").append(to: batch, ink: ink)
                batch.append(
                    question: ink(id),
                    round == 39 && number % 2 == 0
                        ? nil
                        : StoredQuestion(
                            value: ink("\(round)"), headers: ink(""), timestamp: nil, offset: Int64(round)))
            }
            try store.apply(
                batch, positions: TablePositions(answers: Int64(round + 1), votes: 0, questions: Int64(round + 1)))
        }
        while store.isLoading { try store.writeLoad(changes: 500, bytes: 1 << 20) }
        let ink = Ink()
        for number in 0..<100 {
            let id = "q\((number * 7919 + 39) % 1000)"
            let question = try store.question(ink(id))
            if number % 2 == 0 {
                #expect(question == nil)
            } else {
                #expect(String(decoding: try #require(question).value, as: UTF8.self) == "39")
            }
            #expect(try store.see(id).count == 1)
        }
        #expect(store.positions.questions == 40)
    }
}
