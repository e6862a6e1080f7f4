import AnswerStore
import Bytes

/// Index of the published rows: each row's ids, and each answer's question.
///
/// The index topic is the truth, written in the transactions that publish the records. The store follows the topic; the
/// lane's own entries that the store has not seen yet are layered over it. Used by one thread.
package final class SourceIndex {
    /// nil: all of it is in memory, for work that ends with the process.
    private let store: IndexStore?
    private var recent = Layer()
    /// Committed before ``beginForgetting()``; the store is catching up to that moment.
    private var older = Layer()
    /// The uncommitted entries of `recent`, with their earlier values there, in order.
    private var uncommitted: [(key: HashedBytes, before: [UInt8]??)] = []
    /// Entries to produce to the index topic, in order.
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []

    package init(store: IndexStore? = nil) { self.store = store }

    func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? {
        if let value = ownValue(of: key) { return value }
        return try store?.value(of: key)
    }

    /// The value that this lane gave the key, as far as it is remembered; nil: none.
    private func ownValue(of key: [UInt8]) -> [UInt8]?? {
        if recent.values.isEmpty, older.values.isEmpty { return nil }
        let hashed = HashedBytes(key)
        if let value = recent.values[hashed] { return value }
        return older.values.isEmpty ? nil : older.values[hashed]
    }

    /// Whether an entry of the index topic is one of this lane's, which knows all that follows from it.
    func isOwn(_ key: Bytes, _ value: Bytes) -> Bool {
        guard case .some(.some(let own)) = ownValue(of: Array(key)) else { return false }
        return own.count == value.count && own.elementsEqual(value)
    }

    /// - Parameter value: nil removes the key.
    func set(_ key: [UInt8], _ value: [UInt8]?) {
        let hashed = HashedBytes(key)
        uncommitted.append((hashed, recent.set(hashed, value)))
        changes.append((key, value))
    }

    /// Keys of the votes for an answer that name only the answer: waiting ones, or published ones.
    func keys(ofVotesFor answer: String, areWaiting: Bool) throws(StoreError) -> [[UInt8]] {
        let prefix = IndexKey.votes(forAnswer: answer, areWaiting: areWaiting)
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        if older.votes.isEmpty, recent.votes.isEmpty, keys.isEmpty { return [] }
        let hashed = HashedBytes(prefix)
        for layer in [older, recent] { layer.votes[hashed].map { layer.lay($0, over: &keys) } }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All keys that begin with `prefix`: for rare kinds, as it scans all entries in memory.
    func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for layer in [older, recent] {
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
        guard let store, recent.values.count >= 1024 else { return }
        for (key, value) in recent.values { try store.set(key.bytes, value) }
        recent.removeAll()
        uncommitted.removeAll(keepingCapacity: true)
        try store.commitIfDue()
    }

    /// The transaction was committed.
    package func commit() { uncommitted.removeAll(keepingCapacity: true) }

    /// The transaction was aborted.
    package func abort() {
        for (key, before) in uncommitted.reversed() { recent.restore(key, before) }
        uncommitted.removeAll(keepingCapacity: true)
        changes.removeAll(keepingCapacity: true)
    }

    /// Entries that the store may not have seen yet.
    package var unseen: Int { recent.values.count + older.values.count }

    /// Whether the store is catching up to ``beginForgetting()``; after that it serves the entries committed before.
    package private(set) var isForgetting = false

    /// Nothing may be uncommitted.
    package func beginForgetting() {
        isForgetting = true
        older = recent
        recent = Layer()
    }

    /// The store has all entries committed before ``beginForgetting()``.
    package func finishForgetting() {
        isForgetting = false
        older = Layer()
    }

    /// From here on committed entries are looked up in the store alone: other lanes may have changed them.
    package func forgetAll() {
        finishForgetting()
        let kept = uncommitted.map { ($0.key, recent.values[$0.key] ?? nil) }
        recent = Layer()
        uncommitted = kept.map { key, value in (key, recent.set(key, value)) }
    }
}

/// Changes that the store may not have.
private struct Layer {
    /// By key; a nil value: the key was removed.
    private(set) var values: [HashedBytes: [UInt8]?] = [:]
    /// The votes' keys among them, by the prefix that one answer's share; some of them more than once.
    private(set) var votes: [HashedBytes: [HashedBytes]] = [:]

    /// - Returns: the key's earlier value; nil: it had none here.
    mutating func set(_ key: HashedBytes, _ value: [UInt8]?) -> [UInt8]?? {
        if let prefix = IndexKey.answerPrefix(ofVote: key.bytes) { votes[HashedBytes(prefix), default: []].append(key) }
        return values.updateValue(value, forKey: key)
    }

    /// Takes back what ``set(_:_:)`` did.
    mutating func restore(_ key: HashedBytes, _ before: [UInt8]??) {
        if let before { values[key] = .some(before) } else { values[key] = nil }
    }

    mutating func removeAll() {
        values.removeAll(keepingCapacity: true)
        votes.removeAll(keepingCapacity: true)
    }

    /// Applies the changes of the keys in `group` to a set of keys.
    func lay(_ group: some Sequence<HashedBytes>, over keys: inout Set<[UInt8]>) {
        for key in group {
            switch values[key] {
            case .some(.some): keys.insert(key.bytes)
            case .some(.none): keys.remove(key.bytes)
            // Set, and taken back.
            case nil: break
            }
        }
    }
}

/// Bytes as a dictionary's key, hashed once and a word at a time; an array hashes itself element by element.
private struct HashedBytes: Hashable {
    let bytes: [UInt8]
    private let hash: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var hasher = Hasher()
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        hash = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    static func == (one: Self, other: Self) -> Bool {
        one.hash == other.hash
            && one.bytes.withUnsafeBytes { one in other.bytes.withUnsafeBytes { one.holdsSameBytes(as: $0) } }
    }
}
