import KafkaClient
import Testing

@testable import Worker

/// When a static member takes partitions for ownerless.
@Suite struct OwnerWatchTests {
    private let all = (0..<4).map { TopicPartition(topic: "q", partition: $0) }
    private let start = ContinuousClock.now

    private func owners(_ owned: Range<Int>, isStable: Bool = true) -> GroupOwners {
        GroupOwners(isStable: isStable, owned: Set(all[owned]))
    }

    @Test("two looks in a row at a settled group that find the same")
    func found() {
        var watch = OwnerWatch()
        #expect(watch.due == nil)
        watch.assigned(now: start)
        #expect(watch.due == start + OwnerWatch.pause)
        #expect(watch.note(owners(0..<2), of: all, now: start) == nil)
        #expect(watch.note(owners(0..<2), of: all, now: start) == Array(all[2...]))
        #expect(watch.due != nil)
    }

    @Test("all owned: there are no more looks")
    func owned() {
        var watch = OwnerWatch()
        watch.assigned(now: start)
        #expect(watch.note(owners(0..<4), of: all, now: start) == nil)
        #expect(watch.due == nil)
    }

    @Test("a rebalance, a coordinator that does not answer, or another assignment begins anew")
    func again() {
        for interruption in 0..<3 {
            var watch = OwnerWatch()
            watch.assigned(now: start)
            #expect(watch.note(owners(0..<2), of: all, now: start) == nil)
            switch interruption {
            case 0: #expect(watch.note(owners(0..<2, isStable: false), of: all, now: start) == nil)
            case 1: #expect(watch.note(nil, of: all, now: start) == nil)
            default: watch.assigned(now: start)
            }
            #expect(watch.note(owners(0..<2), of: all, now: start) == nil)
            #expect(watch.due != nil)
            // Others than before: a rebalance passed between the looks.
            #expect(watch.note(owners(0..<1), of: all, now: start) == nil)
        }
    }
}
