/// Activities of a lane's thread. Every moment of a lane's life belongs to exactly one.
package enum LaneActivity: Int, CaseIterable, Sendable {
    /// Nothing to do: every owned partition is read to its end, or no partition is owned.
    case idle
    /// Input at the broker has not arrived yet.
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
    /// Everything else: rebalances, take-overs, rests after faults, reports.
    case other

    /// In the order of a step, idleness last.
    package static let inOrderOfStep: [LaneActivity] = [
        .applyingTables, .reading, .lookup, .rendering, .producing, .committing, .waitingForInput, .other, .idle,
    ]

    /// Its name in the throughput log.
    package var field: String { "\(self)" }

    /// Its name in metrics: ``field`` in snake case.
    package var label: String {
        field.reduce(into: "") { label, letter in
            label += letter.isUppercase ? "_" + letter.lowercased() : String(letter)
        }
    }

    /// For people.
    package var title: String {
        switch self {
        case .idle: "idle"
        case .waitingForInput: "waiting for input"
        case .reading: "reading"
        case .lookup: "lookup"
        case .rendering: "rendering"
        case .producing: "producing"
        case .committing: "committing"
        case .applyingTables: "applying tables"
        case .other: "other"
        }
    }

    /// For narrow columns.
    package var shortTitle: String {
        switch self {
        case .waitingForInput: "input"
        case .reading: "read"
        case .rendering: "render"
        case .producing: "produce"
        case .committing: "commit"
        case .applyingTables: "tables"
        case .idle, .lookup, .other: title
        }
    }
}

/// Nanoseconds by activity since the lane began: monotonic.
package struct LaneTimes: Sendable, Equatable {
    /// By the raw value of ``LaneActivity``.
    package private(set) var nanoseconds: [Int64] = Array(repeating: 0, count: LaneActivity.allCases.count)

    /// All 0.
    package init() {}

    /// Nanoseconds of one activity.
    package subscript(activity: LaneActivity) -> Int64 {
        get { nanoseconds[activity.rawValue] }
        set { nanoseconds[activity.rawValue] = newValue }
    }

    /// Nanoseconds of all activities: the lane's age, as of its last report.
    package var total: Int64 { nanoseconds.reduce(0, +) }
}
