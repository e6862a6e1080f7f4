import AnswerStore
import KafkaClient
import Testing

@testable import Worker

/// A partition whose new store is loaded: its changes are gathered up to the tables' ends, then written piece by piece.
@Suite("Loading a new store")
struct LoadTests {
    private static let answers = 20_000
    /// So little memory for changes that so many answers are a load.
    private static let pendingBytes = 1 << 20

    /// - Returns: a partition that is being loaded, at the moment when the first piece has been written.
    private func writing(_ site: EmbeddedSite, state: StateDirectory? = nil) throws -> Restoring {
        try site.publish(
            (0..<Self.answers).map { Make.answer("a", to: "q\($0)") } + [TestRecord(key: "bad", value: "{")],
            to: site.topics.answers)
        let restoring = try Restoring(site, state: state, pendingBytes: Self.pendingBytes)
        #expect(restoring.store.isLoading)
        try restoring.advance(until: { restoring.store.loadWritten > 0 })
        #expect(restoring.store.isLoading && restoring.partition.answers.catchUp.isDone)
        return restoring
    }

    @Test("it moves on from record to record and from piece to piece, and the tables are followed on afterwards")
    func load() throws {
        let site = try EmbeddedSite(partitions: 1)
        let restoring = try writing(site)
        defer { restoring.close() }
        var (before, all): (Int64, Int64?) = (0, nil)
        try site.publish([Make.answer("late", to: "q7")], to: site.topics.answers)
        try restoring.advance(until: {
            guard restoring.store.isLoading, let progress = RestoreProgress(restoring.partition) else { return true }
            #expect(progress.done > before, "a piece moves it")
            (before, all) = (progress.done, progress.of)
            return false
        })
        #expect(all == Int64(Self.answers) + 1)
        #expect(before > Int64(Self.answers) / 2, "what has been read is half done")
        #expect(restoring.store.usage.answerRows == Self.answers)
        #expect(restoring.letters == [Int64(Self.answers)])
        try restoring.advance(until: { restoring.store.positions.answers == Int64(Self.answers) + 2 })
        #expect(restoring.store.usage.answerRows == Self.answers + 1)
    }

    @Test("after an abort the load goes on, and what was not committed is published again when it is done")
    func rewind() throws {
        let site = try EmbeddedSite(partitions: 1)
        let restoring = try writing(site)
        defer { restoring.close() }
        try restoring.rewind(committed: [.answers: 12])
        #expect(restoring.partition.answers.next == 12)
        try restoring.advance(until: { !restoring.store.isLoading })
        #expect(restoring.store.usage.answerRows == Self.answers)
        try restoring.advance(until: { restoring.partition.answers.next == Int64(Self.answers) + 1 })
        #expect(restoring.letters == [Int64(Self.answers), Int64(Self.answers)])
        #expect(restoring.store.usage.answerRows == Self.answers)
    }

    @Test("when the partition goes elsewhere the load ends, and another partition can be loaded")
    func letGo() throws {
        let site = try EmbeddedSite(partitions: 1)
        let state = try StateDirectory(path: site.directory.path)
        let restoring = try writing(site, state: state)
        try restoring.letGo()
        restoring.close()
        let again = try Restoring(site, state: state, pendingBytes: Self.pendingBytes)
        defer { again.close() }
        #expect(again.store.isNew && again.store.isLoading)
        try again.advance(until: { !again.store.isLoading })
        #expect(again.store.usage.answerRows == Self.answers)
    }
}
