import Histogram
import KafkaClient
import Records
import Synchronization

/// What a lane has done since it began. Totals only ever grow; rates are the reader's matter.
///
/// Records that were read and what came of them are counted when they are committed, so that one which is done again after an
/// abort counts once; what is applied to the stores, when it is.
package struct LaneTotals: Sendable, Equatable {
    package var recordsIn = 0
    package var bytesIn = 0
    package var recordsOut = 0
    package var bytesOut = 0
    package var answersAttached = 0
    package var questionsWithoutAnswers = 0
    package var answersOmitted = 0
    /// Applied to the stores.
    package var tableAnswers = 0
    package var tableVotes = 0
    package var tableBytes = 0
    /// Read from the tables' topics, whether they were valid and whether the store had them already.
    package var answersRead = 0
    package var votesRead = 0
    package var answerBytesRead = 0
    package var voteBytesRead = 0
    package var deadLetters = DeadLetterCounts()
    package var commits = 0
    package var aborts = 0
    package var rebalances = 0

    package init() {}

    /// Takes back what was done since these totals and is void now.
    mutating func takeBack(to committed: LaneTotals) {
        recordsIn = committed.recordsIn
        bytesIn = committed.bytesIn
        recordsOut = committed.recordsOut
        bytesOut = committed.bytesOut
        answersAttached = committed.answersAttached
        questionsWithoutAnswers = committed.questionsWithoutAnswers
        answersOmitted = committed.answersOmitted
        answersRead = committed.answersRead
        votesRead = committed.votesRead
        answerBytesRead = committed.answerBytesRead
        voteBytesRead = committed.voteBytesRead
        deadLetters = committed.deadLetters
    }
}

/// Dead letters by code.
package struct DeadLetterCounts: Sendable, Equatable {
    package private(set) var byCode: [Int] = Array(repeating: 0, count: RecordErrorCode.allCases.count)

    package init() {}

    package subscript(code: RecordErrorCode) -> Int {
        get { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] }
        set { byCode[RecordErrorCode.allCases.firstIndex(of: code) ?? 0] = newValue }
    }

    package var total: Int { byCode.reduce(0, +) }
}

/// How far a lane is behind in one partition.
package struct PartitionLag: Sendable, Equatable {
    package var place: TopicPartition
    package var records: Int64
}

/// A lane's state as others may see it: published by the lane after each commit and now and then when idle, read by
/// whoever watches. The one thing a lane shares; its lock is taken once a step, never once a record.
package final class LaneReport: Sendable {
    package struct Content: Sendable {
        package var totals = LaneTotals()
        package var lags: [PartitionLag] = []
        package var partitions: [Int32] = []
        package var restoring: [Int32] = []
        /// Where the lane's time went.
        package var times = LaneTimes()
        /// From a record's poll to the acknowledgement of what came of it, in microseconds, since the last `take`.
        package var latency = LaneReport.durations
        /// From a record's own timestamp to the acknowledgement of what came of it, in microseconds, since the last `take`.
        package var eventLatency = LaneReport.durations
        /// Of commits that came through, in microseconds, since the last `take`.
        package var commitLatency = LaneReport.durations
        /// Of steps that did something, their waits for input left out, in microseconds, since the last `take`.
        package var steps = LaneReport.durations
        package var stores: [StoreFigures] = []
        /// The partitions that are not worked on yet.
        package var restores: [RestoreProgress] = []
        /// What the lane is held up by, if it is.
        package var wait: LaneWait?
        /// When a commit last came through.
        package var committed: ContinuousClock.Instant?
        /// Since when something waits to be committed; nil: nothing does.
        package var uncommittedSince: ContinuousClock.Instant?
        /// Whether the group has given the lane its part of the partitions, which may be none.
        package var hasBeenAssigned = false
        /// The lane's thread is over; nothing of this changes any more.
        package var hasEnded = false
        /// The latest dead letters, oldest first; at most ``LaneReport/deadLettersKept``.
        package var deadLetters: [DeadLetterNote] = []
        /// When the lane last turned.
        package var turned = ContinuousClock.now
        /// Up to when ``times`` are told; nil: up to when the lane turned.
        package internal(set) var timed: ContinuousClock.Instant?
        /// What the lane has been doing since it last published ``times``, where that is one thing only.
        var busy: Busy?

        /// As of now: a call that holds the lane up counts as long as it has lasted.
        fileprivate mutating func bringUpToDate() {
            guard let busy else { return }
            let now = ContinuousClock.now
            times[busy.activity] += max(0, Int64((now - busy.since) / .nanoseconds(1)))
            timed = now
            // A restore, say, is a row of short calls, and what is waited for is the restore.
            if let standing = busy.standing, let call = wait, now - call.since < Self.longCall { wait = standing }
        }

        private static let longCall = Duration.seconds(1)
    }

    struct Busy: Sendable {
        var activity: LaneActivity
        var since: ContinuousClock.Instant
        /// What the lane was held up by before.
        var standing: LaneWait?
    }

    package static let deadLettersKept = 20

    /// Microseconds up to a year, two digits: what is read again long after it was written has a place, too.
    package static var durations: Histogram<UInt32> {
        Histogram(highestTrackableValue: 32_000_000_000_000, numberOfSignificantValueDigits: .two)
    }

    package let lane: Int
    private let content = Mutex(Content())

    package init(lane: Int) {
        self.lane = lane
    }

    func update(_ change: (inout Content) -> Void) {
        content.withLock { change(&$0) }
    }

    /// What is there now.
    package var current: Content {
        var current = content.withLock { $0 }
        current.bringUpToDate()
        return current
    }

    /// What is there now; the latencies begin anew.
    package func take() -> Content {
        var taken = content.withLock { content in
            let taken = content
            content.latency.reset()
            content.eventLatency.reset()
            content.commitLatency.reset()
            content.steps.reset()
            return taken
        }
        taken.bringUpToDate()
        return taken
    }
}
