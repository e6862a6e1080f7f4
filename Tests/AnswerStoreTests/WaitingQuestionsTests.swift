import Bytes
import Records
import Testing

@testable import AnswerStore

/// The queue of questions that wait, against a plain model of it.
struct WaitingQuestionsTests {
    private struct Model {
        struct Entry {
            var id: String
            var delta: UInt64
            var isCertain: Bool
            var positions: TablePositions
        }
        var entries: [Entry] = []
        var next = TablePositions()

        mutating func note(_ id: String, _ delta: UInt64?) {
            if let index = entries.firstIndex(where: { $0.id == id }) {
                entries[index].delta &+= delta ?? 0
                if delta == nil { entries[index].isCertain = true }
            } else {
                entries.append(Entry(id: id, delta: delta ?? 0, isCertain: delta == nil, positions: next))
            }
        }
    }

    private func bytes<Result>(_ id: String, _ body: (Bytes) -> Result) -> Result {
        var id = id
        return id.withUTF8 { body(Bytes($0)) }
    }

    @Test func keepsTheOrderOfFirstChanges() {
        let waiting = WaitingQuestions()
        var model = Model()
        var generator = SeededGenerator(7)
        for step in 0..<20_000 {
            let id =
                String(
                    repeating: "q", count: Int.random(in: 1...40, using: &generator))
                + "\(Int.random(in: 0..<20, using: &generator))"
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<5:
                let delta: UInt64? = [nil, 0, 1, UInt64.max].randomElement(using: &generator) ?? nil
                bytes(id) { waiting.note($0, delta: delta, cause: .votes, timestamp: Int64(step)) }
                model.note(id, delta)
            case 5:
                let isThere = bytes(id) { waiting.remove($0) }
                #expect(isThere == model.entries.contains { $0.id == id })
                model.entries.removeAll { $0.id == id }
            case 6:
                model.next.answers += 1
                waiting.begin(at: model.next)
            default:
                // Bursts that empty and fill the rings.
                guard step % 2000 < 1000 || step % 7 == 0 else { break }
                waiting.removeFirst()
                if !model.entries.isEmpty { model.entries.removeFirst() }
            }
            guard waiting.count == model.entries.count else {
                Issue.record("step \(step): \(waiting.count) for \(model.entries.count)")
                return
            }
            guard let first = waiting.first else { continue }
            let expected = model.entries[0]
            guard String(decoding: first.question, as: UTF8.self) == expected.id,
                first.isTakenBack == (expected.delta == 0 && !expected.isCertain),
                waiting.heldPositions == expected.positions
            else {
                Issue.record("step \(step): \(first) for \(expected)")
                return
            }
        }
        waiting.removeAll()
        #expect(waiting.isEmpty && waiting.first == nil && waiting.heldPositions == nil)
    }

    @Test func staysWithinItsMemory() {
        let waiting = WaitingQuestions()
        let limit = 8 << 20
        var count = 0
        while !waiting.isFull(limit: limit) {
            bytes("question-\(count)") { waiting.note($0, delta: 1, cause: .answers, timestamp: nil) }
            count += 1
        }
        #expect(waiting.memory <= limit)
        #expect(count > 30_000)
    }
}
