import KafkaClient

/// State that a lane keeps for its reports. Lane thread only.
struct LaneRecord {
    var reported = ContinuousClock.now
    var reportedCommits = 0
    /// The partitions have changed since the last report.
    var isOutdated = false
    /// The partitions of the last report.
    var shownPartitions: [Int32] = []
    /// When the stores' sizes were last measured.
    var measured = ContinuousClock.now
    /// When positions and lags were last reported.
    var located = ContinuousClock.now
    var hasBeenAssigned = false
    /// Time since which the lane has had no assignment; nil: it has one.
    var unassigned: ContinuousClock.Instant? = .now
    /// Time since which an owned partition has events that do not arrive.
    var inputMissing: ContinuousClock.Instant?
    /// Time since which faults have prevented every commit.
    private(set) var trouble: ContinuousClock.Instant?
    /// The latest answer that a broker's quota delayed.
    var throttle: LaneThrottle?
    /// The version of the topics' view that the lane uses.
    var topicsSeen = 0
    var missingTopics: [String] = []
    /// When a gap in the offsets was last looked at.
    var gapsLookedAt = ContinuousClock.now
    /// When the lane lost its place in the group.
    var evictions = Recurrence()
    /// Partitions that librdkafka does not fetch.
    var reads = ReadWatch()
    /// Partitions that no member of the group owns.
    var owners = OwnerWatch()
    /// The cause that stopped the last try to take a partition over.
    var takeOverCause: String?

    // MARK: - Steps

    /// Durations of steps that did work, in nanoseconds, waits for input excluded.
    private(set) var steps: [Int64] = []
    static let stepsKept = 1024
    private var stepBegan: Int64 = 0
    private var waitedBefore: Int64 = 0
    private var commitsBefore = 0
    private var hasWorked = false

    init() {
        steps.reserveCapacity(Self.stepsKept)
    }

    mutating func beginStep(_ clock: LaneClock, commits: Int) {
        stepBegan = clock.mark
        waitedBefore = clock[.idle] + clock[.waitingForInput]
        commitsBefore = commits
        hasWorked = false
    }

    mutating func noteWork() { hasWorked = true }

    mutating func endStep(_ clock: LaneClock, commits: Int) {
        guard hasWorked || commits != commitsBefore else { return }
        clock.begin(.other)
        let waited = clock[.idle] + clock[.waitingForInput] - waitedBefore
        steps.append(clock.mark - stepBegan - waited)
    }

    mutating func removeSteps() { steps.removeAll(keepingCapacity: true) }

    // MARK: - Dead letters

    /// Dead letters up to the last commit, oldest first.
    private(set) var deadLetters: [DeadLetterNote] = []
    private var uncommittedDeadLetters: [DeadLetterNote] = []

    mutating func note(_ letter: DeadLetter) {
        // Twice the kept number, so that the oldest are not moved out one by one.
        if uncommittedDeadLetters.count == 2 * LaneReport.deadLettersKept {
            uncommittedDeadLetters.removeFirst(LaneReport.deadLettersKept)
        }
        uncommittedDeadLetters.append(DeadLetterNote(letter))
    }

    // MARK: - Commits

    mutating func committed() {
        trouble = nil
        guard !uncommittedDeadLetters.isEmpty else { return }
        deadLetters = (deadLetters + uncommittedDeadLetters).suffix(LaneReport.deadLettersKept)
        uncommittedDeadLetters.removeAll(keepingCapacity: true)
    }

    mutating func aborted() { uncommittedDeadLetters.removeAll(keepingCapacity: true) }

    mutating func noteTrouble() {
        if trouble == nil { trouble = .now }
    }

    mutating func noteMissingInput() {
        if inputMissing == nil { inputMissing = .now }
    }
}
