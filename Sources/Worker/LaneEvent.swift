import KafkaClient

/// An event of a lane's life between commits, for the lane's page: kind, cause and time.
package struct LaneEvent: Sendable, Equatable {
    /// The event's kind; the raw value is its name on the lane's page.
    package enum Kind: String, Sendable, CaseIterable {
        /// A step was undone and will be repeated.
        case abort
        /// A new producer was made.
        case renewal
        case assigned
        case handedBack = "handed back"
        /// The group took the lane's partitions away without a revoke.
        case lost
        case caughtUp = "caught up"
        case storeRebuilt = "store rebuilt"
        /// The lane does not go on from an offset that the group had committed.
        case offsetReset = "offset reset"
        case stalled
        case recovered
    }

    /// The event's kind.
    package var kind: Kind
    /// The lane's number.
    package var lane: Int
    /// Causes and figures, for people; may be empty.
    package var detail: String
    /// Milliseconds since 1970.
    package var time: Int64

    /// - Parameters:
    ///   - detail: causes and figures, for people; may be empty.
    ///   - time: milliseconds since 1970; by default now.
    package init(_ kind: Kind, lane: Int, detail: String, time: Int64 = WallClock.microseconds / 1000) {
        self.kind = kind
        self.lane = lane
        self.detail = detail
        self.time = time
    }
}

/// A successful commit.
package struct LaneCommit: Sendable, Equatable {
    /// The lane's number.
    package var lane: Int
    /// Its end, in milliseconds since 1970.
    package var time: Int64
    /// The time that the commit took.
    package var milliseconds: Double
    /// Bytes produced since the commit before.
    package var bytes: Int
    /// Question events.
    package var records: Int
}

/// A broker's quota holds requests back.
package struct LaneThrottle: Sendable, Equatable {
    /// The broker's name, as librdkafka has it.
    package var broker: String
    /// Delay of the last answer that the broker throttled.
    package var seconds: Double
    /// The moment of that answer.
    package var at: ContinuousClock.Instant
}

extension LaneReport {
    /// The number of latest events that a report keeps.
    package static let eventsKept = 50
    /// The number of latest commits that a report keeps.
    package static let commitsKept = 20

    /// Notes an event; called on the lane's thread.
    func note(_ kind: LaneEvent.Kind, _ detail: String = "") {
        let event = LaneEvent(kind, lane: lane, detail: detail)
        update { content in
            if content.events.count >= Self.eventsKept { content.events.removeFirst() }
            content.events.append(event)
        }
    }
}
