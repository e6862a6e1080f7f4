import AnswerStore

/// Index of the published rows: each row's ids, and each answer's question.
///
/// The index topic is the truth, written in the transactions that publish the records. The store follows the topic; the
/// lane's own entries that the store has not seen yet are layered over it. Used by one thread.
package final class SourceIndex {
    /// nil: all of it is in memory, for work that ends with the process.
    private let store: IndexStore?
    private var uncommitted = Layer()
    private var committed = Layer()
    /// Committed before ``beginForgetting()``; the store is catching up to that moment.
    private var older = Layer()
    /// Entries to produce to the index topic, in order.
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []

    package init(store: IndexStore? = nil) { self.store = store }

    func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? {
        let hashed = HashedBytes(key)
        if let value = uncommitted.values[hashed] { return value }
        if let value = committed.values[hashed] { return value }
        if !older.values.isEmpty, let value = older.values[hashed] { return value }
        return try store?.value(of: key)
    }

    /// - Parameter value: nil removes the key.
    func set(_ key: [UInt8], _ value: [UInt8]?) {
        uncommitted.set(HashedBytes(key), value)
        changes.append((key, value))
    }

    /// Keys of the votes for an answer that name only the answer: waiting ones, or published ones.
    func keys(ofVotesFor answer: String, areWaiting: Bool) throws(StoreError) -> [[UInt8]] {
        let prefix = IndexKey.votes(forAnswer: answer, areWaiting: areWaiting)
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        let hashed = HashedBytes(prefix)
        for layer in [older, committed, uncommitted] { layer.votes[hashed].map { layer.lay($0, over: &keys) } }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All keys that begin with `prefix`: for rare kinds, as it scans all entries in memory.
    func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for layer in [older, committed, uncommitted] {
            layer.lay(layer.values.keys.filter { $0.bytes.starts(with: prefix) }, over: &keys)
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

    // MARK: - The lane's part

    /// Entries set since the last call, to be produced to the index topic within the transaction.
    package func takeChanges() -> [(key: [UInt8], value: [UInt8]?)] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }

    /// Writes the set entries to the store, for an index without a topic.
    func writeThrough() throws(StoreError) {
        changes.removeAll(keepingCapacity: true)
        guard let store, uncommitted.values.count >= 1024 else { return }
        for (key, value) in uncommitted.values { try store.set(key.bytes, value) }
        uncommitted.removeAll()
        try store.commitIfDue()
    }

    /// The transaction was committed.
    package func commit() {
        if committed.values.isEmpty { return swap(&committed, &uncommitted) }
        for (key, value) in uncommitted.values { committed.set(key, value) }
        uncommitted.removeAll()
    }

    /// The transaction was aborted.
    package func abort() {
        uncommitted.removeAll()
        changes.removeAll(keepingCapacity: true)
    }

    /// Entries that the store may not have seen yet.
    package var unseen: Int { committed.values.count }

    /// Whether the store is catching up to ``beginForgetting()``; after that it serves the entries committed before.
    package private(set) var isForgetting = false

    package func beginForgetting() {
        isForgetting = true
        older = committed
        committed = Layer()
    }

    /// The store has all entries committed before ``beginForgetting()``.
    package func finishForgetting() {
        isForgetting = false
        older = Layer()
    }

    /// From here on committed entries are looked up in the store alone: other lanes may have changed them.
    package func forgetAll() {
        finishForgetting()
        committed = Layer()
    }
}

/// Changes that the store may not have.
private struct Layer {
    /// By key; a nil value: the key was removed.
    private(set) var values: [HashedBytes: [UInt8]?] = [:]
    /// The votes' keys among them, by the prefix that one answer's share.
    private(set) var votes: [HashedBytes: Set<HashedBytes>] = [:]

    mutating func set(_ key: HashedBytes, _ value: [UInt8]?) {
        values[key] = .some(value)
        guard let prefix = IndexKey.answerPrefix(ofVote: key.bytes) else { return }
        votes[HashedBytes(prefix), default: []].insert(key)
    }

    mutating func removeAll() {
        values.removeAll(keepingCapacity: true)
        votes.removeAll(keepingCapacity: true)
    }

    /// Applies the changes of the keys in `group` to a set of keys.
    func lay(_ group: some Sequence<HashedBytes>, over keys: inout Set<[UInt8]>) {
        for key in group {
            if case .some(.some) = values[key] { keys.insert(key.bytes) } else { keys.remove(key.bytes) }
        }
    }
}

/// Bytes as a dictionary's key, hashed a word at a time; an array hashes itself element by element.
private struct HashedBytes: Hashable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
}
