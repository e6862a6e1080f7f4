import AnswerStore
import Bytes
import Foundation
import Testing

@testable import Sources

@Suite("The index of the sources")
struct SourceIndexTests {
    private let index = SourceIndex()
    private let key = Array("k".utf8)

    @Test("an abort gives back the committed entries")
    func aborts() throws {
        index.set(key, [1])
        index.commit()
        index.set(key, [2])
        index.set(key, nil)
        index.set([9], [9])
        #expect(try index.value(of: key) == nil)
        index.abort()
        #expect(try index.value(of: key) == [1])
        #expect(try index.value(of: [9]) == nil)
        #expect(index.changes().isEmpty)
        #expect(index.unseen == 1)
    }

    private func row(_ number: UInt8) -> [UInt8] { Array("r".utf8) + [number] }

    private func vote(for answer: String, in question: String? = nil) -> [UInt8] {
        RowEntry(
            identity: RecordIdentity(topic: .votes, questionID: question, answerID: answer, voterID: "v"),
            vote: Array("{}".utf8)
        ).bytes
    }

    @Test("votes of an abort are no answer's, and those removed in it are again")
    func votes() throws {
        index.set(row(1), vote(for: "7"))
        index.commit()
        index.set(row(1), nil)
        index.set(row(2), vote(for: "7"))
        index.set(row(3), vote(for: "7", in: "1"))
        index.set(row(4), vote(for: "8"))
        #expect(try index.rows(ofVotesFor: "7", areWaiting: true) == [row(2)])
        #expect(try index.rows(ofVotesFor: "7", areWaiting: false) == [row(3)])
        #expect(try index.waitingVotes().map(\.row) == [row(2), row(4)])
        index.abort()
        #expect(try index.rows(ofVotesFor: "7", areWaiting: true) == [row(1)])
        #expect(try index.rows(ofVotesFor: "7", areWaiting: false) == [])
        #expect(try index.waitingVotes().map(\.answerID) == ["7"])
    }

    @Test("committed entries are forgotten in two steps, uncommitted ones never")
    func forgets() throws {
        index.set(key, [1])
        index.commit()
        index.beginForgetting()
        #expect(try index.value(of: key) == [1] && index.isForgetting)
        index.set(key, [2])
        index.abort()
        #expect(try index.value(of: key) == [1])
        index.set([5], [5])
        _ = index.changes()
        index.set([6], nil)
        index.forgetAll()
        #expect(try index.value(of: key) == nil)
        #expect(try index.value(of: [5]) == [5])
        #expect(index.changes().map(\.key) == [[6]], "the other one was taken before")
        index.abort()
        #expect(try index.value(of: [5]) == nil)
    }

    @Test("the store finds the votes of an answer by their rows' entries, as they change")
    func follows() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("index-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try IndexStore(directory: directory, source: "test")
        defer { store.close() }
        let index = SourceIndex(store: store)
        func follow(_ row: [UInt8], _ entry: [UInt8]?) throws {
            try row.withUnsafeBytes { row in
                if let entry {
                    try entry.withUnsafeBytes { try index.follow(row, $0) }
                } else {
                    try index.follow(row, nil)
                }
            }
        }
        try follow(row(1), vote(for: "7"))
        try follow(row(2), vote(for: "7"))
        // As earlier versions wrote into the topic: it is not a row's.
        try follow(Array("w".utf8) + [1] + Array("7".utf8) + row(3), [1])
        #expect(try index.rows(ofVotesFor: "7", areWaiting: true) == [row(1), row(2)])
        try follow(row(1), vote(for: "7", in: "1"))
        try follow(row(2), vote(for: "8"))
        #expect(try index.rows(ofVotesFor: "7", areWaiting: true) == [])
        #expect(try index.rows(ofVotesFor: "7", areWaiting: false) == [row(1)])
        #expect(try index.waitingVotes().map(\.answerID) == ["8"])
        // The lane's own changes are laid over the store's.
        index.set(row(2), vote(for: "8", in: "2"))
        index.set(row(4), vote(for: "7", in: "1"))
        #expect(try index.waitingVotes().isEmpty)
        #expect(try index.rows(ofVotesFor: "7", areWaiting: false) == [row(1), row(4)])
        index.abort()
        // A foreign record, whose key would be longer than LMDB takes.
        let foreign = Array("r".utf8) + [UInt8](repeating: 9, count: 400)
        try follow(foreign, vote(for: String(repeating: "a", count: 150)))
        try follow(foreign, nil)
        try follow(row(1), nil)
        try follow(row(2), RowEntry(identity: nil).bytes)
        #expect(try store.keys(beginningWith: Array("r".utf8)) == [row(2)])
        for kind in ["v", "w"] { #expect(try store.keys(beginningWith: Array(kind.utf8)) == []) }
    }

    @Test("keys of many aborts leave no trace")
    func manyAborts() {
        let changes = IndexChanges()
        key.withUnsafeBytes { changes.set($0, $0) }
        for number in 0..<5_000 {
            withUnsafeBytes(of: number) { changes.set($0, $0) }
            changes.removeAll(from: 1)
        }
        #expect(changes.count == 1)
        #expect(key.withUnsafeBytes { changes.value(of: $0).map { $0.map { Array($0) } } } == .some(key))
        #expect(withUnsafeBytes(of: 7) { changes.value(of: $0) } == nil)
    }

    /// Against a dictionary that is copied at every commit.
    @Test("changes are found, taken back and widened as in a dictionary", arguments: [1, 2, 3])
    func changes(seed: UInt64) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let changes = IndexChanges()
        var values: [[UInt8]: [UInt8]?] = [:]
        var committed = values
        var committedCount = 0
        for _ in 0..<8_000 {
            let key = row(UInt8(random(200))) + [UInt8](repeating: 1, count: random(3))
            switch random(40) {
            case 0:
                (committed, committedCount) = (values, changes.count)
            case 1:
                changes.removeAll(from: committedCount)
                values = committed
            case 2...6:
                key.withUnsafeBytes { changes.set($0, nil) }
                values[key] = .some(nil)
            default:
                let value = random(2) == 0 ? vote(for: "\(random(9))") : [UInt8](repeating: 2, count: random(600))
                key.withUnsafeBytes { key in value.withUnsafeBytes { changes.set(key, $0) } }
                values[key] = value
            }
        }
        var found: [[UInt8]: [UInt8]?] = [:]
        changes.forEachNewest { key, value in found.updateValue(value.map { Array($0) }, forKey: Array(key)) }
        let isSame = found == values
        #expect(isSame)
        for answer in 0..<9 {
            let expected = values.filter { $0.value == vote(for: "\(answer)") }.keys
            var rows = Set<[UInt8]>()
            let name = Array("\(answer)".utf8)
            name.withUnsafeBytes {
                changes.forEachRow(at: VotePlace(isWaiting: true, answer: $0)) { rows.insert(Array($0)) }
            }
            #expect(rows.isSuperset(of: expected))
        }
        changes.removeAll()
        #expect(changes.count == 0 && key.withUnsafeBytes { changes.value(of: $0) } == nil)
    }
}
