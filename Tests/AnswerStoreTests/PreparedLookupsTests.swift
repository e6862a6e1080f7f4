import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct PreparedLookupsTests {
    /// A search that went astray would only cost time, and nobody would see it: here each is followed to its row.
    @Test(arguments: [10, 400, 6_000])
    func searchesEndAtTheRowsThatLookupsRead(questions: Int) throws {
        try withStore { store in
            try store.apply(Self.changes(of: 0..<questions))
            let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
            var unknown = 0
            for first in stride(from: 0, to: questions, by: 1 + questions / 60) {
                let asked = (first..<min(first + PreparedLookups.capacity, questions)).map { ink(Self.id($0)) }
                for (number, id) in asked.enumerated() { lookups.add(id, number: number) }
                store.prepare(lookups)
                for (number, id) in asked.enumerated() {
                    try store.lookup(question: id, into: answers)
                    let place = try #require(lookups[number].pointee.answers)
                    guard let row = place.row(in: store.trees) else {
                        // The rows are on the leaf page behind, which has another parent.
                        unknown += 1
                        continue
                    }
                    try #require(
                        row.value.baseAddress.map { $0 + AnswerRow.headerLength } == answers[0].json.baseAddress)
                    let tallies = try #require(lookups[number].pointee.tallies?.row(in: store.trees))
                    try #require(tallies.key.elementsEqual(row.key.prefix(1 + id.count)))
                }
            }
            #expect(unknown <= questions / 500)
        }
    }

    /// What is prepared gives what a search gives, whatever was applied since, and whoever's it is.
    @Test(arguments: 0..<30)
    func preparedOrNotTheAnswersAreThoseOfTheModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        try withStore { store in
            var model = TableModel()
            let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
            var numbers: [String: Int] = [:]
            for _ in 0..<40 {
                let changes = (0..<Int.random(in: 0...60, using: &generator)).map { _ -> Change in
                    // Some values have pages of their own.
                    if Int.random(in: 0..<20, using: &generator) == 0,
                        let id = Change.randomIDs.randomElement(using: &generator)
                    {
                        let length = Int.random(in: 1_900...9_000, using: &generator)
                        return .answer(id, "long", String(repeating: "y", count: length))
                    }
                    return Change.random(using: &generator)
                }
                if Int.random(in: 0..<30, using: &generator) == 0 {
                    try store.reset()
                    model = TableModel()
                }
                for change in changes { model.apply(change) }
                try store.apply(changes, isCommitted: Int.random(in: 0..<4, using: &generator) > 0)
                for id in Change.randomIDs.shuffled(using: &generator).prefix(30) {
                    if Bool.random(using: &generator) {
                        numbers[id] = Int.random(in: 0..<200, using: &generator)
                        lookups.add(ink(id), number: numbers[id] ?? 0)
                    }
                    if Int.random(in: 0..<4, using: &generator) == 0 { store.prepare(lookups) }
                    let prepared = lookups[numbers[id] ?? Int.random(in: 0..<200, using: &generator)]
                    try store.lookup(question: ink(id), prepared: prepared, into: answers)
                    try #require(answers.seen == model.see(id), "question \(id)")
                }
            }
        }
    }

    @Test func nothingIsPreparedWhereNothingIs() throws {
        try withStore { store in
            let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
            let asked = ["a", "question-5", "z", String(repeating: "q", count: 200)].map { ink($0) }
            let impossible = [ink(""), Bytes(start: nil, count: 0), ink(String(repeating: "q", count: 201))]
            for _ in 0..<2 {
                for (number, id) in (asked + impossible).enumerated() { lookups.add(id, number: number) }
                store.prepare(lookups)
                for (number, id) in (asked + impossible).enumerated() {
                    try store.lookup(question: id, prepared: lookups[number], into: answers)
                    #expect(answers.count == 0)
                }
                try store.apply(Self.changes(of: 0..<300))
            }
        }
    }

    /// Pages of noise, in which every number is wrong: the searches stay within them and come to an end.
    @Test func noiseIsLeft() throws {
        for seed in 0..<300 as Range<UInt64> {
            var generator = SeededGenerator(seed)
            let (pageSize, pages) = (256, 8)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize * pages, alignment: pageSize)
            defer { memory.deallocate() }
            for index in memory.indices { memory[index] = .random(in: 0...255, using: &generator) }
            for page in 0..<pages {
                // Most of them can be entered.
                memory.storeBytes(
                    of: UInt16.random(in: 14...UInt16(pageSize) + 2, using: &generator),
                    toByteOffset: page * pageSize + 12, as: UInt16.self)
                for place in 0..<20 {
                    memory.storeBytes(
                        of: UInt16.random(in: 0...UInt16(pageSize), using: &generator),
                        toByteOffset: page * pageSize + PageFormat.headerSize + place * 2, as: UInt16.self)
                }
            }
            let root = MappedTrees.Root(page: 1, depth: .random(in: 1...4, using: &generator))
            let base = try #require(UnsafeRawPointer(memory.baseAddress))
            let trees = MappedTrees(
                base: base, pageSize: pageSize, lastPage: UInt64(pages - 1), answers: root, tallies: root)
            let (lookups, ink) = (PreparedLookups(), Ink())
            for number in 0..<PreparedLookups.capacity { lookups.add(ink("\(number)"), number: number) }
            lookups.search(in: trees)
            for number in 0..<PreparedLookups.capacity {
                guard let row = lookups[number].pointee.answers?.row(in: trees) else { continue }
                #expect(base...(base + memory.count) ~= row.key.baseAddress ?? base)
                #expect(base...(base + memory.count) ~= (row.value.baseAddress ?? base) + row.value.count)
            }
        }
    }

    private func withStore(_ body: (AnswerStore) throws -> Void) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let store = try StateDirectory(path: directory.path).openStore(partition: 3, source: .test).store
        defer { store.close() }
        try body(store)
    }

    private static func id(_ number: Int) -> String { "question-\(number * 7919 % 100_003)" }

    /// Three answers and a vote for each question.
    private static func changes(of questions: Range<Int>) -> [Change] {
        questions.flatMap { number in
            let question = id(number)
            // Some have pages of their own.
            let json = String(repeating: "x", count: number % 50 == 0 ? 9_000 : 100 + number % 400)
            return (0..<3).map { Change.answer(question, "answer-\(number)-\($0)", json) } + [
                Change.cast(question, "answer-\(number)-1", voter: "voter", 1)
            ]
        }
    }
}

extension PageWalk.Place {
    /// The row, where it is known.
    fileprivate func row(in trees: MappedTrees?) -> MappedPage.Row? {
        guard let trees, let count = page.count else { return nil }
        return index < count ? page.row(index, in: trees) : next?.row(0, in: trees)
    }
}
