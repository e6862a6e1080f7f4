import Bytes
import Foundation
import Testing

@testable import Records

enum Kind: String, Decodable, CaseIterable {
    case question, answer, vote
}

/// A reader's result for a record, copied so that it can be kept and compared.
enum Reading: Equatable {
    case question(id: String)
    case deleted(id: [UInt8])
    case answer(questionID: String, answerID: String, answeredAt: Instant?, voteCount: Int64? = nil)
    case withdrawn(questionID: String, answerID: String, voteCount: Int64? = nil)
    case answersForgotten(questionID: [UInt8])
    case cast(questionID: String, answerID: String, voterID: String, value: Int8)
    case counted(questionID: String, answerID: String, voteCount: Int64)
    case votesForgotten(questionID: [UInt8])
}

extension RecordReader {
    func read(_ kind: Kind, key: [UInt8]?, value: [UInt8]?) throws -> Reading {
        try Self.withBytes(key) { key in
            try Self.withBytes(value) { value in
                switch kind {
                case .question: Reading(try readQuestion(key: key, value: value))
                case .answer: Reading(try readAnswer(key: key, value: value))
                case .vote: Reading(try readVote(key: key, value: value))
                }
            }
        }
    }

    func read(_ kind: Kind, key: String = "q1", _ value: String) throws -> Reading {
        try read(kind, key: Array(key.utf8), value: Array(value.utf8))
    }

    /// The bytes in memory of exactly their length, so that reading past the end would be noticed by a sanitizer.
    private static func withBytes<Result>(_ bytes: [UInt8]?, _ body: (Bytes?) throws -> Result) rethrows -> Result {
        guard let bytes else { return try body(nil) }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        return try body(Bytes(memory))
    }
}

extension Reading {
    init(_ record: QuestionRecord) {
        self =
            switch record {
            case .question(let id): .question(id: text(id))
            case .deleted(let id): .deleted(id: Array(id))
            }
    }

    init(_ record: AnswerRecord) {
        self =
            switch record {
            case .answer(let questionID, let answerID, let answeredAt, let voteCount):
                .answer(
                    questionID: text(questionID), answerID: text(answerID), answeredAt: answeredAt,
                    voteCount: voteCount)
            case .withdrawn(let questionID, let answerID, let voteCount):
                .withdrawn(questionID: text(questionID), answerID: text(answerID), voteCount: voteCount)
            case .forgetAll(let questionID): .answersForgotten(questionID: Array(questionID))
            }
    }

    init(_ record: VoteRecord) {
        self =
            switch record {
            case .cast(let questionID, let answerID, let voterID, let value):
                .cast(questionID: text(questionID), answerID: text(answerID), voterID: text(voterID), value: value)
            case .counted(let questionID, let answerID, let voteCount):
                .counted(questionID: text(questionID), answerID: text(answerID), voteCount: voteCount)
            case .forgetAll(let questionID): .votesForgotten(questionID: Array(questionID))
            }
    }
}

func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

/// The error that the work ends with; an issue is recorded when it ends without one.
func recordError(_ work: () throws -> some Any) -> RecordError? {
    #expect(throws: RecordError.self) { _ = try work() }
}

/// A generator whose numbers are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// Whole records with every field of the contract, one of each sort.
enum Sample {
    static let question = """
        {"id":"q1","title":"Is it safe to fly with a cold?","body":"My ears hurt \\u2013 badly \
        \\ud83d\\ude00.","author":{"id":"u1","displayName":"Noor é"},"tags":["ears", \
        "travel"],"askedAt":"2024-03-01T08:00:00Z","x":[1,{"y":null}]}
        """
    static let answer = """
        {"id":"a1","questionId":"q1","title":"Usually","body":"A spray helps.","author":{"id":"d1",\
        "displayName":"Dr. Ode","profession":"Physician","specialty":"ENT","location":"Lagos",\
        "rating":4.9,"reviewCount":188},\
        "answeredAt":"2024-03-01T09:30:00.125+01:00","withdrawn":false}
        """
    static let cast = """
        { "questionId": "q1", "answerId": "a1", "voterId": "u9", "value": -1, "castAt": "2024-03-02T10:00:00Z" }
        """
    static let counted = """
        {"questionId":"q1","answerId":"a1","voteCount":-41e0,"countedAt":"2024-03-02T10:00:00Z"}
        """
    static let all: [(Kind, String)] = [(.question, question), (.answer, answer), (.vote, cast), (.vote, counted)]
}
