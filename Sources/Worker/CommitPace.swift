/// Decides when a lane commits and how long it waits for input.
///
/// Under load a commit is due once per interval, or earlier when the produced bytes might not be acknowledged within
/// the transaction's timeout. When the input runs dry it is due at once, so that an idle system has low latency.
struct CommitPace {
    /// Longest wait in milliseconds: then an idle lane looks at its tables and at the stop signal. A look costs a tenth
    /// of a millisecond of CPU time.
    private static let longestWait: Int32 = 50
    /// Shortest wait in milliseconds: events that follow each other within it share a commit.
    static let shortestWait: Int32 = 1

    private let interval: Duration
    private let maxBytes: Int
    /// Bytes at which a commit is due; lowered while commits fail, raised again while they succeed.
    private var byteLimit: Int
    private(set) var firstUncommitted: ContinuousClock.Instant?
    private var idleTurns: Int32 = 0
    private var failures = 0

    /// Records that wait for the next commit, by the batch that they were polled in. A batch counts as far as it is
    /// done: its rest comes with a later commit.
    private(set) var batches: [(polled: ContinuousClock.Instant, records: Int)] = []
    /// When the current batch was polled.
    private var polled = ContinuousClock.now
    /// Whether the last gathering ended because the input ran dry.
    var ranDry = true

    init(interval: Duration, maxBytes: Int) {
        self.interval = interval
        self.maxBytes = maxBytes
        byteLimit = maxBytes
        batches.reserveCapacity(1024)
    }

    /// Milliseconds to wait for the first event of a batch.
    mutating func wait(uncommitted: Bool, restoring: Bool) -> Int32 {
        // While a store is restored the follower's wait is the lane's rest.
        if restoring { return 0 }
        if uncommitted { return Self.shortestWait }
        idleTurns = min(idleTurns + 1, Self.longestWait)
        return idleTurns
    }

    /// Notes that a batch was polled.
    mutating func gathered() {
        idleTurns = 0
        note()
        polled = .now
    }

    /// Notes records of the batch that are ready to be committed.
    mutating func worked(records: Int) {
        guard records > 0 else { return }
        if let last = batches.indices.last, batches[last].polled == polled {
            batches[last].records += records
        } else {
            batches.append((polled, records))
        }
    }

    /// Notes that the tables change: the lane looks at them again soon.
    mutating func tablesMoved() { idleTurns = 0 }

    /// Notes work that needs a commit.
    mutating func note() {
        if firstUncommitted == nil { firstUncommitted = .now }
    }

    func isDue(produced: Bool, bytes: Int) -> Bool {
        guard let firstUncommitted else { return false }
        return (ranDry && produced) || isFull(bytes: bytes) || .now - firstUncommitted >= interval
    }

    /// Whether work has waited for its commit for so long that its transaction should not stay open.
    var isOld: Bool { firstUncommitted.map { .now - $0 >= max(interval, .milliseconds(500)) } ?? false }

    /// Whether a commit must come before the next record. Called for every record, so it reads no clock.
    func isFull(bytes: Int) -> Bool { bytes >= byteLimit }

    mutating func committed() {
        firstUncommitted = nil
        batches.removeAll(keepingCapacity: true)
        failures = 0
        byteLimit = min(maxBytes, byteLimit * 2)
    }

    /// - Returns: the rest before the work is repeated.
    mutating func failed() -> Duration {
        firstUncommitted = nil
        batches.removeAll(keepingCapacity: true)
        byteLimit = max(1 << 16, byteLimit / 4)
        failures = min(failures + 1, 6)
        return .milliseconds(50 << failures)
    }
}
