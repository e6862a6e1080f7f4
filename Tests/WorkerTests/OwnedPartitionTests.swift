import Testing

@testable import Worker

@Suite("A partition that is owned, on the embedded broker", .timeLimit(.minutes(1)))
struct OwnedPartitionTests {
    @Test("an offset committed beyond the lane's events is another owner's: the store lacks events, from then on")
    func anothersCommit() throws {
        let site = try EmbeddedSite(partitions: 1)
        let restoring = try Restoring(site, isLive: true)
        defer { restoring.close() }
        let partition = restoring.partition
        partition.questions.first = 3
        partition.questions.next = 5
        partition.compareQuestions(withCommitted: 3)
        partition.compareQuestions(withCommitted: 5)
        #expect(partition.live?.lacksEvents == false, "the lane's own commit, whose answer was lost")
        partition.compareQuestions(withCommitted: 6)
        #expect(partition.live?.lacksEvents == true)
        partition.questions.next = 6
        partition.compareQuestions(withCommitted: 6)
        #expect(partition.live?.lacksEvents == true)
    }
}
