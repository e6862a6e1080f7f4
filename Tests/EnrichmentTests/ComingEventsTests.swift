import AnswerStore
import Testing

@testable import Enrichment

@Suite struct ComingEventsTests {
    /// However many events come and are told of ahead, each is handed out once, in order, before its turn.
    @Test(arguments: 0..<40)
    func eachEventIsPreparedOnce(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        var coming = ComingEvents()
        defer { coming.deallocate() }
        for _ in 0..<4 {
            coming.removeAll()
            let count = Int.random(in: 0..<300, using: &generator)
            var (told, prepared) = (0, 0)
            for event in 0..<count {
                while told < min(event + ComingEvents.ahead, count) {
                    coming.append(nil, hash: UInt64(told))
                    told += 1
                }
                let isTold = coming.advance()
                try #require(isTold)
                try #require(coming.current == event)
                if let group = coming.nextGroup {
                    try #require(group.lowerBound == prepared)
                    try #require(group.count <= PreparedLookups.capacity)
                    // The lookups of the event in progress are still there.
                    try #require(group.upperBound - event <= PreparedLookups.room)
                    for number in group { try #require(coming[number].hash == UInt64(number)) }
                    prepared = group.upperBound
                }
                try #require(prepared > event)
                try #require(coming.near == (event + 4 < told ? UInt64(event + 4) : nil))
            }
            try #require(prepared == count)
            let isOneMore = coming.advance()
            try #require(!isOneMore && coming.current == nil)
        }
    }
}
