import Testing

@testable import Worker

@Suite("The search for an event that the broker refuses")
struct RefusalSearchTests {
    @Test("each refusal halves the events of a transaction, each commit doubles them, until the search is over")
    func halves() {
        var search = RefusalSearch()
        #expect(search.limit == nil)
        search.refused("no", events: 20)
        #expect(search.limit == 10)
        search.committed()
        #expect(search.limit == 20)
        search.refused("no", events: 7)
        #expect(search.limit == 3)
        search.refused("no", events: 3)
        #expect(search.limit == 1)
        // Not known to have stood alone.
        search.refused("no", events: 1)
        #expect(search.refused == nil && search.limit == 1)
        for _ in 0..<20 { search.committed() }
        #expect(search.limit == nil)
    }

    @Test("an event that is refused alone is found, and stays so until it is committed as a dead letter")
    func found() {
        var search = RefusalSearch()
        search.refused("no", events: 2)
        search.gathered([.init(partition: 3, offset: 17)])
        search.refused("too old", events: 1)
        #expect(search.refused.map { "\($0.place.partition)/\($0.place.offset) \($0.reason)" } == "3/17 too old")
        // Another partition's event comes first.
        search.gathered([.init(partition: 1, offset: 5)])
        search.committed()
        #expect(search.refused != nil && search.limit == 1)
        search.gathered([.init(partition: 3, offset: 17)])
        search.committed()
        #expect(search.refused == nil && search.limit == 2)
    }
}
