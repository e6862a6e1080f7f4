import Testing

@testable import KafkaClient

@Suite struct FetchAheadTests {
    private let start = ContinuousClock.now

    /// By reference, since `#expect` does not call a mutating function.
    private final class Reader {
        private var ahead = FetchAhead(
            properties: KafkaProperties(["queued.min.messages": "1000", "queued.max.messages.kbytes": "1024"]))

        func isDue(
            queued: Int, records: Int, bytes: Int, isStarving: Bool, now: ContinuousClock.Instant
        ) -> Bool {
            ahead.isDue(queued: queued, records: records, bytes: bytes, isStarving: isStarving, now: now)
        }
    }

    @Test func aQueueThatWasFullIsFetchedOnForWhenHalfOfItIsTaken() {
        let ahead = Reader()
        #expect(!ahead.isDue(queued: 1000, records: 100, bytes: 1000, isStarving: false, now: start))
        #expect(!ahead.isDue(queued: 600, records: 400, bytes: 4000, isStarving: false, now: start))
        #expect(ahead.isDue(queued: 450, records: 150, bytes: 1500, isStarving: false, now: start))
        // Once: librdkafka fetches by itself from here on, until it is full again.
        #expect(!ahead.isDue(queued: 300, records: 150, bytes: 1500, isStarving: false, now: start))
        #expect(!ahead.isDue(queued: 2000, records: 100, bytes: 1000, isStarving: false, now: start))
        #expect(ahead.isDue(queued: 100, records: 1900, bytes: 19000, isStarving: false, now: start))
    }

    @Test func aQueueOfFewLargeRecordsIsFullByItsBytes() {
        let ahead = Reader()
        // 10 kB each: 1 MiB is full with about a hundred.
        #expect(!ahead.isDue(queued: 101, records: 10, bytes: 100_000, isStarving: false, now: start))
        #expect(ahead.isDue(queued: 40, records: 60, bytes: 600_000, isStarving: false, now: start))
    }

    @Test func aQueueThatWasNeverFullIsLeftAlone() {
        let ahead = Reader()
        for queued in stride(from: 800, through: 0, by: -100) {
            #expect(!ahead.isDue(queued: queued, records: 100, bytes: 1000, isStarving: false, now: start))
        }
    }

    @Test func aReaderThatStarvesAsksLessAndLessOften() {
        let ahead = Reader()
        var asked: [Int] = []
        for millisecond in 0..<2000 {
            let now = start + .milliseconds(millisecond)
            if ahead.isDue(queued: 0, records: 0, bytes: 0, isStarving: true, now: now) { asked.append(millisecond) }
        }
        let gaps = zip(asked, asked.dropFirst()).map { $1 - $0 }
        #expect(gaps.prefix(6) == [10, 20, 40, 80, 160, 320])
        #expect(gaps.allSatisfy { $0 <= 320 })
        // An arrival begins the wait anew.
        #expect(!ahead.isDue(queued: 5, records: 5, bytes: 50, isStarving: false, now: start + .seconds(3)))
        #expect(ahead.isDue(queued: 0, records: 0, bytes: 0, isStarving: true, now: start + .seconds(3)))
    }
}
