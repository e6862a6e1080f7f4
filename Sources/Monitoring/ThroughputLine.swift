import Worker

/// What a worker did in one interval, or in its whole run: one line of the throughput log.
///
/// The names of its fields, in JSON, are `Schemas/throughput-log.schema.json`'s; they are read by people's log collectors and
/// never renamed. The log writes it, `top`, `report` and the dashboard read it.
@dynamicMemberLookup
package struct ThroughputLine: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case interval = "throughput"
        /// The whole run, at its end.
        case totals
    }

    package enum State: String, Sendable {
        case working
        /// Nothing was there to be done.
        case idle
        /// Some partition's tables are not caught up yet.
        case restoring
        /// Input waits, and nothing was committed for three intervals.
        case stalled
    }

    /// When the interval ended: RFC 3339, UTC, milliseconds.
    package var time: String
    /// What every line of the log has; nil where whoever handed the line on left them out.
    package var level: String? = "info"
    package var logger: String? = "throughput"
    /// `throughput` or `totals`.
    package var message: Kind
    /// The interval's length.
    package var seconds: Double
    /// Since the process began.
    package var uptimeSeconds: Double
    package var version: String
    package var group: String
    /// The worker's identity, from its state directory.
    package var worker: String
    package var state: State

    /// The counters that ``Worker/LaneCounter/logged`` names; as members of the line, too.
    package var counts: LaneTotals
    package var recordsInPerSecond: Double
    package var bytesInPerSecond: Double
    package var recordsOutPerSecond: Double
    package var bytesOutPerSecond: Double
    /// By code; every code is there.
    package var deadLetters: [String: Int]
    package var deadLettersTotal: Int

    package var lag: Lag
    /// Absent in totals, and in lines of older versions.
    package var verdict: Verdict?
    package var timeShares: TimeShares
    package var latencyMs: Percentiles?
    /// From the event's own timestamp.
    package var eventLatencyMs: Percentiles?
    package var commitLatencyMs: Percentiles?
    /// Absent where nothing was acknowledged.
    package var freshness: Freshness?
    /// The gauges of ``Worker/LaneGauge/allCases`` that some lane has, by their fields.
    package var gauges: [String: Double] = [:]
    /// Partitions whose position did not match the topic's log.
    package var offsetResets = 0
    package var store: Store
    package var process: Process
    package var lanes: [Lane]

    /// Records not worked on yet, of the partitions that the worker owns, at the interval's end.
    package struct Lag: Sendable, Equatable {
        /// nil until the lags of all partitions are known.
        package var total: Int64?
        /// By topic.
        package var topics: [String: Int64]
        /// Where most wait; absent where nothing waits.
        package var largest: Partition?
        /// In order of topic and number.
        package var partitions: [Partition]
        /// For how long the oldest record has waited that is not finished; 0 where nothing waits, nil where it is not known.
        package var seconds: Double?
        /// How old the oldest of these figures is; nil where the brokers are not asked.
        package var ageSeconds: Double?
        /// Records that open transactions keep from being read.
        package var heldBack: [HeldBack] = []

        package struct HeldBack: Sendable, Equatable {
            package var topic: String
            package var partition: Int32
            package var records: Int64
            /// The offset of the first.
            package var from: Int64
        }

        /// Of a topic; nil where the total is: of each topic some partition may be missing then.
        package func records(of topic: String) -> Int64? { total == nil ? nil : topics[topic] ?? 0 }

        package struct Partition: Sendable, Equatable {
            package var topic: String
            package var partition: Int32
            package var records: Int64
        }
    }

    /// Events that were acknowledged, by their own timestamps, and those of them that were as fresh as they are to be.
    package struct Freshness: Sendable, Equatable {
        package var objectiveMs: Int
        package var within: Int
        package var of: Int
    }

    /// In milliseconds.
    package struct Percentiles: Sendable, Equatable {
        package var count: Int
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var max: Double
    }

    package struct Store: Sendable, Equatable {
        package var bytes: Int
        /// Visible answers.
        package var answers: Int
        /// Voters' current votes that are not 0.
        package var votes: Int
        /// How many partitions the worker has.
        package var partitions: Int
        /// Empty when every partition is caught up.
        package var restoring: [Restore]

        package struct Restore: Sendable, Equatable {
            package var partition: Int32
            package var done: Int64
            /// Absent until it is known.
            package var of: Int64?
            package var seconds: Double
        }
    }

    package struct Process: Sendable, Equatable {
        package var residentBytes: Int64
        /// User and system, since the process began.
        package var cpuSeconds: Double
        /// Of one core, over the interval: 1.5 is one core and a half.
        package var cpuCores: Double
    }

    /// One lane's part.
    @dynamicMemberLookup
    package struct Lane: Sendable, Equatable {
        package var lane: Int
        package var partitions: [Int32]
        /// The counters that lanes have a part of; as members of the lane, too.
        package var counts: LaneTotals
        package var deadLetters: Int
        /// nil until it is known.
        package var lag: Int64?
        package var timeShares: TimeShares
        /// What it is held up by; absent where it is not.
        package var waitingFor: String?
        package var waitingSeconds: Double?
        /// The last error met while waiting.
        package var waitingCause: String?
    }
}

extension ThroughputLine {
    package subscript(dynamicMember total: WritableKeyPath<LaneTotals, Int>) -> Int {
        get { counts[keyPath: total] }
        set { counts[keyPath: total] = newValue }
    }

    /// Table records applied.
    package var answers: Int { counts.tableAnswers }
    package var votes: Int { counts.tableVotes }
    /// Records read of all input topics, whether they were valid.
    package var recordsRead: Int { counts.recordsIn + counts.answersRead + counts.votesRead }
}

extension ThroughputLine.Lane {
    package subscript(dynamicMember total: WritableKeyPath<LaneTotals, Int>) -> Int {
        get { counts[keyPath: total] }
        set { counts[keyPath: total] = newValue }
    }
}
