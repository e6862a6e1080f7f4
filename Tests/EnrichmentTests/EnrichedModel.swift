import AnswerStore
import Bytes
import Enrichment
import Foundation
import Records

struct TestAnswer {
    var id: String
    var json: String
    var voteCount: Int64
    var answeredAt: Instant?

    static func random(_ number: Int, using generator: inout SeededGenerator) -> TestAnswer {
        TestAnswer(
            id: "\(["a", "b", "é", "ab"].randomElement(using: &generator) ?? "a")\(number)",
            json: String(repeating: "j", count: .random(in: 1...60, using: &generator)),
            voteCount: [.random(in: -3...3, using: &generator), 1 << 53, -(1 << 53)].randomElement(using: &generator)
                ?? 0,
            answeredAt: Bool.random(using: &generator)
                ? Instant(
                    seconds: .random(in: -1...1, using: &generator),
                    attoseconds: .random(in: 0...1, using: &generator)) : nil)
    }
}

/// A processor's result, as values.
struct Rendered: Equatable {
    var text: String
    var attached: Int
    var omitted: Int

    init(_ text: String, attached: Int, omitted: Int) {
        (self.text, self.attached, self.omitted) = (text, attached, omitted)
    }

    static let tooLarge = Rendered("too large", attached: -1, omitted: -1)
}

func render(
    _ question: String, _ answers: [TestAnswer], limit: Int = .max, _ enricher: Enricher = Enricher()
) -> Rendered {
    let stored = StoredAnswers()
    var memory: [UnsafeMutableRawBufferPointer] = []
    defer { for piece in memory { piece.deallocate() } }
    func keep(_ text: String) -> Bytes {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: text.utf8.count, alignment: 1)
        bytes.copyBytes(from: text.utf8)
        memory.append(bytes)
        return Bytes(bytes)
    }
    for answer in answers {
        stored.append(
            StoredAnswer(
                id: keep(answer.id), json: keep(answer.json), voteCount: answer.voteCount, answeredAt: answer.answeredAt
            ))
    }
    switch enricher.render(question: keep(question), answers: stored, limit: limit) {
    case .record(let bytes, let attached, let omitted):
        return Rendered(String(decoding: bytes, as: UTF8.self), attached: attached, omitted: omitted)
    case .tooLarge: return .tooLarge
    }
}

/// The contract's enriched value, made of strings, and the number of answers found by trying every one.
enum EnrichedModel {
    static func render(_ question: String, _ answers: [TestAnswer], limit: Int) -> Rendered? {
        let ranked = answers.sorted { left, right in
            if left.voteCount != right.voteCount { return left.voteCount > right.voteCount }
            if left.answeredAt != right.answeredAt {
                guard let leftTime = left.answeredAt else { return false }
                guard let rightTime = right.answeredAt else { return true }
                return (leftTime.seconds, leftTime.attoseconds) < (rightTime.seconds, rightTime.attoseconds)
            }
            return left.id.utf8.lexicographicallyPrecedes(right.id.utf8)
        }
        let items = ranked.map { answer in
            let number = Decimal(answer.voteCount) + 1
            let label = answer.voteCount >= 0 ? "+\(number)" : "\(number)"
            return #"{"answer":\#(answer.json),"voteCount":\#(answer.voteCount),"voteLabel":"\#(label)"}"#
        }
        for attached in stride(from: items.count, through: 0, by: -1) {
            let omitted = items.count - attached
            let text =
                #"{"question":"# + question + #","answers":["# + items.prefix(attached).joined(separator: ",")
                + #"],"answerCount":\#(items.count)"# + (omitted > 0 ? #","answersOmitted":\#(omitted)"# : "") + "}"
            if text.utf8.count <= limit { return Rendered(text, attached: attached, omitted: omitted) }
        }
        return nil
    }
}

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

extension String {
    func withBytes<Result>(_ body: (Bytes) throws -> Result) rethrows -> Result {
        try Array(utf8).withUnsafeBytes { try body($0) }
    }
}
