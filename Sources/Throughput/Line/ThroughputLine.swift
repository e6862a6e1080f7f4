import Worker

/// A worker's figures of one interval, or of its whole run: one line of the throughput log.
///
/// The field names in JSON are those of `Schemas/throughput-log.schema.json`; users' log collectors read them, so they
/// are never renamed. The log writes the line; `top`, `report` and the dashboard read it.
@dynamicMemberLookup
package struct ThroughputLine: Sendable, Equatable {
    /// The span of a line; the raw value is the log's message.
    package enum Kind: String, Sendable {
        case interval = "throughput"
        /// The whole run, at its end.
        case totals
    }

    /// The worker's activity in a few words, as logs had it before there were verdicts.
    package enum State: String, Sendable {
        case working
        /// No input and no work.
        case idle
        /// Some partition's tables are not caught up yet.
        case restoring
        /// Some lane has work or waits for its assignment, and committed nothing for ``MonitorOptions/commitLimit``.
        case stalled
    }

    /// The interval's end: RFC 3339, UTC, milliseconds.
    package var time: String
    /// Fields of every log line; nil where a log collector left them out.
    package var level: String? = "info"
    /// `throughput` in these lines alone.
    package var logger: String? = "throughput"
    /// `throughput` or `totals`.
    package var message: Kind
    /// The interval's length.
    package var seconds: Double
    /// Since the worker's start.
    package var uptimeSeconds: Double
    /// Rejoinder's version; empty where a log collector left it out.
    package var version: String
    /// The consumer group.
    package var group: String
    /// The worker's identity, from its state directory.
    package var worker: String
    /// At the interval's end.
    package var state: State

    /// The counters in ``Worker/LaneCounter/logged``, also readable as members of the line.
    package var counts: LaneTotals
    /// Question events a second.
    package var recordsInPerSecond: Double
    /// Bytes of question events' values a second.
    package var bytesInPerSecond: Double
    /// Enriched records a second, those of deleted questions included.
    package var recordsOutPerSecond: Double
    /// Bytes of enriched records' values a second.
    package var bytesOutPerSecond: Double
    /// By code; contains every code.
    package var deadLetters: [String: Int]
    /// The sum of ``deadLetters``.
    package var deadLettersTotal: Int

    /// At the interval's end.
    package var lag: Lag
    /// Absent in totals, and in lines of older versions.
    package var verdict: Verdict?
    /// Of all lanes together.
    package var timeShares: TimeShares
    /// From polling a question event to the acknowledgement of its output; absent without acknowledgements.
    package var latencyMs: Percentiles?
    /// From a question event's own timestamp to that acknowledgement.
    package var eventLatencyMs: Percentiles?
    /// Durations of successful commits; absent without commits.
    package var commitLatencyMs: Percentiles?
    /// Absent where no event was acknowledged.
    package var freshness: Freshness?
    /// Gauges in ``Worker/LaneGauge/allCases`` that at least one lane has, by field.
    package var gauges: [String: Double] = [:]
    /// Partitions whose position did not match the topic's log.
    package var offsetResets = 0
    /// At the interval's end.
    package var store: Store
    /// At the interval's end.
    package var process: Process
    /// By number, those of the sources last.
    package var lanes: [Lane]

    /// Records not processed yet, of the worker's partitions, at the interval's end.
    package struct Lag: Sendable, Equatable {
        /// nil until the lags of all partitions are known.
        package var total: Int64?
        /// By topic.
        package var topics: [String: Int64]
        /// The partition with the largest lag; absent without lag.
        package var largest: Partition?
        /// In order of topic and number.
        package var partitions: [Partition]
        /// How long the oldest unfinished record has waited; 0 without lag, nil: not known.
        package var seconds: Double?
        /// The age of the oldest of these figures; nil where the brokers are not asked.
        var ageSeconds: Double?
        /// Records that open transactions hold back.
        package var heldBack: [HeldBack] = []

        /// A partition's records behind an open transaction.
        package struct HeldBack: Sendable, Equatable {
            /// The topic of the open transaction's records.
            package var topic: String
            /// The partition of ``topic``.
            package var partition: Int32
            /// Offsets from ``from`` to the log's end.
            package var records: Int64
            /// The first record's offset.
            package var from: Int64
        }

        /// A topic's lag; nil while the total is nil, since partitions of any topic may be missing then.
        package func records(of topic: String) -> Int64? { total == nil ? nil : topics[topic] ?? 0 }

        /// A partition's lag.
        package struct Partition: Sendable, Equatable {
            /// An input topic, or one of the sources.
            package var topic: String
            /// The partition of ``topic``.
            package var partition: Int32
            /// Offsets between the worker's position and the log's end.
            package var records: Int64
        }
    }

    /// Acknowledged events by their own timestamps, and those of them within the freshness objective.
    package struct Freshness: Sendable, Equatable {
        /// The objective, `monitoring.objectiveMs`.
        package var objectiveMs: Int
        /// Events acknowledged within the objective.
        package var within: Int
        /// All acknowledged events with a timestamp.
        package var of: Int
    }

    /// In milliseconds.
    package struct Percentiles: Sendable, Equatable {
        /// Values measured.
        package var count: Int
        /// The median.
        package var p50: Double
        /// The value that 90 % of all values do not exceed.
        package var p90: Double
        /// The value that 99 % of all values do not exceed.
        package var p99: Double
        /// The largest value.
        package var max: Double
    }

    /// All stores of the worker together.
    package struct Store: Sendable, Equatable {
        /// Of the stores' files.
        package var bytes: Int
        /// Visible answers.
        package var answers: Int
        /// Voters' current votes that are not 0.
        package var votes: Int
        /// The number of the worker's partitions.
        package var partitions: Int
        /// Empty when every partition is caught up.
        package var restoring: [Restore]

        /// Progress of a partition's restore, in table records.
        package struct Restore: Sendable, Equatable {
            /// The partition of the questions topic, and of both tables.
            package var partition: Int32
            /// Table records read so far.
            package var done: Int64
            /// Absent until it is known.
            package var of: Int64?
            /// Since the partition was assigned.
            package var seconds: Double
        }
    }

    /// The use of memory and processors by the worker's process.
    package struct Process: Sendable, Equatable {
        /// Memory in use that is not swapped out, mapped pages of the stores included.
        package var residentBytes: Int64
        /// User and system time since the process began.
        package var cpuSeconds: Double
        /// In cores, over the interval: 1.5 is one core and a half.
        package var cpuCores: Double
    }

    /// One lane's figures.
    @dynamicMemberLookup
    package struct Lane: Sendable, Equatable {
        /// From 0; the lanes of the sources follow those of questions.
        package var lane: Int
        /// Of the input topics; empty for a lane of the sources.
        package var partitions: [Int32]
        /// The counters that exist by lane, also readable as members of the lane.
        package var counts: LaneTotals
        /// Of all codes.
        package var deadLetters: Int
        /// nil until it is known.
        package var lag: Int64?
        /// Of the lane's own time.
        package var timeShares: TimeShares
        /// The reason for the lane's current wait; absent while it runs.
        package var waitingFor: String?
        /// How long the current wait has lasted; absent while the lane runs.
        package var waitingSeconds: Double?
        /// The last error met while waiting.
        package var waitingCause: String?
        /// The topics' partitions of a lane of the sources; nil: it is one of questions.
        package var sources: [Source]?
        /// How much of the index of the sources is read before the lane works; nil: all of it.
        package var sourceIndex: IndexRestore?

        /// A topic of the sources, and the lane's partitions of it.
        package struct Source: Sendable, Equatable {
            /// A topic of the sources.
            package var topic: String
            /// In order.
            package var partitions: [Int32]
        }

        /// Progress of reading the index of the sources, in its records.
        package struct IndexRestore: Sendable, Equatable {
            /// Records read so far.
            package var done: Int64
            /// Absent until it is known.
            package var of: Int64?
            /// Since the reading began.
            package var seconds: Double
        }
    }
}

extension ThroughputLine {
    /// Makes each counter a member of the line: `line.recordsIn`.
    package subscript(dynamicMember total: WritableKeyPath<LaneTotals, Int>) -> Int {
        get { counts[keyPath: total] }
        set { counts[keyPath: total] = newValue }
    }

    /// nil: no lane has one.
    package subscript(gauge: LaneGauge) -> Double? { gauges[gauge.field] }

    /// Table records applied.
    package var answers: Int { counts.tableAnswers }
    /// Votes applied to the stores.
    package var votes: Int { counts.tableVotes }
    /// Records read from all input topics and the sources, valid or not.
    var recordsRead: Int {
        counts.recordsIn + counts.answersRead + counts.votesRead + counts.sourceRecords
    }
    /// Question events and records of the sources.
    var recordsWorkedOnPerSecond: Double {
        recordsInPerSecond + Double(counts.sourceRecords) / max(seconds, 0.001)
    }
}

extension ThroughputLine.Lane {
    /// "lane 2", "source lane 2".
    package var name: String { sources == nil ? "lane \(lane)" : "source lane \(lane)" }
    /// The number of its partitions, over all topics of a lane of the sources.
    package var partitionCount: Int { sources?.reduce(0) { $0 + $1.partitions.count } ?? partitions.count }
    /// Records worked on: question events, or records of the sources.
    package var consumed: Int { sources == nil ? counts.recordsIn : counts.sourceRecords }
    /// Enriched records, or the contract records of a lane of the sources.
    package var published: Int { sources == nil ? counts.recordsOut : counts.sourceRecordsPublished }

    /// Makes each counter a member of the lane.
    package subscript(dynamicMember total: WritableKeyPath<LaneTotals, Int>) -> Int {
        get { counts[keyPath: total] }
        set { counts[keyPath: total] = newValue }
    }
}
