import Testing

@testable import Worker

@Suite("A table's progress")
struct TableProgressTests {
    @Test("what moved is committed; what rests is committed again now and then, and never an earlier offset")
    func offsetToCommit() {
        let moved = TableProgress(next: 7, committed: 5)
        #expect(moved.offsetToCommit(isRefresh: false) == 7 && moved.offsetToCommit(isRefresh: true) == 7)
        let resting = TableProgress(next: 5, committed: 5)
        #expect(resting.offsetToCommit(isRefresh: false) == nil && resting.offsetToCommit(isRefresh: true) == 5)
        let refilling = TableProgress(next: 2, committed: 5)
        #expect(refilling.offsetToCommit(isRefresh: false) == nil && refilling.offsetToCommit(isRefresh: true) == 5)
        #expect(TableProgress().offsetToCommit(isRefresh: true) == nil)
    }
}
