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

    /// In the order in which a step goes through them, idleness last.
    package static let inOrderOfStep: [LaneActivity] = [
        .applyingTables, .reading, .lookup, .rendering, .producing, .committing, .waitingForInput, .other, .idle,
    ]

    /// Its name in the throughput log.
    package var field: String { "\(self)" }

    /// Its name in metrics: the field's in words of lower case.
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
