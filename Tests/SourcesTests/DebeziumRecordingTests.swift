import Foundation
import Testing

@testable import Sources

/// Real change events of a real PostgreSQL (`make cdc-recording`), against the tables as SELECT reads them at the end.
@Suite("A recording of Debezium")
struct DebeziumRecordingTests {
    private struct Line: Decodable {
        var topic: String?
        var key: String?
        var value: String?
        var select: [Question]?
    }

    private struct Question: Decodable {
        var id: String
        var title: String
        var answers: [Answer]
    }

    private struct Answer: Decodable, Hashable {
        var id: String
        /// MD5, in hexadecimal, of the text.
        var body: String?
        var votes: Int
    }

    private static let mapping = """
        - topic: site.public.post
          format: debezium
          where: { kind: question }
          into: questions
          fields:
            { id: id, title: title, body: body, tags: tags, askedAt: made, deleted: gone, author/displayName: author }
          carry: [price, edited, day, meta]
        - topic: site.public.post
          format: debezium
          where: { kind: answer }
          into: answers
          fields:
            { id: id, questionId: parent, body: body, answeredAt: made, withdrawn: gone, author/displayName: author }
        - topic: site.public.reply
          format: debezium
          into: answers
          fields:
            id: { from: [site, number], join: / }
            questionId: thread
            body: html
            answeredAt: { from: at_ms, as: millis }
            withdrawn: hidden
            voteCount: score
        - topic: site.public.keyless
          format: debezium
          into: answers
          fields: { id: id, questionId: thread, body: text }
        - topic: site.public.vote
          format: debezium
          where: { kind: [2, 3] }
          into: votes
          fields:
            { answerId: post_id, voterId: id, value: { from: kind, map: { 2: 1, 3: -1 } }, castAt: at }
        """

    @Test("leads to what SQL says")
    func database() throws {
        let site = try Site(Self.mapping)
        var state = Contract()
        var refused: [String] = []
        var expected: [Question] = []
        for line in try Self.lines() {
            if let select = line.select { expected = select }
            guard let topic = line.topic else { continue }
            do {
                for record in try site.send(topic, key: line.key, line.value) {
                    try state.apply(record, isKeyless: topic.hasSuffix("keyless"))
                }
            } catch {
                refused.append("\(error)")
            }
        }
        #expect(refused.count == 1 && refused.first?.contains("TRUNCATE") == true, "\(refused)")
        #expect(expected.count > 5)
        #expect(Set(state.questions.keys) == Set(expected.map(\.id)))
        for question in expected {
            #expect(state.questions[question.id] == question.title)
            let found = state.answers[question.id, default: [:]].map { id, body in
                Answer(id: id, body: body, votes: state.votes[id, default: [:]].values.reduce(0, +))
            }
            // Truncated rows stay; all else is as SQL has it.
            let keyless = { (answer: Answer) in answer.id.hasPrefix("k") }
            #expect(Set(found.filter { !keyless($0) }) == Set(question.answers.filter { !keyless($0) }))
            #expect(Set(found).isSuperset(of: question.answers.filter(keyless)))
        }
    }

    @Test("rows are carried with their types")
    func types() throws {
        let site = try Site(Self.mapping)
        let first = try #require(
            try Self.lines().first { $0.topic == "site.public.post" && ($0.value ?? "").contains("Question 3") })
        let record = try #require(try site.send("site.public.post", key: first.key, first.value).first?.value)
        for member in [
            #""price":3.125"#, #""edited":"2024-02-29T12:00:00.5Z""#, #""day":"2024-02-29T00:00:00Z""#,
            #""meta":{"n": 3}"#,
            #""tags":["a","b c"]"#, #""id":1234567890123456003"#,
        ] {
            #expect(record.contains(member), "\(member) in \(record)")
        }
    }

    private static func lines() throws -> [Line] {
        let file = try #require(
            Bundle.module.url(forResource: "debezium.jsonl", withExtension: "gz", subdirectory: "Resources"))
        let unpacking = Process()
        unpacking.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        unpacking.arguments = ["gzip", "-dc", file.path]
        let output = Pipe()
        unpacking.standardOutput = output
        try unpacking.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        unpacking.waitUntilExit()
        return try text.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Line.self, from: $0) }
    }

    /// The contract's rules for the input records, as far as the test needs them.
    private struct Contract {
        var questions: [String: String] = [:]
        /// By question and answer: the digest of the body.
        var answers: [String: [String: String?]] = [:]
        /// By answer and voter; a counted tally under the voter "".
        var votes: [String: [String: Int]] = [:]

        mutating func apply(_ record: Site.Published, isKeyless: Bool) throws {
            let value = try record.value.map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            func id(_ name: String) -> String { value?[name].map { "\($0)" } ?? "" }
            switch record.topic {
            case .questions: questions[record.key] = value?["title"] as? String
            case .answers:
                let answer = (isKeyless ? "k" : "") + id("id")
                if value?["withdrawn"] as? Bool == true {
                    answers[record.key]?[answer] = nil
                } else {
                    answers[record.key, default: [:]][answer] = .some((value?["body"] as? String).map(MD5.hexadecimal))
                }
                if let count = value?["voteCount"] as? Int { votes[answer] = ["": count] }
            case .votes: votes[id("answerId"), default: [:]][id("voterId")] = value?["value"] as? Int
            }
        }
    }
}

/// RFC 1321, as PostgreSQL's md5() has it; for comparing alone.
enum MD5 {
    static func hexadecimal(_ text: String) -> String {
        var message = Array(text.utf8)
        let length = UInt64(message.count) &* 8
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        for shift in stride(from: 0, to: 64, by: 8) {
            message.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
        }
        let constants = (0..<64).map { UInt32(truncatingIfNeeded: Int64(abs(sin(Double($0 + 1))) * 4_294_967_296)) }
        let rotations: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
        var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
        for block in stride(from: 0, to: message.count, by: 64) {
            let words = (0..<16).map { word in
                (0..<4).reduce(UInt32(0)) { $0 | UInt32(message[block + word * 4 + $1]) << UInt32(8 * $1) }
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for step in 0..<64 {
                let (mixed, word): (UInt32, Int)
                switch step / 16 {
                case 0: (mixed, word) = ((b & c) | (~b & d), step)
                case 1: (mixed, word) = ((d & b) | (~d & c), (5 * step + 1) % 16)
                case 2: (mixed, word) = (b ^ c ^ d, (3 * step + 5) % 16)
                default: (mixed, word) = (c ^ (b | ~d), 7 * step % 16)
                }
                let sum = a &+ mixed &+ constants[step] &+ words[word]
                let rotation = rotations[step / 16][step % 4]
                (a, d, c, b) = (d, c, b, b &+ (sum << rotation | sum >> (32 - rotation)))
            }
            state = zip(state, [a, b, c, d]).map { $0 &+ $1 }
        }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
            .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
