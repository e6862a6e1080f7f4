import Foundation
import Histogram

/// Timestamps of the events that are not committed yet, for their age when their output is acknowledged. Lane thread
/// only; allocates no memory once it has grown to the events between two commits.
final class EventTimes {
    /// Consecutive events of one millisecond share an entry.
    private struct Entry {
        var timestamp: Int64
        var count: UInt32

        /// In microseconds. A record's timestamp may be any number.
        func age(at now: Int64) -> Int64 { timestamp < now / 1000 ? now - timestamp * 1000 : 0 }
    }

    private var entries = UnsafeMutablePointer<Entry>.allocate(capacity: 4096)
    private var capacity = 4096
    private var count = 0
    /// The newest entry, not among `entries` yet.
    private var newest = Entry(timestamp: 0, count: 0)

    deinit { entries.deallocate() }

    /// - Parameter timestamp: milliseconds since 1970.
    @inline(__always)
    func append(_ timestamp: Int64) {
        if timestamp == newest.timestamp, newest.count < .max {
            newest.count += 1
        } else {
            push(timestamp)
        }
    }

    @inline(__always)
    private func push(_ timestamp: Int64) {
        if newest.count > 0 {
            if count == capacity { grow() }
            (entries + count).initialize(to: newest)
            count += 1
        }
        newest = Entry(timestamp: timestamp, count: 1)
    }

    @inline(never)
    private func grow() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: capacity * 2)
        larger.initialize(from: entries, count: count)
        entries.deallocate()
        entries = larger
        capacity *= 2
    }

    /// Records each event's age now. An event from the future, by a clock that is ahead of ours, has age 0.
    func record(into latency: inout Histogram<UInt32>) {
        let now = WallClock.microseconds
        for index in 0..<count {
            latency.record(microseconds: entries[index].age(at: now), count: entries[index].count)
        }
        if newest.count > 0 { latency.record(microseconds: newest.age(at: now), count: newest.count) }
    }

    func removeAll() {
        count = 0
        newest.count = 0
    }
}

/// The system's clock, which may be set back: for times that leave the process.
package enum WallClock {
    /// Since 1970.
    package static var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}

extension Histogram<UInt32> {
    /// Values below 0 or beyond the histogram's range count as its nearest end.
    mutating func record(microseconds: Int64, count: UInt32) {
        record(UInt64(Swift.max(0, Swift.min(microseconds, Int64(highestTrackableValue)))), count: count)
    }

    mutating func record(_ duration: Duration, count: Int = 1) {
        let (seconds, attoseconds) = duration.components
        record(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000, count: UInt32(clamping: count))
    }
}
