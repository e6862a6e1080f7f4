import AnswerStore
import Enrichment
import KafkaClient

/// How far a table's partition has been worked through.
struct TableProgress {
    /// Next offset to read.
    var next: Int64 = 0
    /// The group's committed offset: what was published because of records below it is published for good.
    var committed: Int64 = 0
    /// Where reading began when the partition was taken over.
    var start: Int64 = 0
    /// End of the partition when it was taken over.
    var target: Int64 = 0
    /// Whether everything up to ``target`` is in the store.
    var isCaughtUp = false
    /// Since when the partition is said to end below ``target``: by a replica that is behind its leader, or because the log was
    /// cut. nil: it is not.
    var endsShort: ContinuousClock.Instant?
    /// Records that did not come, of late.
    var gap: OffsetGap?
    /// Dead letters of records below were published: beyond ``committed`` where changes wait to be published.
    var lettered: Int64 = 0
    /// The same as of the last commit.
    var letteredCommitted: Int64 = 0

    /// Records that there were to read at the take-over, gaps in the offsets counted.
    var toRead: Int64 { max(0, target - start) }
    /// Of those, how many have been read.
    var read: Int64 { max(0, min(next, target) - start) }

    /// The broker said that the partition ends at `offset`. An end below the target is that of a replica behind its leader
    /// (`client.rack`, a leader change), and the records up to the target are still to come.
    mutating func reachedEnd(at offset: Int64, now: ContinuousClock.Instant = .now) {
        next = max(next, offset)
        if next >= target {
            isCaughtUp = true
            endsShort = nil
        } else if endsShort == nil {
            endsShort = now
        }
    }

    /// Takes the leader's word on where a partition ends whose end was said to be below the target.
    /// - Returns: whether the log was cut: it ends below the target, which is lowered to there.
    mutating func leaderEnds(at offset: Int64, now: ContinuousClock.Instant = .now) -> Bool {
        guard !isCaughtUp, endsShort != nil else { return false }
        guard offset < target else {
            endsShort = now
            return false
        }
        endsShort = nil
        target = offset
        isCaughtUp = next >= target
        return true
    }

    /// The offset to commit; nil: the one that is committed stays. Below it a table is only read again to fill a store.
    /// - Parameters:
    ///   - isRefresh: commit what is committed again.
    ///   - held: the offset may not go beyond it, as changes from there on are not published.
    func offsetToCommit(isRefresh: Bool, held: Int64? = nil) -> Int64? {
        let reached = min(next, held ?? next)
        if reached > committed { return reached }
        // What is committed beside the offset changes.
        if lettered > letteredCommitted, lettered > committed { return committed }
        return isRefresh && committed > 0 ? committed : nil
    }

    /// What is committed beside the offset; nil: nothing.
    func note(of offset: Int64) -> String? { lettered > offset ? OffsetNote.text(letters: lettered) : nil }

    /// The offsets that can be committed were.
    mutating func hasCommitted(held: Int64?) {
        committed = max(committed, min(next, held ?? next))
        letteredCommitted = max(lettered, committed)
        lettered = letteredCommitted
    }
}

/// How far a partition of the questions has been worked through. Offsets are nil until the first event.
struct QuestionProgress {
    /// Offset of the first event since the partition was taken over: where to go back to when nothing is committed. nil:
    /// none was handed out, so there is nothing to go back from.
    var first: Int64?
    /// Next offset to work on.
    var next: Int64?
    /// Next offset as last committed, by us or by whoever had the partition before.
    var committed: Int64?
    /// Where the partition began and ended when it was taken over.
    var span: (low: Int64, high: Int64) = (0, 0)
    /// Whether the broker said that there is no more, and nothing has come since.
    var isAtEnd = false
    /// Events that did not come, of late.
    var gap: OffsetGap?

    /// An event came at `offset`.
    @inline(__always)
    mutating func noteGap(before offset: Int64) {
        if let next, offset > next { gap = OffsetGap(from: next, to: offset) }
    }
}

/// A partition number that this lane owns: its questions, and the store of its answers and votes. Lane thread only.
final class OwnedPartition {
    /// Questions are paused until the partition is `running`: none is enriched from a half-loaded table.
    enum Phase {
        /// The follower brings the store up to the tables' ends as of the take-over.
        case restoring(since: ContinuousClock.Instant, records: Int)
        case running
    }

    let number: Int32
    let store: AnswerStore
    /// When the group gave it to the lane.
    let assigned: ContinuousClock.Instant
    /// What the current step changes in the store.
    let changes: TableBatch
    /// nil: published records do not follow changes.
    let live: LivePartition?
    var phase = Phase.restoring(since: .now, records: 0)
    var questions = QuestionProgress()
    var answers = TableProgress()
    var votes = TableProgress()
    /// The committed offsets as they were last noted, of the questions and of each table, and when; nil: not yet.
    var noted: (offsets: [Int64?], time: ContinuousClock.Instant)?

    init(
        number: Int32, store: AnswerStore, assigned: ContinuousClock.Instant = .now, live: LivePartition? = nil
    ) {
        self.number = number
        self.store = store
        self.assigned = assigned
        self.live = live
        changes = TableBatch(isStamped: live != nil)
        store.waiting = live?.waiting
        store.areChangesCertain = live != nil
    }

    var isRunning: Bool {
        if case .running = phase { true } else { false }
    }

    /// Whether everything has been read that the store is to hold before the first event.
    var isCaughtUp: Bool { answers.isCaughtUp && votes.isCaughtUp && live?.isRestored ?? true }

    subscript(table: Table) -> TableProgress {
        get { table == .answers ? answers : votes }
        set { if table == .answers { answers = newValue } else { votes = newValue } }
    }

    /// The store's own position in a table.
    func applied(_ table: Table) -> Int64 {
        table == .answers ? store.positions.answers : store.positions.votes
    }

    /// Goes back to what is committed, after an abort: below it nothing is published again, and what is in the store
    /// already is not applied again.
    /// - Parameter lettered: up to where dead letters were published, if it is beyond.
    func rewind(_ table: Table, committed: Int64, lettered: Int64? = nil) {
        // Beyond both can only be what was committed of a topic that has been created anew since. Not beyond `next`
        // alone: while a lost store is filled again, `next` is below what has long been published.
        let published = min(committed, max(self[table].next, self[table].target))
        self[table].committed = published
        self[table].lettered = max(published, min(lettered ?? 0, max(self[table].next, self[table].target)))
        self[table].letteredCommitted = self[table].lettered
        self[table].next = min(self[table].next, published, applied(table))
    }
}

/// The partitions a lane owns, found by number without hashing.
struct OwnedPartitions {
    private var slots: [OwnedPartition?] = []
    /// In order of their numbers.
    private(set) var all: [OwnedPartition] = []

    subscript(number: Int32) -> OwnedPartition? {
        get {
            let index = Int(number)
            return index >= 0 && index < slots.count ? slots[index] : nil
        }
        set {
            let index = Int(number)
            guard index >= 0 else { return }
            while slots.count <= index { slots.append(nil) }
            slots[index] = newValue
            all = slots.compactMap { $0 }
        }
    }
}
