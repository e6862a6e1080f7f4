import AnswerStore

/// What the sources remember of the rows that they have published: each row's ids, and each answer's question.
///
/// The truth is the index topic, written in the transactions that publish the records. The store follows the topic; what
/// this lane has written itself and the store has not seen yet lies over it. Used by one thread.
package final class SourceIndex {
    /// nil: all of it is in memory, for work that ends with the process.
    private let store: IndexStore?
    private var uncommitted = Layer()
    private var committed = Layer()
    /// Committed before the moment up to which the store is being brought.
    private var older = Layer()
    /// What is to go into the index topic, in order.
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []

    package init(store: IndexStore? = nil) { self.store = store }

    func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? {
        if let value = uncommitted.values[key] { return value }
        if let value = committed.values[key] { return value }
        if !older.values.isEmpty, let value = older.values[key] { return value }
        return try store?.value(of: key)
    }

    /// - Parameter value: nil removes the key.
    func set(_ key: [UInt8], _ value: [UInt8]?) {
        uncommitted.set(key, value)
        changes.append((key, value))
    }

    /// The keys of the votes for an answer that name it alone: those that wait for it, or those that were published.
    func keys(ofVotesFor answer: String, areWaiting: Bool) throws(StoreError) -> [[UInt8]] {
        let prefix = IndexKey.votes(forAnswer: answer, areWaiting: areWaiting)
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for layer in [older, committed, uncommitted] { layer.votes[prefix].map { layer.lay($0, over: &keys) } }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// All keys that begin with `prefix`: for the few of a kind, as everything in memory is looked at.
    func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for layer in [older, committed, uncommitted] {
            layer.lay(layer.values.keys.filter { $0.starts(with: prefix) }, over: &keys)
        }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// How many partitions of the index topic the entries are placed among: as many as it had at first. Should it be given
    /// more, a key's older and newer entries would stand in two, and nothing would say which is the last.
    /// - Parameter count: the topic's partitions as they are now.
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

    /// What was set since it was last called: to be produced to the index topic within the transaction.
    package func takeChanges() -> [(key: [UInt8], value: [UInt8]?)] {
        defer { changes.removeAll(keepingCapacity: true) }
        return changes
    }

    /// Writes what was set to the store, where no topic stands behind it.
    func writeThrough() throws(StoreError) {
        changes.removeAll(keepingCapacity: true)
        guard let store, uncommitted.values.count >= 1024 else { return }
        for (key, value) in uncommitted.values { try store.set(key, value) }
        uncommitted.removeAll()
        try store.commitIfDue()
    }

    /// The transaction is through.
    package func commit() {
        for (key, value) in uncommitted.values { committed.set(key, value) }
        uncommitted.removeAll()
    }

    /// The transaction is void.
    package func abort() {
        uncommitted.removeAll()
        changes.removeAll(keepingCapacity: true)
    }

    /// Entries that the store may not have seen yet.
    package var unseen: Int { committed.values.count }

    /// Whether the store is being brought up to a moment, after which what was committed before it is looked up there.
    package private(set) var isForgetting = false

    package func beginForgetting() {
        isForgetting = true
        older = committed
        committed = Layer()
    }

    /// The store has all that was committed before ``beginForgetting()``.
    package func finishForgetting() {
        isForgetting = false
        older = Layer()
    }

    /// What was committed is looked up in the store alone from here on: others may have written since.
    package func forgetAll() {
        finishForgetting()
        committed = Layer()
    }
}

/// Changes that the store may not have.
private struct Layer {
    /// By key; a nil value: the key was removed.
    private(set) var values: [[UInt8]: [UInt8]?] = [:]
    /// The keys among them of votes, by what the keys of one answer's begin with.
    private(set) var votes: [[UInt8]: Set<[UInt8]>] = [:]

    mutating func set(_ key: [UInt8], _ value: [UInt8]?) {
        values[key] = .some(value)
        guard let prefix = IndexKey.answerPrefix(ofVote: key) else { return }
        votes[prefix, default: []].insert(key)
    }

    mutating func removeAll() {
        values.removeAll(keepingCapacity: true)
        votes.removeAll(keepingCapacity: true)
    }

    /// Brings a set of keys up to what was done to those of `group`.
    func lay(_ group: some Sequence<[UInt8]>, over keys: inout Set<[UInt8]>) {
        for key in group {
            if case .some(.some) = values[key] { keys.insert(key) } else { keys.remove(key) }
        }
    }
}
