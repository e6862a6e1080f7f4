import Bytes

/// Changes of the index in the order in which they were made, in one block of memory, with a table of the newest of
/// each key. The last ones can be taken back. Not Sendable.
final class IndexChanges {
    /// A change; the bytes of its key and its value follow each other in `memory`.
    private struct Change {
        let hash: Int
        let start: Int
        let keyCount: Int32
        /// -1: the key was removed.
        let valueCount: Int32
        /// Whether no change of the same key is before this one.
        let isFirst: Bool
        /// For a vote that names only its answer: the vote for the same answer before this one; -1: there is none.
        let sameAnswer: Int32
    }

    private static let leastSlots = 1 << 10
    /// Slots and bytes above which memory is given back, once it is empty.
    private static let keptSlots = 1 << 19
    private static let keptBytes = 32 << 20

    private var memory: UnsafeMutablePointer<UInt8>
    private var capacity = 1 << 16
    private var used = 0
    private var changes: [Change] = []
    /// The newest change of each key plus one, by the key's hash; 0: an empty slot.
    private var keys = [Int32](repeating: 0, count: leastSlots)
    /// The newest vote for each answer plus one, by the hash of ``VotePlace``; 0: an empty slot.
    private var votes = [Int32](repeating: 0, count: leastSlots)

    init() { memory = .allocate(capacity: capacity) }

    deinit { memory.deallocate() }

    var count: Int { changes.count }

    // MARK: - Look up

    /// A key's newest value, valid until the next change; nil: the key was not changed. An inner nil: it was removed.
    func value(of key: Bytes) -> Bytes?? {
        if changes.isEmpty { return nil }
        let slot = slot(of: key, hash: Self.hash(key))
        return keys[slot] > 0 ? .some(value(of: changes[Int(keys[slot]) - 1])) : nil
    }

    /// Calls `body` with the rows whose newest value, or an earlier one, is a vote at this place; with some more than
    /// once.
    func forEachRow(at place: VotePlace, _ body: (Bytes) -> Void) {
        if changes.isEmpty { return }
        var next = votes[slot(of: place)] - 1
        while next >= 0 {
            body(key(of: changes[Int(next)]))
            next = changes[Int(next)].sameAnswer
        }
    }

    /// Calls `body` with every changed key and its newest value.
    func forEachNewest(_ body: (_ key: Bytes, _ value: Bytes?) -> Void) {
        for change in changes where change.isFirst {
            let key = key(of: change)
            if let value = value(of: key) { body(key, value) }
        }
    }

    /// Calls `body` with the changes from the one with this number on.
    func forEach<Failure>(
        from first: Int, _ body: (_ key: Bytes, _ value: Bytes?) throws(Failure) -> Void
    ) throws(Failure) {
        for number in first..<changes.count { try body(key(of: changes[number]), value(of: changes[number])) }
    }

    private func key(of change: Change) -> Bytes { Bytes(start: memory + change.start, count: Int(change.keyCount)) }

    private func value(of change: Change) -> Bytes? {
        change.valueCount < 0
            ? nil : Bytes(start: memory + change.start + Int(change.keyCount), count: Int(change.valueCount))
    }

    // MARK: - Change

    /// - Parameter value: nil removes the key.
    func set(_ key: Bytes, _ value: Bytes?) {
        if (changes.count + 1) * 2 > keys.count { fillTables(of: keys.count * 2) }
        let hash = Self.hash(key)
        let slot = slot(of: key, hash: hash)
        let group = VotePlace(ofRow: key, value).map { self.slot(of: $0) }
        changes.append(
            Change(
                hash: hash, start: append(key, value), keyCount: Int32(key.count),
                valueCount: value.map { Int32($0.count) } ?? -1, isFirst: keys[slot] == 0,
                sameAnswer: group.map { votes[$0] - 1 } ?? -1))
        keys[slot] = Int32(changes.count)
        if let group { votes[group] = Int32(changes.count) }
    }

    /// Takes back the changes from the one with this number on.
    func removeAll(from first: Int) {
        guard first < changes.count else { return }
        used = changes[first].start
        changes.removeSubrange(first...)
        fillTables(of: keys.count)
    }

    func removeAll() {
        if changes.isEmpty { return }
        changes.removeAll(keepingCapacity: keys.count <= Self.keptSlots)
        fillTables(of: keys.count <= Self.keptSlots ? keys.count : Self.leastSlots)
        used = 0
        guard capacity > Self.keptBytes else { return }
        memory.deallocate()
        capacity = 1 << 16
        memory = .allocate(capacity: capacity)
    }

    private func append(_ key: Bytes, _ value: Bytes?) -> Int {
        let needed = used + key.count + (value?.count ?? 0)
        guard needed > capacity else { return copy(key, value) }
        // The key and the value may lie in the old memory.
        let old = memory
        defer { old.deallocate() }
        capacity = max(needed, capacity * 2)
        memory = .allocate(capacity: capacity)
        memory.update(from: old, count: used)
        return copy(key, value)
    }

    private func copy(_ key: Bytes, _ value: Bytes?) -> Int {
        let start = used
        for part in [key, value] {
            guard let part, let base = part.baseAddress else { continue }
            UnsafeMutableRawPointer(memory + used).copyMemory(from: base, byteCount: part.count)
            used += part.count
        }
        return start
    }

    // MARK: - Tables

    private static func hash(_ bytes: Bytes) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return hasher.finalize()
    }

    /// The slot that the key has, or would take.
    private func slot(of key: Bytes, hash: Int) -> Int {
        find(in: keys, hash) { change in change.hash == hash && self.key(of: change).isEqual(to: key) }
    }

    private func slot(of place: VotePlace) -> Int {
        find(in: votes, place.hash) { change in
            VotePlace(ofRow: key(of: change), value(of: change)).map { $0.isSame(as: place) } ?? false
        }
    }

    @inline(__always)
    private func find(in table: [Int32], _ hash: Int, _ isWanted: (Change) -> Bool) -> Int {
        let mask = table.count - 1
        var slot = hash & mask
        while table[slot] > 0, !isWanted(changes[Int(table[slot]) - 1]) { slot = (slot + 1) & mask }
        return slot
    }

    /// Fills the tables from the changes; the newest change of a key is the last that takes its slot.
    private func fillTables(of count: Int) {
        if count == keys.count {
            for slot in keys.indices { keys[slot] = 0 }
            for slot in votes.indices { votes[slot] = 0 }
        } else {
            keys = [Int32](repeating: 0, count: count)
            votes = keys
        }
        for (number, change) in changes.enumerated() {
            let key = key(of: change)
            keys[slot(of: key, hash: change.hash)] = Int32(number + 1)
            if let place = VotePlace(ofRow: key, value(of: change)) { votes[slot(of: place)] = Int32(number + 1) }
        }
    }
}
