import Bytes
import Foundation
import Records
import Testing

@testable import AnswerStore

/// A directory of its own; its maker removes it.
struct TemporaryDirectory {
    let path: String

    init(_ name: String = "rejoinder store ü") throws {
        // Stores sync as they are opened and closed, which a memory file system does for nothing.
        let memory = "/dev/shm/"
        let isUsable = FileManager.default.isWritableFile(atPath: memory)
        path = (isUsable ? memory : NSTemporaryDirectory()) + "\(name)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// Keeps the bytes that records point to.
final class Ink {
    private var pieces: [UnsafeMutableRawBufferPointer] = []

    deinit { for piece in pieces { piece.deallocate() } }

    func callAsFunction(_ text: String) -> Bytes { self(Array(text.utf8)) }

    func callAsFunction(_ bytes: [UInt8]) -> Bytes {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
        piece.copyBytes(from: bytes)
        pieces.append(piece)
        return Bytes(rebasing: piece[..<bytes.count])
    }
}

/// A lookup's result, as values.
struct Seen: Equatable, CustomStringConvertible {
    var id: [UInt8]
    var json: [UInt8]
    var voteCount: Int64
    var answeredAt: Instant?

    var description: String {
        "\(String(decoding: id, as: UTF8.self)): \(voteCount) \(answeredAt?.seconds ?? -1) \(json.count) bytes"
    }
}

extension StoredAnswers {
    var seen: [Seen] {
        (0..<count).map {
            Seen(
                id: Array(self[$0].id), json: Array(self[$0].json), voteCount: self[$0].voteCount,
                answeredAt: self[$0].answeredAt)
        }
    }
}

extension StoreSource {
    static let test = StoreSource(clusterID: "cluster", answersTopic: "answers", votesTopic: "votes", partition: 3)
}

extension AnswerStore {
    func see(_ question: String) throws -> [Seen] { try see(Array(question.utf8)) }

    func see(_ question: [UInt8]) throws -> [Seen] {
        let answers = StoredAnswers()
        try question.withUnsafeBytes { try lookup(question: $0, into: answers) }
        return answers.seen
    }

    /// Applies changes and moves the positions on by one each.
    /// - Parameter isCommitted: false leaves them to a later commit.
    func apply(_ changes: [Change], isCommitted: Bool = true) throws {
        let ink = Ink()
        let batch = TableBatch()
        for change in changes { change.append(to: batch, ink: ink) }
        var next = positions
        next.answers += Int64(changes.count { $0.isOfAnswers })
        next.votes += Int64(changes.count { !$0.isOfAnswers })
        try apply(batch, positions: next)
        if isCommitted { try commit() }
    }
}

/// A table change as a value.
enum Change: Equatable {
    case answer(String, String, String, at: Instant? = nil, votes: Int64? = nil)
    case withdraw(String, String, votes: Int64? = nil)
    case forgetAnswers(String)
    case cast(String, String, voter: String, Int8)
    case counted(String, String, Int64)
    case forgetVotes(String)

    var isOfAnswers: Bool {
        switch self {
        case .answer, .withdraw, .forgetAnswers: true
        case .cast, .counted, .forgetVotes: false
        }
    }

    func append(to batch: TableBatch, ink: Ink) {
        switch self {
        case .answer(let question, let answer, let json, let at, let votes):
            batch.append(
                AnswerRecord.answer(
                    questionID: ink(question), answerID: ink(answer), answeredAt: at, voteCount: votes),
                json: ink(json))
        case .withdraw(let question, let answer, let votes):
            batch.append(
                AnswerRecord.withdrawn(questionID: ink(question), answerID: ink(answer), voteCount: votes),
                json: ink("ignored"))
        case .forgetAnswers(let question):
            batch.append(AnswerRecord.forgetAll(questionID: ink(question)), json: ink(""))
        case .cast(let question, let answer, let voter, let value):
            batch.append(
                VoteRecord.cast(
                    questionID: ink(question), answerID: ink(answer), voterID: ink(voter), value: value))
        case .counted(let question, let answer, let count):
            batch.append(VoteRecord.counted(questionID: ink(question), answerID: ink(answer), voteCount: count))
        case .forgetVotes(let question):
            batch.append(VoteRecord.forgetAll(questionID: ink(question)))
        }
    }
}

/// The contract's vote and answer rules with dictionaries, record by record: the model that the store is compared with.
struct TableModel {
    struct Tally {
        var base: Int64 = 0
        var voters: [String: Int8] = [:]
        var voteCount: Int64 { base + voters.values.reduce(0) { $0 + Int64($1) } }
    }
    private var answers: [String: [String: (json: String, at: Instant?)]] = [:]
    private var tallies: [String: [String: Tally]] = [:]

    mutating func apply(_ change: Change) {
        switch change {
        case .answer(let question, let answer, let json, let at, let votes):
            answers[question, default: [:]][answer] = (json, at)
            if let votes { apply(.counted(question, answer, votes)) }
        case .withdraw(let question, let answer, let votes):
            answers[question]?[answer] = nil
            if let votes { apply(.counted(question, answer, votes)) }
        case .forgetAnswers(let question): answers[question] = nil
        case .cast(let question, let answer, let voter, let value):
            tallies[question, default: [:]][answer, default: Tally()].voters[voter] = value
        case .counted(let question, let answer, let count):
            var tally = tallies[question]?[answer] ?? Tally()
            tally.base = count - (tally.voteCount - tally.base)
            tallies[question, default: [:]][answer] = tally
        case .forgetVotes(let question): tallies[question] = nil
        }
    }

    func see(_ question: String) -> [Seen] {
        (answers[question] ?? [:]).map { id, answer in
            Seen(
                id: Array(id.utf8), json: Array(answer.json.utf8),
                voteCount: tallies[question]?[id]?.voteCount ?? 0, answeredAt: answer.at)
        }.sorted { $0.id.lexicographicallyPrecedes($1.id) }
    }

    var answerRows: Int { answers.values.reduce(0) { $0 + $1.count } }
    var voteRows: Int {
        tallies.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.voters.values.count { $0 != 0 } } }
    }
}

/// A generator whose runs can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

extension Change {
    /// A change of one of a few questions, so that changes meet.
    static func random(using generator: inout SeededGenerator) -> Change {
        // Ids of several lengths, some the beginning of others, some not ASCII.
        let ids = ["a", "b", "ab", "abc", "é", String(repeating: "x", count: 200), String(repeating: "x", count: 199)]
        func id() -> String { ids.randomElement(using: &generator) ?? "a" }
        let (question, answer) = (id(), id())
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<25:
            let length = [2, 40, 400, 3000, 9000].randomElement(using: &generator) ?? 2
            let letter = ["y", "z", "ж"].randomElement(using: &generator) ?? "y"
            let at =
                Bool.random(using: &generator)
                ? Instant(seconds: .random(in: -5...5, using: &generator), attoseconds: 7) : nil
            let votes =
                Int.random(in: 0..<4, using: &generator) == 0 ? Int64.random(in: -9...9, using: &generator) : nil
            return .answer(question, answer, String(repeating: letter, count: length), at: at, votes: votes)
        case 25..<32:
            let votes = Bool.random(using: &generator) ? Int64.random(in: -9...9, using: &generator) : nil
            return .withdraw(question, answer, votes: votes)
        case 32..<34: return .forgetAnswers(question)
        case 34..<88: return .cast(question, answer, voter: id(), [-1, 0, 1].randomElement(using: &generator) ?? 1)
        case 88..<97:
            return .counted(question, answer, [0, 5, -7, 1 << 53, -(1 << 53)].randomElement(using: &generator) ?? 0)
        default: return .forgetVotes(question)
        }
    }

    static let randomIDs = ["a", "b", "ab", "abc", "é", String(repeating: "x", count: 200), "none"]
}
