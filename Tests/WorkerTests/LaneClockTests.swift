import Enrichment
import Foundation
import Histogram
import Testing

@testable import Worker

@Suite("A lane's account of its time")
struct LaneClockTests {
    private func times(_ clock: LaneClock) -> LaneTimes {
        var times = LaneTimes()
        clock.write(into: &times)
        return times
    }

    /// Lasts at least so many milliseconds.
    private func pass(_ milliseconds: Int) { Thread.sleep(forTimeInterval: Double(milliseconds) / 1000) }

    @Test("every moment belongs to one activity, none to two")
    func sum() {
        let clock = LaneClock()
        pass(2)
        clock.begin(.committing)
        pass(5)
        clock.begin(.reading)
        pass(3)
        clock.attribute(to: .idle)
        clock.begin(.enriching)
        pass(4)
        clock.begin(.other)
        let before = Monotonic.nanoseconds
        let times = times(clock)
        #expect(times.total >= before - clock.began && times.total <= Monotonic.nanoseconds - clock.began)
        #expect(times[.other] >= 2_000_000)
        #expect(times[.committing] >= 5_000_000)
        #expect(times[.idle] >= 3_000_000)
        #expect(times[.reading] + times[.lookup] + times[.rendering] + times[.producing] >= 4_000_000)
    }

    /// An event that took so long in each part.
    private func enrich(_ clock: LaneClock, reading: Int, lookup: Int, rendering: Int, producing: Int) throws {
        let stamps = try #require(clock.nextStamps())
        pass(reading)
        stamps.pointee.checked = Monotonic.nanoseconds
        pass(lookup)
        stamps.pointee.lookedUp = Monotonic.nanoseconds
        pass(rendering)
        stamps.pointee.rendered = Monotonic.nanoseconds
        pass(producing)
        clock.endSample()
    }

    @Test("enriching is divided as the timed events were, and the first event of a batch is one")
    func division() throws {
        let clock = LaneClock()
        clock.begin(.enriching)
        try enrich(clock, reading: 0, lookup: 40, rendering: 0, producing: 4)
        for _ in 1..<LaneClock.sampling { #expect(clock.nextStamps() == nil) }
        try enrich(clock, reading: 0, lookup: 40, rendering: 0, producing: 4)
        clock.begin(.other)
        let times = times(clock)
        #expect(times[.lookup] > times[.producing] && times[.producing] > times[.rendering])
        #expect(times[.lookup] + times[.producing] >= 88_000_000)
        #expect(times[.lookup] > 9 * times[.reading])
    }

    @Test("an event that was held up measures nothing, and the next one is timed instead")
    func heldUp() throws {
        let clock = LaneClock()
        clock.begin(.enriching)
        let stamps = try #require(clock.nextStamps())
        stamps.pointee.checked = Monotonic.nanoseconds
        stamps.pointee.lookedUp = Monotonic.nanoseconds
        stamps.pointee.rendered = Monotonic.nanoseconds
        clock.begin(.producing)
        pass(50)
        clock.begin(.enriching)
        clock.endSample()
        try enrich(clock, reading: 0, lookup: 0, rendering: 5, producing: 0)
        clock.begin(.other)
        let times = times(clock)
        #expect(times[.producing] >= 50_000_000)
        // Of the held up event's 50 ms nothing counts as a part.
        #expect(times[.rendering] >= 2_000_000)
    }

    @Test("an event that ends early takes no time in the parts that it does not come to")
    func stamps() {
        var stamps = EventStamps()
        stamps.checked = 1
        #expect(stamps.lookedUp == 0)
        let before = Monotonic.nanoseconds
        #expect(Monotonic.nanoseconds >= before)
    }
}

@Suite("The ages of events")
struct EventTimesTests {
    private func recorded(_ timestamps: [Int64]) -> Histogram<UInt32> {
        let times = EventTimes()
        for timestamp in timestamps { times.append(timestamp) }
        var latency = LaneReport.durations
        times.record(into: &latency)
        return latency
    }

    @Test("each event counts, whatever its time")
    func counts() {
        let now = WallClock.microseconds / 1000
        let latency = recorded([now - 5000, now - 5000, now - 5000, now - 90_000, now - 5000, 0, 0])
        #expect(latency.totalCount == 7)
        #expect(latency.count(within: 4_900_000...8_000_000) == 4)
        #expect(latency.count(within: 80_000_000...110_000_000) == 1)
        // Since 1970 is beyond the range.
        #expect(latency.count(within: 31_000_000_000_000...32_000_000_000_000) == 2)
    }

    @Test("as many as there are between two commits")
    func many() {
        let now = WallClock.microseconds / 1000
        let latency = recorded((0..<20_000).map { now - 1_000_000 - $0 })
        #expect(latency.totalCount == 20_000)
        #expect(latency.count(within: 990_000_000...1_200_000_000) == 20_000)
    }

    @Test("an event from the future is of no age")
    func future() {
        let latency = recorded([WallClock.microseconds / 1000 + 60_000, .max])
        #expect(latency.totalCount == 2 && latency.max == 0)
    }

    @Test("what was removed is not recorded")
    func removed() {
        let times = EventTimes()
        for timestamp in [1, 2, 2] as [Int64] { times.append(timestamp) }
        times.removeAll()
        times.append(2)
        var latency = LaneReport.durations
        times.record(into: &latency)
        #expect(latency.totalCount == 1)
    }
}
