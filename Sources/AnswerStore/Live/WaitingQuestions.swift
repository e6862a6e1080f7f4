import Bytes

/// Questions whose enriched record is not current, each once, in order of their first change.
///
/// A further change of a waiting question is added to its entry, since only the newest state is published. An entry
/// holds the sum of its changes' effects on the question's visible state (`ChangeMarks`); at 0 they have cancelled out.
/// Reused; the caller bounds it with `isFull(limit:)`. One per partition, not Sendable.
package final class WaitingQuestions {
    /// The table of a question's first change.
    package enum Cause: UInt8, Sendable {
        case answers, votes
    }

    /// A waiting question; its id is valid until the next call.
    package struct Entry {
        /// The question's id.
        package var question: Bytes
        /// The table of the first change, however many changes followed.
        package var cause: Cause
        /// The latest timestamp of the changes, in milliseconds since 1970; nil where no change has one.
        package var timestamp: Int64?
        /// Whether the changes cancel out: the record published before the first of them is still right.
        package var isTakenBack: Bool
    }

    private struct Slot {
        var hash: UInt64
        /// Wrapping sum of the changes' effects.
        var delta: UInt64
        var timestamp: Int64
        /// Offset of the id, counted from the first byte ever kept.
        var place: UInt64
        var length: UInt8
        var cause: UInt8
        /// Published even if `delta` is 0.
        var isCertain: Bool
        var isAlive: Bool
    }

    /// The tables' positions when the entries from `sequence` on were made.
    private struct Checkpoint {
        var sequence: UInt64
        var positions: TablePositions
    }

    private static let noTimestamp = Int64.min
    private static let empty = UInt32.max

    // A ring of entries, by sequence number.
    private var slots: UnsafeMutablePointer<Slot>
    private var slotMask: UInt64
    // A ring of ids.
    private var ids: UnsafeMutableRawPointer
    private var idMask: UInt64
    private var idEnd: UInt64 = 0
    // Open addressing: an entry's place in the ring, or `empty`.
    private var index: UnsafeMutablePointer<UInt32>
    private var indexMask: UInt64
    private var checkpoints: [Checkpoint] = []
    private var firstCheckpoint = 0
    private var next = TablePositions()

    /// Sequence numbers of the oldest entry and of the next one.
    package private(set) var head: UInt64 = 0
    /// Sequence number of the next entry.
    package private(set) var tail: UInt64 = 0
    /// Number of waiting questions.
    package private(set) var count = 0

    /// No question waits; memory for some dozen entries.
    package init() {
        (slotMask, idMask, indexMask) = (63, 4095, 127)
        slots = .allocate(capacity: 64)
        ids = .allocate(byteCount: 4096, alignment: 8)
        index = .allocate(capacity: 128)
        index.initialize(repeating: Self.empty, count: 128)
    }

    deinit {
        slots.deallocate()
        ids.deallocate()
        index.deallocate()
    }

    /// Whether no question waits.
    package var isEmpty: Bool { count == 0 }

    /// Bytes allocated for the entries.
    package var memory: Int {
        Int(slotMask + 1) * MemoryLayout<Slot>.stride + Int(idMask + 1) + Int(indexMask + 1) * 4
    }

    /// Whether the caller should add no questions until some are removed: a ring that grows doubles, so half of `limit`
    /// counts.
    /// - Parameter limit: bytes for all entries.
    package func isFull(limit: Int) -> Bool {
        Int(tail &- head) * Self.bytesOfEntry + Int(idEnd &- idStart) >= limit / 2
    }

    private static let bytesOfEntry = MemoryLayout<Slot>.stride + 2 * MemoryLayout<UInt32>.stride

    private var idStart: UInt64 { head == tail ? idEnd : slots[Int(head & slotMask)].place }

    /// Sets the tables' positions before the next changes: records below them cause none of these.
    package func begin(at positions: TablePositions) { next = positions }

    /// Positions from which to read the tables to find all waiting questions again; nil when none waits.
    package var heldPositions: TablePositions? {
        guard count > 0, firstCheckpoint < checkpoints.count else { return nil }
        return checkpoints[firstCheckpoint].positions
    }

    // MARK: - Changes

    /// Notes a change.
    /// - Parameters:
    ///   - delta: the effect on the question's visible state; nil: the question is published in any case.
    package func note(_ question: Bytes, delta: UInt64?, cause: Cause, timestamp: Int64?) {
        let hash = Checksum.hash(question)
        let timestamp = timestamp ?? Self.noTimestamp
        if let number = find(question, hash) {
            slots[number].delta &+= delta ?? 0
            if delta == nil { slots[number].isCertain = true }
            slots[number].timestamp = max(slots[number].timestamp, timestamp)
            return
        }
        if tail &- head > slotMask { growSlots() }
        if checkpoints.count == firstCheckpoint || checkpoints[checkpoints.count - 1].positions != next {
            checkpoints.append(Checkpoint(sequence: tail, positions: next))
        }
        let place = keep(question)
        slots[Int(tail & slotMask)] = Slot(
            hash: hash, delta: delta ?? 0, timestamp: timestamp, place: place,
            length: UInt8(truncatingIfNeeded: question.count), cause: cause.rawValue, isCertain: delta == nil,
            isAlive: true)
        insert(UInt32(truncatingIfNeeded: tail & slotMask), hash)
        tail &+= 1
        count += 1
    }

    /// The table of a waiting question's first change; nil: the question does not wait.
    package func cause(of question: Bytes) -> Cause? {
        find(question, Checksum.hash(question)).flatMap { Cause(rawValue: slots[$0].cause) }
    }

    /// Removes a question that was published or deleted.
    /// - Returns: whether it waited.
    @discardableResult
    package func remove(_ question: Bytes) -> Bool {
        guard count > 0 else { return false }
        guard let number = find(question, Checksum.hash(question)) else { return false }
        remove(at: number)
        return true
    }

    /// The question that has waited longest; nil when none waits.
    package var first: Entry? {
        guard count > 0 else { return nil }
        let slot = slots[Int(head & slotMask)]
        return Entry(
            question: id(slot), cause: Cause(rawValue: slot.cause) ?? .answers,
            timestamp: slot.timestamp == Self.noTimestamp ? nil : slot.timestamp,
            isTakenBack: slot.delta == 0 && !slot.isCertain)
    }

    /// Removes the question that has waited longest.
    package func removeFirst() {
        if count > 0 { remove(at: Int(head & slotMask)) }
    }

    /// Removes all questions; the caller finds them again by reading the tables.
    package func removeAll() {
        head = tail
        count = 0
        checkpoints.removeAll(keepingCapacity: true)
        firstCheckpoint = 0
        index.update(repeating: Self.empty, count: Int(indexMask + 1))
    }

    private func remove(at number: Int) {
        erase(number)
        slots[number].isAlive = false
        count -= 1
        while head != tail, !slots[Int(head & slotMask)].isAlive { head &+= 1 }
        while firstCheckpoint + 1 < checkpoints.count, checkpoints[firstCheckpoint + 1].sequence <= head {
            firstCheckpoint += 1
        }
        if head == tail {
            checkpoints.removeAll(keepingCapacity: true)
            firstCheckpoint = 0
        } else if firstCheckpoint > 1024, firstCheckpoint > checkpoints.count / 2 {
            checkpoints.removeFirst(firstCheckpoint)
            firstCheckpoint = 0
        }
    }

    // MARK: - Ids

    private func id(_ slot: Slot) -> Bytes {
        Bytes(start: ids + Int(slot.place & idMask), count: Int(slot.length))
    }

    /// Copies an id into the ring, in one piece.
    private func keep(_ question: Bytes) -> UInt64 {
        while true {
            var place = idEnd
            let offset = place & idMask
            if offset + UInt64(question.count) > idMask + 1 { place += idMask + 1 - offset }
            guard place + UInt64(question.count) - idStart <= idMask + 1 else {
                growIDs()
                continue
            }
            idEnd = place + UInt64(question.count)
            if let source = question.baseAddress {
                (ids + Int(place & idMask)).copyMemory(from: source, byteCount: question.count)
            }
            return place
        }
    }

    private func growIDs() {
        let size = 2 * (idMask + 1)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: Int(size), alignment: 8)
        var end: UInt64 = 0
        var sequence = head
        while sequence != tail {
            let number = Int(sequence & slotMask)
            let id = id(slots[number])
            let offset = end & (size - 1)
            if offset + UInt64(id.count) > size { end += size - offset }
            if let source = id.baseAddress {
                (larger + Int(end & (size - 1))).copyMemory(from: source, byteCount: id.count)
            }
            slots[number].place = end
            end += UInt64(id.count)
            sequence &+= 1
        }
        ids.deallocate()
        (ids, idMask, idEnd) = (larger, size - 1, end)
    }

    // MARK: - Index

    private func growSlots() {
        let count = 2 * (slotMask + 1)
        let larger = UnsafeMutablePointer<Slot>.allocate(capacity: Int(count))
        var sequence = head
        while sequence != tail {
            larger[Int(sequence & (count - 1))] = slots[Int(sequence & slotMask)]
            sequence &+= 1
        }
        slots.deallocate()
        (slots, slotMask) = (larger, count - 1)
        index.deallocate()
        indexMask = 2 * count - 1
        index = .allocate(capacity: Int(2 * count))
        index.initialize(repeating: Self.empty, count: Int(2 * count))
        sequence = head
        while sequence != tail {
            let slot = slots[Int(sequence & slotMask)]
            if slot.isAlive { insert(UInt32(truncatingIfNeeded: sequence & slotMask), slot.hash) }
            sequence &+= 1
        }
    }

    /// - Returns: the entry's place in the ring.
    @inline(__always)
    private func find(_ question: Bytes, _ hash: UInt64) -> Int? {
        guard count > 0 else { return nil }
        var place = hash & indexMask
        while true {
            let number = index[Int(place)]
            if number == Self.empty { return nil }
            let slot = slots[Int(number)]
            if slot.hash == hash, id(slot).isEqual(to: question) { return Int(number) }
            place = (place + 1) & indexMask
        }
    }

    private func insert(_ number: UInt32, _ hash: UInt64) {
        var place = hash & indexMask
        while index[Int(place)] != Self.empty { place = (place + 1) & indexMask }
        index[Int(place)] = number
    }

    /// Removes an entry from the index; displaced entries move up.
    private func erase(_ number: Int) {
        var hole = slots[number].hash & indexMask
        while index[Int(hole)] != UInt32(truncatingIfNeeded: number) { hole = (hole + 1) & indexMask }
        var place = hole
        while true {
            place = (place + 1) & indexMask
            let other = index[Int(place)]
            if other == Self.empty { break }
            let home = slots[Int(other)].hash & indexMask
            // Its home is, cyclically, after the hole and up to its place: moved into the hole, it would not be found.
            let isBetween = hole <= place ? home > hole && home <= place : home > hole || home <= place
            if isBetween { continue }
            index[Int(hole)] = other
            hole = place
        }
        index[Int(hole)] = Self.empty
    }
}
