import AnswerStore
import Foundation
import KafkaClient
import Testing

@testable import Worker

/// A store's map that fills in the middle of a transaction: each version of a growing answer takes pages of its own.
@Suite("A store that loses its changes with a full map, on the embedded broker", .timeLimit(.minutes(3)))
struct FullMapTests {
    private static let mapSize = 636 * 4096

    private static func answer(_ version: Int) -> TestRecord {
        Make.answer("a", to: "q", body: String(repeating: "b", count: 60_000 + 4100 * version))
    }

    @Test(
        "its partition is taken over again: no record, row or change is lost, and the worker goes on",
        arguments: [PublishMode.questions, .changes(coalesce: .milliseconds(20))])
    func takenOverAgain(_ mode: PublishMode) async throws {
        let site = try EmbeddedSite(partitions: 1)
        let configuration = site.configuration {
            $0.delivery = .atLeastOnce
            $0.publishOn = mode
        }
        let (report, stop) = (LaneReport(lane: 0), StopSignal())
        nonisolated(unsafe) let place = site
        async let life = LaneRun.run(place, configuration: configuration, report: report, stop: stop) {
            try StateDirectory(path: $0, mapSize: Self.mapSize, longestWait: .seconds(600))
        }
        defer { stop.request() }
        let content = { report.current }
        // In mode `changes` its row is among the changes that are lost.
        try site.publish([Make.question("q")], to: site.topics.questions)
        try await EmbeddedSite.wait(for: "the question") { content().totals.recordsIn == 1 }
        var versions = 0
        while content().totals.aborts == 0 {
            try #require(versions < 60, "the map does not fill")
            try site.publish([Self.answer(versions)], to: site.topics.answers)
            versions += 1
            let expected = versions
            // Each version in a batch of its own.
            try await EmbeddedSite.wait(for: "an answer") {
                content().hasEnded || content().totals.aborts > 0 || content().totals.tableAnswers >= expected
            }
            try #require(!content().hasEnded, "the lane has ended")
        }
        try await EmbeddedSite.wait(for: "the partition") { content().hasEnded || content().partitions == [0] }
        let votes = content().totals.tableVotes
        try site.publish([Make.vote(1, by: "u", for: "a", to: "q")], to: site.topics.votes)
        if mode == .questions {
            try await EmbeddedSite.wait(for: "the vote") { content().totals.tableVotes > votes }
            try site.publish([Make.question("q")], to: site.topics.questions)
        }
        // With `changes` it is published only if the question's row is back.
        let expected = Self.answer(versions - 1).value ?? "-"
        try await EmbeddedSite.wait(for: "the record with the vote") {
            guard let last = try place.read(place.topics.enriched).last?.value else { return false }
            return last.contains(expected) && last.contains("\"voteCount\":1")
        }
        stop.request()
        _ = try await life
        #expect(content().totals.aborts == 1)
        #expect(try site.read(site.topics.deadLetter).isEmpty)
    }
}
