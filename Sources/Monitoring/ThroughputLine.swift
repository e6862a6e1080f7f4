/// What a worker did in one interval, or in its whole run: one line of the throughput log.
///
/// The names of its fields, in JSON, are `Schemas/throughput-log.schema.json`'s; they are read by people's log collectors and
/// never renamed. The log writes it, `top`, `report` and the dashboard read it.
package struct ThroughputLine: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable {
        case interval = "throughput"
        /// The whole run, at its end.
        case totals
    }

    package enum State: String, Codable, Sendable {
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

    package var recordsIn: Int
    package var bytesIn: Int
    package var recordsOut: Int
    package var bytesOut: Int
    package var recordsInPerSecond: Double
    package var bytesInPerSecond: Double
    package var recordsOutPerSecond: Double
    package var bytesOutPerSecond: Double
    /// Table records applied.
    package var answers: Int
    package var votes: Int
    package var answersAttached: Int
    package var answersOmitted: Int
    package var questionsWithoutAnswers: Int
    /// By code; every code is there.
    package var deadLetters: [String: Int]
    package var deadLettersTotal: Int

    package var lag: Lag
    package var timeShares: TimeShares
    package var latencyMs: Percentiles?
    /// From the event's own timestamp.
    package var eventLatencyMs: Percentiles?
    package var commitLatencyMs: Percentiles?
    package var commits: Int
    package var aborts: Int
    package var rebalances: Int
    package var store: Store
    package var process: Process
    package var lanes: [Lane]

    /// Records not worked on yet, of the partitions that the worker owns, at the interval's end.
    package struct Lag: Codable, Sendable, Equatable {
        /// nil until the lags of all partitions are known.
        package var total: Int64?
        /// By topic.
        package var topics: [String: Int64]
        /// Where most wait; absent where nothing waits.
        package var largest: Partition?
        /// In order of topic and number.
        package var partitions: [Partition]

        /// Of a topic; nil where the total is: of each topic some partition may be missing then.
        package func records(of topic: String) -> Int64? { total == nil ? nil : topics[topic] ?? 0 }

        package struct Partition: Codable, Sendable, Equatable {
            package var topic: String
            package var partition: Int32
            package var records: Int64
        }
    }

    /// Where the lanes' time went; they add up to 1.
    package struct TimeShares: Codable, Sendable, Equatable {
        package var idle: Double
        package var waitingForInput: Double
        package var reading: Double
        package var lookup: Double
        package var rendering: Double
        package var producing: Double
        package var committing: Double
        package var applyingTables: Double
        package var other: Double
    }

    /// In milliseconds.
    package struct Percentiles: Codable, Sendable, Equatable {
        package var count: Int
        package var p50: Double
        package var p90: Double
        package var p99: Double
        package var max: Double
    }

    package struct Store: Codable, Sendable, Equatable {
        package var bytes: Int
        /// Visible answers.
        package var answers: Int
        /// Voters' current votes that are not 0.
        package var votes: Int
        /// How many partitions the worker has.
        package var partitions: Int
        /// Empty when every partition is caught up.
        package var restoring: [Restore]

        package struct Restore: Codable, Sendable, Equatable {
            package var partition: Int32
            package var done: Int64
            /// Absent until it is known.
            package var of: Int64?
            package var seconds: Double
        }
    }

    package struct Process: Codable, Sendable, Equatable {
        package var residentBytes: Int64
        /// User and system, since the process began.
        package var cpuSeconds: Double
        /// Of one core, over the interval: 1.5 is one core and a half.
        package var cpuCores: Double
    }

    /// One lane's part.
    package struct Lane: Codable, Sendable, Equatable {
        package var lane: Int
        package var partitions: [Int32]
        package var recordsIn: Int
        package var recordsOut: Int
        package var answers: Int
        package var votes: Int
        package var deadLetters: Int
        package var commits: Int
        package var aborts: Int
        /// nil until it is known.
        package var lag: Int64?
        package var timeShares: TimeShares
        /// What it is held up by; absent where it is not.
        package var waitingFor: String?
        package var waitingSeconds: Double?
    }
}
