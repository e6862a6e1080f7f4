/// What a lane's thread does with its time. Every moment of a lane's life belongs to exactly one of these.
package enum LaneActivity: Int, CaseIterable, Sendable {
    /// Nothing is there to be done: every owned partition has been read to its end, or no partition is owned.
    case idle
    /// There is input at the broker that has not arrived yet.
    case waitingForInput
    /// Taking events from librdkafka and checking their bytes.
    case reading
    /// Finding the stored answers and tallies.
    case lookup
    /// Making the enriched bytes.
    case rendering
    /// Handing records to the producer, waits for room in its queue included.
    case producing
    /// Waiting for the broker to make a commit final, aborts and retries included.
    case committing
    /// Reading answers and votes and writing them to the stores.
    case applyingTables
    /// All else: rebalances, take-overs, rests after faults, reports.
    case other
}

/// Nanoseconds by activity since the lane began; they only ever grow.
package struct LaneTimes: Sendable, Equatable {
    package private(set) var nanoseconds: [Int64] = Array(repeating: 0, count: LaneActivity.allCases.count)

    package init() {}

    package subscript(activity: LaneActivity) -> Int64 {
        get { nanoseconds[activity.rawValue] }
        set { nanoseconds[activity.rawValue] = newValue }
    }

    package var total: Int64 { nanoseconds.reduce(0, +) }
}
