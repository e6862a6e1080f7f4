import AnswerStore
import Histogram
import KafkaClient
import Synchronization

/// How far a lane is behind in one partition.
package struct PartitionLag: Sendable, Equatable {
    /// Records that an open transaction keeps from being read.
    package struct HeldBack: Sendable, Equatable {
        /// Offsets from ``from`` to the log's end, markers of transactions included.
        package var records: Int64
        /// The first of them.
        package var from: Int64

        /// - Parameter from: the last stable offset.
        package init(records: Int64, from: Int64) {
            self.records = records
            self.from = from
        }
    }

    /// A partition of an input topic or of a source.
    package var place: TopicPartition
    /// Records from the lane's position to the end.
    package var records: Int64
    /// The lane's position: the offset of the oldest record that it has not worked on; nil: not known.
    package var next: Int64?
    /// For how long that record has waited; nil: not known.
    package var seconds: Double?
    /// Age of the end that `records` is counted to, in seconds; nil: as old as the lane's last fetch.
    package var age: Double?
    /// nil: no open transaction keeps the lane from the end, as far as is known.
    package var heldBack: HeldBack?

    /// - Parameter next: nil: the lane's position is not known.
    package init(place: TopicPartition, records: Int64, next: Int64? = nil) {
        self.place = place
        self.records = records
        self.next = next
    }
}

/// Questions of a lane that wait to be published again, where published records follow changes.
package struct WaitingFigures: Sendable, Equatable {
    /// Questions with an unpublished change.
    package var questions: Int
    /// Since when the first of them has waited; nil: none waits.
    package var since: ContinuousClock.Instant?
    /// `publish.coalesceMs`.
    package var coalesce: Duration

    /// - Parameter since: nil: no question waits.
    package init(questions: Int, since: ContinuousClock.Instant?, coalesce: Duration) {
        self.questions = questions
        self.since = since
        self.coalesce = coalesce
    }
}

/// A lane's state for other threads: published after each commit, and now and then when idle. Its lock is taken a few
/// times a step, never once a record.
package final class LaneReport: Sendable {
    /// A copy of the state, for the thread that asked.
    package struct Content: Sendable {
        /// Counts since the lane began.
        package var totals = LaneTotals()
        /// By partition of each input topic, or of each source.
        package var lags: [PartitionLag] = []
        /// Partitions with an open store, those being restored included.
        package var partitions: [Int32] = []
        /// Assigned partitions whose questions are not worked on yet, as their tables are not caught up.
        package var restoring: [Int32] = []
        /// The lane's time by activity.
        package var times = LaneTimes()
        /// Microseconds from a record's poll to the commit of its outputs, since the last `take`.
        package var latency = LaneReport.durations
        /// Microseconds from a record's own timestamp to the commit of its outputs, since the last `take`.
        package var eventLatency = LaneReport.durations
        /// Durations of successful commits in microseconds, since the last `take`.
        package var commitLatency = LaneReport.durations
        /// Durations of steps that did work, without their waits for input, in microseconds, since the last `take`.
        package var steps = LaneReport.durations
        /// The open stores.
        package var stores: [StoreFigures] = []
        /// nil: a question lane.
        package var sources: SourceFigures?
        /// Assigned partitions whose questions are not worked on yet.
        package var restores: [RestoreProgress] = []
        /// Input partitions that the lane has no position in yet, since their take-over has not succeeded: the group's
        /// committed offset stands in.
        package var takingOver: [TopicPartition] = []
        /// The current wait; nil: there is none.
        package var wait: LaneWait?
        /// The questions whose changes are not published yet; nil: published records do not follow changes.
        package var waiting: WaitingFigures?
        /// When a commit last succeeded.
        package var committed: ContinuousClock.Instant?
        /// Since when work waits to be committed; nil: none does.
        package var uncommittedSince: ContinuousClock.Instant?
        /// Whether the group has assigned the lane its partitions, perhaps none.
        package var hasBeenAssigned = false
        /// Those of the worker's five topics that do not exist any more.
        package var missingTopics: [String] = []
        /// The lane's thread has ended; this state is final.
        package var hasEnded = false
        /// The latest dead letters, oldest first; at most ``LaneReport/deadLettersKept``.
        package var deadLetters: [DeadLetterNote] = []
        /// The latest events of the lane, oldest first; at most ``LaneReport/eventsKept``.
        package var events: [LaneEvent] = []
        /// The latest commits, oldest first; at most ``LaneReport/commitsKept``.
        package var commits: [LaneCommit] = []
        /// The latest answer that a broker's quota held back.
        package var throttle: LaneThrottle?
        /// When the lane last turned.
        package var turned = ContinuousClock.now
        /// The moment up to which ``times`` count; nil: ``turned``.
        package internal(set) var timed: ContinuousClock.Instant?
        /// The lane's activity since it last published ``times``; nil: not known, or more than one.
        var busy: Busy?

        /// Whether the lane waits for a restore: of a partition's tables, or of the sources' index.
        package var isRestoring: Bool { !restoring.isEmpty || sources?.index != nil }

        /// Adds the time of a call that still holds the lane up.
        fileprivate mutating func bringUpToDate() {
            guard let busy else { return }
            let now = ContinuousClock.now
            times[busy.activity] += max(0, Int64((now - busy.since) / .nanoseconds(1)))
            timed = now
            // A restore, for example, is a series of short calls, and the wait is for the restore.
            if let standing = busy.standing, let call = wait, now - call.since < Self.longCall { wait = standing }
        }

        private static let longCall = Duration.seconds(1)
    }

    struct Busy: Sendable {
        var activity: LaneActivity
        var since: ContinuousClock.Instant
        /// The wait that held the lane up before.
        var standing: LaneWait?
    }

    /// The number of latest dead letters that a report keeps.
    package static let deadLettersKept = 20

    /// Microseconds up to a year, two digits: records read again long after they were written fit, too.
    package static var durations: Histogram<UInt32> {
        Histogram(highestTrackableValue: 32_000_000_000_000, numberOfSignificantValueDigits: .two)
    }

    /// The lane's number, from 0; the lanes of the sources follow those of questions.
    package let lane: Int
    private let content: Mutex<Content>

    /// - Parameter isOfSources: whether the lane works on sources instead of questions.
    package init(lane: Int, isOfSources: Bool = false) {
        self.lane = lane
        var content = Content()
        if isOfSources { content.sources = SourceFigures() }
        self.content = Mutex(content)
    }

    func update(_ change: (inout Content) -> Void) {
        content.withLock { change(&$0) }
    }

    /// The state as of now.
    package var current: Content {
        var current = content.withLock { $0 }
        current.bringUpToDate()
        return current
    }

    /// The state as of now; resets the latencies.
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
