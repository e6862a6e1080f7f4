import AnswerStore
import Bytes
import Enrichment
import Records

/// A partition number of a recording: its store, and the table changes that are not in the store yet.
///
/// A question sees only the stored rows of its own id. So changes of other questions may wait, and one transaction
/// takes many of them, where a transaction before each question would cost more than all the rest.
final class ReplayPartition {
    /// Bounds of a batch.
    private static let maxChanges = 8192
    private static let maxBytes = 4 << 20

    let number: Int32
    let store: AnswerStore
    /// Next offsets in the two outputs.
    var enrichedOffset: Int64 = 0
    var deadLetterOffset: Int64 = 0
    private var batch: TableBatch
    /// nil: published records do not follow changes.
    private(set) var live: ReplayWindow?
    /// See `init`.
    private(set) var coalesce: Int64?
    private let arena: ByteArena
    private var questions = PendingQuestions()

    /// - Parameter coalesce: a question is published again at most once in this many milliseconds of the records' time;
    ///   nil: published records do not follow changes.
    init(number: Int32, store: AnswerStore, pool: BlockPool, coalesce: Int64?) {
        self.number = number
        self.store = store
        self.coalesce = coalesce
        live = coalesce.map { ReplayWindow(length: $0) }
        batch = TableBatch(isStamped: coalesce != nil)
        store.waiting = live?.waiting
        arena = ByteArena(pool: pool)
    }

    deinit { questions.free() }

    /// Switches to another mode and drops the waiting questions unpublished.
    /// - Parameter coalesce: as in `init`.
    func follow(coalesce: Int64?) throws(StoreError) {
        try apply()
        self.coalesce = coalesce
        live = coalesce.map { ReplayWindow(length: $0) }
        batch = TableBatch(isStamped: coalesce != nil)
        store.waiting = live?.waiting
    }

    var pendingBytes: Int { arena.byteCount }

    /// Adds a table record to the batch.
    /// - Throws: `RecordError` when the record is a dead letter.
    /// - Parameter timestamp: the record's.
    func add(
        _ table: Table, key: Bytes?, value: Bytes?, timestamp: Int64?, reader: TableReader
    ) throws(RecordError) {
        if live != nil { batch.stamp(timestamp, isPublished: false) }
        // The batch keeps no pointer into a vote's value.
        let kept = table == .answers ? value.map { arena.copy($0) } : value
        try reader.read(table, key: key, value: kept, into: batch)
        if let key { questions.insert(key) }
    }

    var isFull: Bool { batch.count >= Self.maxChanges || arena.byteCount >= Self.maxBytes }

    @inline(__always)
    func hasPending(_ key: Bytes?) -> Bool {
        guard batch.count > 0, let key else { return false }
        return questions.mayContain(key)
    }

    /// Stores a question's latest event; nil: the question was deleted.
    func keep(_ question: StoredQuestion?, of key: Bytes) throws(StoreError) {
        let row = TableBatch()
        row.append(question: key, question)
        try store.apply(row, positions: store.positions)
    }

    /// Applies the batch in one transaction. The store's positions stay, as a recording has no offsets of a cluster's
    /// topics.
    func apply() throws(StoreError) {
        try store.apply(batch, positions: store.positions)
        batch.removeAll()
        questions.removeAll()
        arena.removeAll()
    }
}
