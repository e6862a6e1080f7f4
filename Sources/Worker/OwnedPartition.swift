import AnswerStore
import Enrichment
import KafkaClient

/// Progress through a partition of a table.
struct TableProgress {
    /// The way to the partition's end as of the take-over, and on from there.
    var catchUp: CatchUp
    /// The group's committed offset: records and dead letters that came of table records below it are published for
    /// good.
    var committed: Int64
    /// The latest gap in the offsets that were read.
    var gap: OffsetGap?
    /// Dead letters of records below this offset are published: beyond ``committed`` where changes wait to be
    /// published.
    var lettered: Int64
    /// ``lettered`` as of the last commit.
    var letteredCommitted: Int64

    init(_ catchUp: CatchUp = CatchUp(), committed: Int64 = 0, lettered: Int64 = 0) {
        (self.catchUp, self.committed, self.lettered) = (catchUp, committed, lettered)
        letteredCommitted = lettered
    }

    /// Next offset to read.
    var next: Int64 {
        get { catchUp.next }
        set { catchUp.next = newValue }
    }

    /// The offset to commit; nil: the committed one stays. Below it a table is only read again to fill a store.
    /// - Parameters:
    ///   - isRefresh: commits the committed offset again.
    ///   - held: limit of the offset: changes from there on are not published.
    func offsetToCommit(isRefresh: Bool, held: Int64? = nil) -> Int64? {
        let reached = min(next, held ?? next)
        if reached > committed { return reached }
        // The offset's metadata changes.
        if lettered > letteredCommitted, lettered > committed { return committed }
        return isRefresh && committed > 0 ? committed : nil
    }

    /// The metadata to commit with the offset; nil: none.
    func note(of offset: Int64) -> String? { lettered > offset ? OffsetNote.text(letters: lettered) : nil }

    /// Notes that the offsets which could be committed are committed.
    mutating func hasCommitted(held: Int64?) {
        committed = max(committed, min(next, held ?? next))
        letteredCommitted = max(lettered, committed)
        lettered = letteredCommitted
    }
}

/// Progress through a partition of the questions. Offsets are nil until the first event.
struct QuestionProgress {
    /// Offset of the first event since the take-over: the offset to go back to when nothing is committed. nil: no event
    /// was handed out, so there is nothing to go back from.
    var first: Int64?
    /// Next offset to process.
    var next: Int64?
    /// Next offset as last committed, by this lane or by the partition's earlier owner.
    var committed: Int64?
    /// The partition's first offset and end at the take-over.
    var span: (low: Int64, high: Int64) = (0, 0)
    /// Whether the broker reported the partition's end and no event has come since.
    var isAtEnd = false
    /// The latest gap in the offsets that were read.
    var gap: OffsetGap?

    /// Notes a gap before an event that came at `offset`.
    @inline(__always)
    mutating func noteGap(before offset: Int64) {
        if let next, offset > next { gap = OffsetGap(from: next, to: offset) }
    }
}

/// A partition number that this lane owns: its questions, and the store of its answers and votes. Lane thread only.
final class OwnedPartition {
    /// Before the first phase the partition is a ``TakeOver``: assigned, without a store. Its questions are paused
    /// until it is `running`: none is enriched from a half-loaded table.
    enum Phase {
        /// The follower reads the tables up to their ends as of the take-over, and the questions up to the committed
        /// offset where published records follow changes. How far each is: ``CatchUp``.
        case reading(Restore)
        /// All is read, and the changes of the store's first filling are written to it, piece by piece. No table of the
        /// partition is read meanwhile. One partition of a lane at a time.
        case writing(Restore)
        case running(since: ContinuousClock.Instant)
    }

    struct Restore {
        var since = ContinuousClock.now
        /// Table records that were read.
        var records = 0
    }

    let number: Int32
    let store: AnswerStore
    /// When the group assigned it to the lane.
    let assigned: ContinuousClock.Instant
    /// The current step's changes to the store.
    let changes: TableBatch
    /// nil: published records do not follow changes.
    let live: LivePartition?
    var phase = Phase.reading(Restore())
    var questions = QuestionProgress()
    var answers = TableProgress()
    var votes = TableProgress()
    /// The committed offsets as last noted, of the questions and of each table, and when; nil: not yet.
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

    var isWriting: Bool {
        if case .writing = phase { true } else { false }
    }

    /// Whether all records are read that the store must hold before the first event.
    var isCaughtUp: Bool { answers.catchUp.isDone && votes.catchUp.isDone && live?.history.isDone ?? true }

    /// Whether table records are still to be read that are published: those that a lost store, or one that went back to
    /// its last commit, is filled with.
    var lacksPublished: Bool { answers.next < answers.committed || votes.next < votes.committed }

    subscript(table: Table) -> TableProgress {
        get { table == .answers ? answers : votes }
        set { if table == .answers { answers = newValue } else { votes = newValue } }
    }

    /// The store's own position in a table.
    func applied(_ table: Table) -> Int64 {
        table == .answers ? store.positions.answers : store.positions.votes
    }

    /// Looks, before the lane goes back to the group's committed offset, whether another owner has committed it: while
    /// this lane stood still, and did not know that it had lost the partition. Then the store lacks the questions in
    /// between, and must not claim to have them.
    func compareQuestions(withCommitted offset: Int64) {
        // For good: the next try to go back finds `next` at the offset already.
        if offset > max(questions.next ?? 0, store.positions.questions) { live?.lacksEvents = true }
    }

    /// Goes back to the committed offset after an abort: below it nothing is published again, and records that the
    /// store holds already are not applied again.
    /// - Parameter lettered: end of the published dead letters, if it is beyond `committed`.
    func rewind(_ table: Table, committed: Int64, lettered: Int64? = nil) {
        // An offset beyond all that this lane has seen belongs to a topic that has been recreated since. `next` alone
        // is no bound: while a lost store is refilled, and after an earlier abort, it is below offsets that were
        // published.
        let progress = self[table]
        let seen = max(progress.next, progress.catchUp.target, progress.committed, progress.lettered)
        let published = min(committed, seen)
        self[table].committed = published
        self[table].lettered = max(published, min(lettered ?? 0, seen))
        self[table].letteredCommitted = self[table].lettered
        self[table].next = min(self[table].next, published, applied(table))
    }
}

/// The partitions that a lane owns, found by number without hashing.
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
