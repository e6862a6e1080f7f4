import AnswerStore
import Bytes

/// Index of the published rows: each row's ids, and each answer's question.
///
/// The index topic is the truth, written in the transactions that publish the records. The store follows the topic; the
/// lane's own changes that the store has not seen yet are laid over it. Used by one thread.
package final class SourceIndex {
    /// nil: all of it is in memory, for work that ends with the process.
    private let store: IndexStore?
    private var recent = IndexChanges()
    /// Committed before ``beginForgetting()``; the store is catching up to that moment.
    private var older = IndexChanges()
    /// The number of changes in `recent` that are committed.
    private var committed = 0
    /// The number of changes in `recent` that were taken to be produced.
    private var taken = 0

    /// Of the store: one of another layout is filled anew from the topic.
    package static let layout = 2

    /// - Parameter store: open, and used by this index alone; nil: entries are kept in memory.
    package init(store: IndexStore? = nil) { self.store = store }

    // MARK: - Entries

    func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? {
        if let value = key.withUnsafeBytes({ own($0).map { $0.map { Array($0) } } }) { return value }
        return try store?.value(of: key)
    }

    /// The value that this lane gave the key, as far as it is remembered; nil: none.
    private func own(_ key: Bytes) -> Bytes?? { recent.value(of: key) ?? older.value(of: key) }

    /// Whether an entry of the index topic is one of this lane's, which knows all that follows from it.
    func isOwn(_ key: Bytes, _ value: Bytes) -> Bool {
        guard case .some(.some(let own)) = own(key) else { return false }
        return own.isEqual(to: value)
    }

    /// - Parameter value: nil removes the key.
    func set(_ key: [UInt8], _ value: [UInt8]?) {
        key.withUnsafeBytes { key in
            guard let value else { return recent.set(key, nil) }
            value.withUnsafeBytes { recent.set(key, $0) }
        }
    }

    /// Rows of the votes for an answer that name only the answer, in the order of their keys: those that wait for it,
    /// or those that are published.
    func rows(ofVotesFor answer: String, areWaiting: Bool) throws(StoreError) -> [[UInt8]] {
        let prefix = IndexKey.votes(forAnswer: answer, areWaiting: areWaiting)
        var rows = Set(try store?.keys(beginningWith: prefix).map { Array($0.dropFirst(prefix.count)) } ?? [])
        var answer = answer
        answer.withUTF8 { answer in
            let place = VotePlace(isWaiting: areWaiting, answer: Bytes(answer))
            for changes in [older, recent] { changes.forEachRow(at: place) { rows.insert(Array($0)) } }
            rows = rows.filter { !isElsewhere($0) { $0.isSame(as: place) } }
        }
        return rows.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// Rows of all votes that wait for their answers, with the answers' ids, in the order of the rows' keys.
    func waitingVotes() throws(StoreError) -> [(answerID: String, row: [UInt8])] {
        var votes: [[UInt8]: String] = [:]
        for key in try store?.keys(beginningWith: IndexKey.allWaiting) ?? [] {
            guard let (answer, row) = IndexKey.parts(ofVote: key), !isElsewhere(row, { $0.isWaiting }) else { continue }
            votes[row] = answer
        }
        for changes in [older, recent] {
            changes.forEachNewest { row, value in
                guard let place = VotePlace(ofRow: row, value), place.isWaiting else { return }
                votes[Array(row)] = String(decoding: place.answer, as: UTF8.self)
            }
        }
        return votes.filter { row, _ in !isElsewhere(row) { $0.isWaiting } }
            .map { ($0.value, $0.key) }.sorted { $0.row.lexicographicallyPrecedes($1.row) }
    }

    /// Whether the lane has changed a row to no vote, or to one at another place.
    private func isElsewhere(_ row: [UInt8], _ isThere: (VotePlace) -> Bool) -> Bool {
        row.withUnsafeBytes { row in
            guard let value = own(row) else { return false }
            return VotePlace(ofRow: row, value).map { !isThere($0) } ?? true
        }
    }

    /// All keys that begin with `prefix`: for rare kinds, as it scans all changes in memory.
    func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for changes in [older, recent] {
            changes.forEachNewest { key, value in
                guard key.starts(with: prefix) else { return }
                if value == nil { keys.remove(Array(key)) } else { keys.insert(Array(key)) }
            }
        }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The number of index partitions among which entries are placed: the topic's first count. With more, a key's older
    /// and newer entries would be in two partitions, without an order between them.
    /// - Parameter count: the topic's current partition count.
    package func placement(among count: Int32) throws(StoreError) -> Int32 {
        if let noted = try value(of: IndexKey.placement).flatMap({ Int32(String(decoding: $0, as: UTF8.self)) }),
            1...max(1, count) ~= noted
        {
            return noted
        }
        set(IndexKey.placement, Array(String(count).utf8))
        return count
    }

    // MARK: - The store's part

    /// Applies an entry of the index topic to the store. The store has a key more than the topic for each vote that
    /// names only its answer, so that it is found by the answer.
    /// - Parameter value: nil removes the key.
    package func follow(_ key: Bytes, _ value: Bytes?) throws(StoreError) {
        // A topic may hold votes' keys that builds before 0.2.0 wrote; they follow from the rows.
        guard let store, !IndexKey.isVote(key) else { return }
        if IndexKey.isRow(key) {
            let before = try store.value(of: key).flatMap { entry in
                entry.withUnsafeBytes { IndexKey.vote(ofRow: key, $0) }
            }
            let after = value.flatMap { IndexKey.vote(ofRow: key, $0) }
            if before != after {
                if let before { try store.set(before, nil) }
                if let after { try store.set(after, [1]) }
            }
        }
        try store.set(key, value)
    }

    /// Writes the changes to the store, for an index without a topic.
    func writeThrough() throws(StoreError) {
        guard let store, recent.count >= 1024 else {
            taken = recent.count
            return
        }
        try recent.forEach(from: 0) { (key, value) throws(StoreError) in try follow(key, value) }
        recent.removeAll()
        (committed, taken) = (0, 0)
        try store.commitIfDue()
    }

    // MARK: - The lane's part

    /// Calls `body` with the changes since the last call, in order, to be produced to the index topic within the
    /// transaction.
    package func takeChanges<Failure>(
        _ body: (_ key: Bytes, _ value: Bytes?) throws(Failure) -> Void
    ) throws(Failure) {
        let first = taken
        taken = recent.count
        try recent.forEach(from: first, body)
    }

    /// The transaction was committed.
    package func commit() { committed = recent.count }

    /// The transaction was aborted.
    package func abort() {
        recent.removeAll(from: committed)
        taken = committed
    }

    /// Changes that the store may not have seen yet.
    package var unseen: Int { recent.count + older.count }

    /// Whether the store is catching up to ``beginForgetting()``; after that it serves the entries committed before.
    package private(set) var isForgetting = false

    /// Nothing may be uncommitted.
    package func beginForgetting() {
        isForgetting = true
        swap(&older, &recent)
        recent.removeAll()
        (committed, taken) = (0, 0)
    }

    /// The store has all entries committed before ``beginForgetting()``.
    package func finishForgetting() {
        isForgetting = false
        older.removeAll()
    }

    /// From here on committed entries are looked up in the store alone: other lanes may have changed them.
    package func forgetAll() {
        finishForgetting()
        let kept = IndexChanges()
        recent.forEach(from: committed) { kept.set($0, $1) }
        taken = max(0, taken - committed)
        committed = 0
        recent = kept
    }
}
