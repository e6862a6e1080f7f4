import AnswerStore
import Bytes
import Enrichment
import Foundation

/// A store's rows for a question, for people and for programs.
struct StoredQuestion {
    let id: String
    let partition: Int32
    /// The question's latest event; nil where the store does not keep the questions.
    let event: FoundEvent?
    /// In the order of the enriched record.
    let answers: [FoundAnswer]
    let waiting: [FoundTally]

    init(id: String, _ found: FoundQuestion) {
        self.id = id
        partition = found.partition
        event = found.event
        answers = Self.ranked(found.answers)
        waiting = found.talliesWithoutAnswer
    }

    /// One line of JSON, unless an answer's own bytes hold line ends.
    var json: String {
        JSONWriter.object { object in
            object.add("questionId", id)
            object.add("partition", partition)
            if let event { object.addJSON("question", Self.text(event.value)) }
            object.add("answers", each: answers) { answer, object in
                object.addJSON("answer", Self.text(answer.json))
                object.add("voteCount", answer.voteCount)
                object.add("voteLabel", Self.label(answer.voteCount))
            }
            object.add("answerCount", answers.count)
            object.add("votesWithoutAnswer", each: waiting) { tally, object in
                object.add("answerId", Self.text(tally.answerID))
                object.add("voteCount", tally.voteCount)
            }
        }
    }

    var text: String {
        var lines = ["question \(Printable.text(id)), partition \(partition): \(Self.count(answers.count, "answer"))"]
        if let event { lines.append("asked or edited last at offset \(event.offset)\(Self.summary(event.value))") }
        for answer in answers {
            let label = Self.label(answer.voteCount)
            lines.append(
                String(repeating: " ", count: max(0, 6 - label.count)) + label
                    + "  \(Printable.text(Self.text(answer.id)))  (voteCount "
                    + "\(answer.voteCount))\(Self.summary(answer.json))"
            )
        }
        if !waiting.isEmpty { lines.append("votes for answers that are not there (not yet, or withdrawn):") }
        for tally in waiting {
            lines.append("        \(Printable.text(Self.text(tally.answerID)))  (voteCount \(tally.voteCount))")
        }
        return lines.joined(separator: "\n")
    }

    /// The label in an enriched record.
    static func label(_ voteCount: Int64) -> String {
        "\(VoteLabel(voteCount: voteCount))"
    }

    private struct Summary: Decodable {
        struct Author: Decodable { var displayName: String? }
        var title: String?
        var body: String?
        var author: Author?
        var answeredAt: String?
    }

    /// Author, time and the beginning of the text, where the JSON has them.
    private static func summary(_ json: [UInt8]) -> String {
        guard let summary = try? JSONDecoder().decode(Summary.self, from: Data(json)) else { return "" }
        let text = summary.title ?? summary.body
        return [summary.author?.displayName, summary.answeredAt, text].compactMap { $0 }
            .map { "  " + Printable.text($0, limit: 60) }.joined()
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// The worker's ranking takes pointers, so the ids are copied to memory that stays in place while it sorts.
    private static func ranked(_ answers: [FoundAnswer]) -> [FoundAnswer] {
        let copies = answers.map { answer in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: answer.id.count, alignment: 1)
            copy.copyBytes(from: answer.id)
            return StoredAnswer(
                id: Bytes(copy), json: Bytes(start: nil, count: 0), voteCount: answer.voteCount,
                answeredAt: answer.answeredAt)
        }
        defer { for copy in copies { copy.id.deallocate() } }
        return zip(answers, copies).sorted { Ranking.precedes($0.1, $1.1) }.map(\.0)
    }
}
