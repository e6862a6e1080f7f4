import KafkaClient

/// What a lane keeps for its report between two of them. Lane thread only.
struct LaneRecord {
    var reported = ContinuousClock.now
    var reportedCommits = 0
    /// What was reported of the partitions is not so any more.
    var isOutdated = false
    /// The partitions of the last report.
    var shownPartitions: [Int32] = []
    /// When the stores' sizes were last measured.
    var measured = ContinuousClock.now
    /// When positions and lags were last told.
    var located = ContinuousClock.now
    var hasBeenAssigned = false
    /// Since when the group has given the lane no part; nil: it has.
    var unassigned: ContinuousClock.Instant? = .now
    /// Since when an owned partition has events that do not arrive.
    var inputMissing: ContinuousClock.Instant?
    /// Since when nothing has come through because of faults.
    private(set) var trouble: ContinuousClock.Instant?
    /// The latest answer that a broker's quota held back.
    var throttle: LaneThrottle?
    /// The version of the topics' view that the lane goes by.
    var topicsSeen = 0
    var missingTopics: [String] = []
    /// When a gap in the offsets was last looked at.
    var gapsLookedAt = ContinuousClock.now
    /// What was in the way of the last try to take a partition over.
    var takeOverCause: String?

    // MARK: - Steps

    /// Durations of steps that did something, in nanoseconds.
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

    /// Those of the last commit and before, oldest first.
    private(set) var deadLetters: [DeadLetterNote] = []
    private var uncommittedDeadLetters: [DeadLetterNote] = []

    mutating func note(_ letter: DeadLetter) {
        // Twice as many, so that the oldest need not be moved out one by one.
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
