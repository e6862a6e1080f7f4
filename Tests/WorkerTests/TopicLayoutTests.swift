import Testing

@testable import Worker

@Suite("Partition counts")
struct TopicLayoutTests {
    private let topics = TopicNames()

    private func counts(_ questions: Int32, _ answers: Int32, _ votes: Int32, enriched: Int32) -> [String: Int32] {
        [
            topics.questions: questions, topics.answers: answers, topics.votes: votes, topics.enriched: enriched,
            topics.deadLetter: 1,
        ]
    }

    @Test("an event keeps its partition number where the output has as many, else its key decides")
    func placing() throws {
        let same = try Cluster.layout(of: topics, counts: counts(4, 4, 4, enriched: 4))
        #expect(same.enrichedPartition(for: 3) == 3)
        #expect(same.deadLetterPartition(for: 3) == nil)
        let other = try Cluster.layout(of: topics, counts: counts(4, 4, 4, enriched: 6))
        #expect(other.enrichedPartition(for: 3) == nil)
    }

    @Test("unequal input topics are refused, and the sentence names each with its count")
    func unequal() {
        for bad in [counts(4, 3, 4, enriched: 4), counts(4, 4, 5, enriched: 4)] {
            let error = #expect(throws: WorkerError.self) { try Cluster.layout(of: topics, counts: bad) }
            #expect(error?.matter == .configuration)
            for topic in topics.inputs {
                #expect(error?.message.contains("'\(topic)'") == true)
                #expect(error?.message.contains("\(bad[topic] ?? 0)") == true)
            }
        }
    }

    @Test("missing topics are all named, with what to do")
    func missing() {
        let error = #expect(throws: WorkerError.self) {
            try Cluster.layout(of: topics, counts: ["questions": 1, "votes": 1])
        }
        for topic in ["answers", "questions.enriched", "questions.dead-letter"] {
            #expect(error?.message.contains("'\(topic)'") == true)
        }
        #expect(error?.message.contains("topics create") == true)
    }
}
