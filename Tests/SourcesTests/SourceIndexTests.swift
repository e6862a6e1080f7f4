import Testing

@testable import Sources

@Suite("The index in memory")
struct SourceIndexTests {
    private let index = SourceIndex()
    private let key = Array("k".utf8)

    @Test("an abort gives back the committed entries")
    func aborts() throws {
        index.set(key, [1])
        index.commit()
        index.set(key, [2])
        index.set(key, nil)
        index.set([9], [9])
        #expect(try index.value(of: key) == nil)
        index.abort()
        #expect(try index.value(of: key) == [1])
        #expect(try index.value(of: [9]) == nil)
        #expect(index.takeChanges().isEmpty)
        #expect(index.unseen == 1)
    }

    @Test("votes of an abort are no answer's, and those removed in it are again")
    func votes() throws {
        func vote(_ row: UInt8) -> [UInt8] { IndexKey.vote(forAnswer: "7", row: [row], isWaiting: true) }
        index.set(vote(1), [1])
        index.commit()
        index.set(vote(1), nil)
        index.set(vote(2), [1])
        #expect(try index.keys(ofVotesFor: "7", areWaiting: true) == [vote(2)])
        index.abort()
        #expect(try index.keys(ofVotesFor: "7", areWaiting: true) == [vote(1)])
        #expect(try index.keys(ofVotesFor: "7", areWaiting: false) == [])
        #expect(try index.keys(beginningWith: IndexKey.allWaiting) == [vote(1)])
    }

    @Test("committed entries are forgotten in two steps, uncommitted ones never")
    func forgets() throws {
        index.set(key, [1])
        index.commit()
        index.beginForgetting()
        #expect(try index.value(of: key) == [1] && index.isForgetting)
        index.set(key, [2])
        index.abort()
        #expect(try index.value(of: key) == [1])
        index.set([5], [5])
        index.set([6], nil)
        index.forgetAll()
        #expect(try index.value(of: key) == nil)
        #expect(try index.value(of: [5]) == [5])
        index.abort()
        #expect(try index.value(of: [5]) == nil)
    }
}
