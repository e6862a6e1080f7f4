import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

@Suite struct PreparedLookupsTests {
    /// A search that went astray would only cost time, and no result would show it: here each is followed to its row.
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

    /// A prepared lookup gives the result of a search, in either store, after any changes in between.
    @Test(arguments: 0..<30)
    func preparedOrNotTheAnswersAreThoseOfTheModel(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let state = try StateDirectory(path: directory.path)
        let stores = try [3, 4].map { try state.openStore(partition: $0, source: .test).store }
        defer { for store in stores { store.close() } }
        var models = [TableModel(), TableModel()]
        let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
        var numbers: [String: Int] = [:]
        for _ in 0..<60 {
            let turn = Int.random(in: 0...1, using: &generator)
            if Int.random(in: 0..<40, using: &generator) == 0 {
                try stores[turn].reset()
                models[turn] = TableModel()
            }
            let changes = (0..<Int.random(in: 0...60, using: &generator)).map { _ in Change.random(using: &generator) }
            for change in changes { models[turn].apply(change) }
            try stores[turn].apply(changes, isCommitted: Int.random(in: 0..<4, using: &generator) > 0)
            for id in Change.randomIDs.shuffled(using: &generator) {
                if Bool.random(using: &generator) {
                    numbers[id] = Int.random(in: 0..<200, using: &generator)
                    lookups.add(ink(id), number: numbers[id] ?? 0)
                }
                let number = Int.random(in: 0...1, using: &generator)
                if Int.random(in: 0..<3, using: &generator) == 0 { stores[number].prepare(lookups) }
                let prepared = lookups[numbers[id] ?? Int.random(in: 0..<200, using: &generator)]
                try stores[number].lookup(question: ink(id), prepared: prepared, into: answers)
                try #require(answers.seen == models[number].see(id), "question \(id)")
            }
        }
    }

    /// Looking up begins at the place that was found, and does not search for it again.
    @Test func aLookupUsesWhatWasPrepared() throws {
        try withStore { store in
            try store.apply(Self.changes(of: 0..<5))
            let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
            lookups.add(ink(Self.id(3)), number: 7)
            store.prepare(lookups)
            // As if the first two answers were not there.
            var moved = lookups[7].pointee
            moved.answers?.index += 2
            try store.lookup(question: ink(Self.id(3)), prepared: &moved, into: answers)
            #expect(answers.seen.map(\.id) == [Array("answer-3-2".utf8)])
            try store.lookup(question: ink(Self.id(3)), prepared: lookups[7], into: answers)
            #expect(answers.count == 3)
            #expect(answers.seen.map(\.voteCount) == [0, 1, 0])
        }
    }

    /// The first row after a question without answers is another question's, whose tallies are elsewhere.
    @Test func theNextQuestionsRowsAreNotTaken() throws {
        try withStore { store in
            try store.apply([
                .cast("a", "x", voter: "v", 1), .answer("b", "x", "1"), .cast("b", "x", voter: "v", -1),
            ])
            let (lookups, answers, ink) = (PreparedLookups(), StoredAnswers(), Ink())
            lookups.add(ink("a"), number: 0)
            store.prepare(lookups)
            for (question, counts) in [("a", []), ("b", [-1])] as [(String, [Int64])] {
                try store.lookup(question: ink(question), prepared: lookups[0], into: answers)
                #expect(answers.seen.map(\.voteCount) == counts)
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
        let (pageSize, pages) = (256, 8)
        let systemPage = Int(sysconf(Int32(_SC_PAGESIZE)))
        // The last page ends where nothing may be read any more.
        let mapped = mmap(nil, 2 * systemPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = try #require(mapped == MAP_FAILED ? nil : mapped)
        defer { munmap(start, 2 * systemPage) }
        try #require(mprotect(start + systemPage, systemPage, PROT_NONE) == 0)
        let memory = UnsafeMutableRawBufferPointer(
            start: start + systemPage - pageSize * pages, count: pageSize * pages)
        var rowsRead = 0
        for seed in 0..<1_000 as Range<UInt64> {
            var generator = SeededGenerator(seed)
            func put(_ range: ClosedRange<UInt16>, _ offset: Int) {
                memory.storeBytes(
                    of: UInt16.random(in: range, using: &generator), toByteOffset: offset, as: UInt16.self)
            }
            for index in memory.indices { memory[index] = .random(in: 0...255, using: &generator) }
            for page in 0..<pages {
                // Most pages can be entered, and most nodes be taken for some.
                put(14...UInt16(pageSize) + 2, page * pageSize + 12)
                for place in 0..<20 {
                    let offset = UInt16.random(in: 6...32, using: &generator) * 8
                    put(offset...offset, page * pageSize + PageFormat.headerSize + place * 2)
                }
                for offset in stride(from: 64, to: pageSize - 8, by: 8)
                where offset % 16 == 0 || Bool.random(using: &generator) {
                    put(0...60, page * pageSize + offset)
                    put(0...0, page * pageSize + offset + 2)
                    put(0...1, page * pageSize + offset + 4)
                    put(0...40, page * pageSize + offset + 6)
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
                rowsRead += 1
                #expect(row.key.isEmpty || memory.contains(row.key))
                #expect(row.value.isEmpty || memory.contains(row.value))
            }
        }
        #expect(rowsRead > 100)
    }

    @Test func precedesAsComparingDoes() {
        var generator = SeededGenerator(1)
        let ink = Ink()
        for _ in 0..<5_000 {
            let keys = (0..<2).map { _ in
                ink(
                    (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                        [0, 1, 0xFF].randomElement(using: &generator) ?? 0
                    })
            }
            let order = compareBytes(keys[0], keys[1])
            #expect(keys[0].precedes(keys[1], orIsEqual: false) == (order < 0))
            #expect(keys[0].precedes(keys[1], orIsEqual: true) == (order <= 0))
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
        return index < count ? trees.row(index, of: page) : next.flatMap { trees.row(0, of: $0) }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func contains(_ bytes: Bytes) -> Bool {
        guard let start = baseAddress, let first = bytes.baseAddress else { return false }
        return first >= UnsafeRawPointer(start) && first + bytes.count <= UnsafeRawPointer(start) + count
    }
}
