import AnswerStore
import Enrichment
import Records

/// A partition number of a recording: its store, and the table changes that are not in the store yet.
///
/// A question sees only what is stored of its own id. So changes of other questions may wait, and one transaction takes
/// many of them, where a transaction before each question would cost more than all the rest.
final class ReplayPartition {
    /// Bounds of a batch.
    private static let maxChanges = 8192
    private static let maxBytes = 4 << 20

    let store: AnswerStore
    /// Next offsets in the two outputs.
    var enrichedOffset: Int64 = 0
    var deadLetterOffset: Int64 = 0
    private let batch = TableBatch()
    private let arena: ByteArena
    private var questions = PendingQuestions()

    init(store: AnswerStore, pool: BlockPool) {
        self.store = store
        arena = ByteArena(pool: pool)
    }

    deinit { questions.free() }

    var pendingBytes: Int { arena.byteCount }

    /// Takes a table record for the batch.
    /// - Throws: `RecordError` when the record is a dead letter.
    func add(_ table: Table, key: Bytes?, value: Bytes?, reader: TableReader) throws(RecordError) {
        // Of a vote nothing is kept by address.
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

    /// Applies the batch in one transaction. The positions are no offsets of a cluster's topics: they stay.
    func apply() throws(StoreError) {
        try store.apply(batch, positions: store.positions)
        batch.removeAll()
        questions.removeAll()
        arena.removeAll()
    }
}
