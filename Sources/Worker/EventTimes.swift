import Foundation
import Histogram

/// The timestamps of the events that are not committed yet: how old each is when its output is acknowledged. Lane thread
/// only; allocates nothing once it has grown to what lies between two commits.
final class EventTimes {
    /// Neighbours of one millisecond share an entry.
    private struct Entry {
        var timestamp: Int64
        var count: UInt32

        /// Microseconds. A record's timestamp may be any number.
        func age(at now: Int64) -> Int64 { timestamp < now / 1000 ? now - timestamp * 1000 : 0 }
    }

    private var entries: [Entry] = []
    /// The newest entry, not in `entries` yet.
    private var newest = Entry(timestamp: 0, count: 0)

    init() {
        entries.reserveCapacity(4096)
    }

    /// - Parameter timestamp: milliseconds since 1970.
    @inline(__always)
    func append(_ timestamp: Int64) {
        if timestamp == newest.timestamp, newest.count < .max {
            newest.count += 1
        } else {
            push(timestamp)
        }
    }

    private func push(_ timestamp: Int64) {
        if newest.count > 0 { entries.append(newest) }
        newest = Entry(timestamp: timestamp, count: 1)
    }

    /// Records how old each is now. An event from the future, by a clock that goes ahead of ours, is of no age.
    func record(into latency: inout Histogram<UInt32>) {
        let now = WallClock.microseconds
        for entry in entries { latency.record(microseconds: entry.age(at: now), count: entry.count) }
        if newest.count > 0 { latency.record(microseconds: newest.age(at: now), count: newest.count) }
    }

    func removeAll() {
        entries.removeAll(keepingCapacity: true)
        newest.count = 0
    }
}

enum WallClock {
    /// Since 1970.
    static var microseconds: Int64 { Int64(Date().timeIntervalSince1970 * 1_000_000) }
}

extension Histogram<UInt32> {
    /// What is below 0 or beyond the histogram's range counts as its nearest end.
    mutating func record(microseconds: Int64, count: UInt32) {
        record(UInt64(Swift.max(0, Swift.min(microseconds, Int64(highestTrackableValue)))), count: count)
    }

    mutating func record(_ duration: Duration, count: Int = 1) {
        let (seconds, attoseconds) = duration.components
        record(microseconds: seconds * 1_000_000 + attoseconds / 1_000_000_000_000, count: UInt32(clamping: count))
    }
}
