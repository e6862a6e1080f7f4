import AnswerStore
import Histogram
import KafkaClient
import Synchronization

/// How far a lane is behind in one partition.
package struct PartitionLag: Sendable, Equatable {
    /// Records that an open transaction keeps from being read.
    package struct HeldBack: Sendable, Equatable {
        package var records: Int64
        /// The first of them.
        package var from: Int64

        package init(records: Int64, from: Int64) {
            self.records = records
            self.from = from
        }
    }

    package var place: TopicPartition
    /// Records behind the lane's position.
    package var records: Int64
    /// The lane's position: the offset of the oldest record that it has not worked on; nil: not told.
    package var next: Int64?
    /// For how long that record has waited; nil: not known.
    package var seconds: Double?
    /// How old the end is that `records` is counted to, in seconds; nil: as old as the lane's last fetch.
    package var age: Double?
    package var heldBack: HeldBack?

    package init(place: TopicPartition, records: Int64, next: Int64? = nil) {
        self.place = place
        self.records = records
        self.next = next
    }
}

/// Questions of a lane that wait to be published again, where published records follow changes.
package struct WaitingFigures: Sendable, Equatable {
    package var questions: Int
    /// Since when the first of them has waited; nil: none waits.
    package var since: ContinuousClock.Instant?
    /// `publish.coalesceMs`.
    package var coalesce: Duration

    package init(questions: Int, since: ContinuousClock.Instant?, coalesce: Duration) {
        self.questions = questions
        self.since = since
        self.coalesce = coalesce
    }
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
        /// Of a lane of the sources; nil: it is one of questions.
        package var sources: SourceFigures?
        /// The partitions that are not worked on yet.
        package var restores: [RestoreProgress] = []
        /// What the lane is held up by, if it is.
        package var wait: LaneWait?
        /// The questions whose changes are not published yet; nil: published records do not follow changes.
        package var waiting: WaitingFigures?
        /// When a commit last came through.
        package var committed: ContinuousClock.Instant?
        /// Since when something waits to be committed; nil: nothing does.
        package var uncommittedSince: ContinuousClock.Instant?
        /// Whether the group has given the lane its part of the partitions, which may be none.
        package var hasBeenAssigned = false
        /// Of the worker's five topics those that do not exist any more.
        package var missingTopics: [String] = []
        /// The lane's thread is over; nothing of this changes any more.
        package var hasEnded = false
        /// The latest dead letters, oldest first; at most ``LaneReport/deadLettersKept``.
        package var deadLetters: [DeadLetterNote] = []
        /// What happened lately, oldest first; at most ``LaneReport/eventsKept``.
        package var events: [LaneEvent] = []
        /// The latest commits, oldest first; at most ``LaneReport/commitsKept``.
        package var commits: [LaneCommit] = []
        /// The latest answer that a broker's quota held back.
        package var throttle: LaneThrottle?
        /// When the lane last turned.
        package var turned = ContinuousClock.now
        /// Up to when ``times`` are told; nil: up to when the lane turned.
        package internal(set) var timed: ContinuousClock.Instant?
        /// What the lane has been doing since it last published ``times``, where that is one thing only.
        var busy: Busy?

        /// Whether something has to be brought up before the lane works: a partition's tables, or the index of the sources.
        package var isRestoring: Bool { !restoring.isEmpty || sources?.index != nil }

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
    private let content: Mutex<Content>

    package init(lane: Int, isOfSources: Bool = false) {
        self.lane = lane
        var content = Content()
        if isOfSources { content.sources = SourceFigures() }
        self.content = Mutex(content)
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
