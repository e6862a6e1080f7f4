import AnswerStore

/// What the sources remember of the rows that they have published: each row's ids, and each answer's question.
///
/// The truth is the index topic, written in the transactions that publish the records. The store follows the topic; what
/// this lane has written itself and the store has not seen yet lies over it. Used by one thread.
package final class SourceIndex {
    /// nil: all of it is in memory, for work that ends with the process.
    private let store: IndexStore?
    private var uncommitted: [[UInt8]: [UInt8]?] = [:]
    private var committed: [[UInt8]: [UInt8]?] = [:]
    /// Committed before the moment up to which the store is being brought.
    private var older: [[UInt8]: [UInt8]?] = [:]
    /// What is to go into the index topic, in order.
    private var changes: [(key: [UInt8], value: [UInt8]?)] = []

    package init(store: IndexStore? = nil) { self.store = store }

    func value(of key: [UInt8]) throws(StoreError) -> [UInt8]? {
        if let value = uncommitted[key] { return value }
        if let value = committed[key] { return value }
        if !older.isEmpty, let value = older[key] { return value }
        return try store?.value(of: key)
    }

    /// - Parameter value: nil removes the key.
    func set(_ key: [UInt8], _ value: [UInt8]?) {
        uncommitted[key] = .some(value)
        changes.append((key, value))
    }

    /// All keys that begin with `prefix`.
    func keys(beginningWith prefix: [UInt8]) throws(StoreError) -> [[UInt8]] {
        var keys = Set(try store?.keys(beginningWith: prefix) ?? [])
        for layer in [older, committed, uncommitted] where !layer.isEmpty {
            for (key, value) in layer where key.starts(with: prefix) {
                if value == nil { keys.remove(key) } else { keys.insert(key) }
            }
        }
        return keys.sorted { $0.lexicographicallyPrecedes($1) }
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
        guard let store, uncommitted.count >= 1024 else { return }
        for (key, value) in uncommitted { try store.set(key, value) }
        uncommitted.removeAll(keepingCapacity: true)
        try store.commitIfDue()
    }

    /// The transaction is through.
    package func commit() {
        for (key, value) in uncommitted { committed[key] = .some(value) }
        uncommitted.removeAll(keepingCapacity: true)
    }

    /// The transaction is void.
    package func abort() {
        uncommitted.removeAll(keepingCapacity: true)
        changes.removeAll(keepingCapacity: true)
    }

    /// Entries that the store may not have seen yet.
    package var unseen: Int { committed.count }

    /// Whether the store is being brought up to a moment, after which what was committed before it is looked up there.
    package private(set) var isForgetting = false

    package func beginForgetting() {
        isForgetting = true
        older = committed
        committed = [:]
    }

    /// The store has all that was committed before ``beginForgetting()``.
    package func finishForgetting() {
        isForgetting = false
        older = [:]
    }

    /// What was committed is looked up in the store alone from here on: others may have written since.
    package func forgetAll() {
        finishForgetting()
        committed = [:]
    }
}
