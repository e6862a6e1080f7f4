import KafkaClient

/// Something that happened to a lane between its commits, for its page: what, why and when.
package struct LaneEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A step was undone, to be done again.
        case abort
        /// A new producer was made.
        case renewal
        case assigned
        case handedBack = "handed back"
        /// The group took the lane's partitions away without asking.
        case lost
        case caughtUp = "caught up"
        case storeRebuilt = "store rebuilt"
        /// An offset that the group had committed is not the one the lane goes on from.
        case offsetReset = "offset reset"
        case stalled
        case recovered
    }

    package var kind: Kind
    package var lane: Int
    /// Causes and figures, for people; may be empty.
    package var detail: String
    /// Milliseconds since 1970.
    package var time: Int64

    package init(_ kind: Kind, lane: Int, detail: String, time: Int64 = WallClock.microseconds / 1000) {
        self.kind = kind
        self.lane = lane
        self.detail = detail
        self.time = time
    }
}

/// A commit that came through.
package struct LaneCommit: Sendable, Equatable {
    package var lane: Int
    /// When it came through, in milliseconds since 1970.
    package var time: Int64
    package var milliseconds: Double
    /// Produced since the commit before.
    package var bytes: Int
    /// Question events.
    package var records: Int
}

/// A quota of a broker's holds requests back.
package struct LaneThrottle: Sendable, Equatable {
    package var broker: String
    /// By how much the broker delayed the last answer that it throttled.
    package var seconds: Double
    package var at: ContinuousClock.Instant
}

extension LaneReport {
    package static let eventsKept = 50
    package static let commitsKept = 20

    /// Takes a note of an event; for the lane's thread.
    func note(_ kind: LaneEvent.Kind, _ detail: String = "") {
        let event = LaneEvent(kind, lane: lane, detail: detail)
        update { content in
            if content.events.count >= Self.eventsKept { content.events.removeFirst() }
            content.events.append(event)
        }
    }
}
