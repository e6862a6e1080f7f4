import CLMDB
import Records

extension AnswerStore {
    /// Applies a batch's vote changes question by question: each tally row is read and written once.
    func applyVotes(
        of batch: TableBatch, _ writes: PendingWrites
    ) throws(LMDBFailure) {
        batch.orderVotes(into: &order)
        let order = order
        let changes = batch.votes
        let writer = VoteWriter(
            batch: batch, changes: changes, order: order, keyBuffer: keyBuffer,
            voters: writes.voters, tallies: writes.view.tallies)
        var (oldRow, newRow) = (oldTally, newTally)
        // The buffers may have moved while growing.
        defer { (oldTally, newTally) = (oldRow, newRow) }
        var index = 0
        while index < order.count {
            let key = batch.key(of: changes[Int(order[index])])
            let question = key.piece(0, 1 + Int(key[0]))
            var end = index + 1
            while end < order.count, batch.key(of: changes[Int(order[end])]).starts(with: question) { end += 1 }
            versions.noteChange(of: question.piece(1, question.count - 1))
            try writer.apply(index..<end, question: question, oldRow: &oldRow, newRow: &newRow)
            index = end
        }
    }
}

/// Applies the votes of one batch within one transaction.
private struct VoteWriter {
    let batch: TableBatch
    let changes: GrowingBuffer<TableBatch.VoteChange>
    /// By question, answer, voter, and in record order among equals.
    let order: GrowingBuffer<UInt32>
    let keyBuffer: UnsafeMutableRawBufferPointer
    let voters: OpaquePointer
    let tallies: OpaquePointer

    /// - Parameters:
    ///   - group: the places in `order` of this question's changes.
    ///   - question: the question's key: length, id.
    func apply(
        _ group: Range<Int>, question: Bytes, oldRow: inout GrowingBuffer<UInt8>, newRow: inout GrowingBuffer<UInt8>
    ) throws(LMDBFailure) {
        var index = group.lowerBound
        // Erasures come first in the group: their key is the beginning of all others.
        var erasure: UInt32?
        while index < group.upperBound, change(index).kind == .forgetAll {
            erasure = order[index]
            index += 1
        }
        oldRow.removeAll()
        let hasRow = try readTally(question, into: &oldRow)
        if erasure != nil {
            try AnswerStore.deleteRange(question, voters)
            oldRow.removeAll()
        }
        newRow.removeAll()
        newRow.append(number: UInt32(0))
        newRow.append(number: UInt32(0))
        var old = TallyRow.Cursor(oldRow.bytes)
        var nextNumber = oldRow.count >= TallyRow.headerLength ? loadCount(oldRow.bytes) : 0
        var count: UInt32 = 0
        while index < group.upperBound {
            var end = index + 1
            let key = batch.key(of: change(index))
            while end < group.upperBound, compareBytes(batch.key(of: change(end)), key) == 0 { end += 1 }
            defer { index = end }
            guard let first = firstValid(index..<end, after: erasure) else { continue }
            let answerID = Bytes(rebasing: key[question.count...])
            var entry = TallyRow.Entry(voteCount: 0, number: nextNumber, answerID: answerID)
            while let other = old.entry {
                let comparison = compareBytes(other.answerID, answerID)
                if comparison > 0 { break }
                old.advance(past: other)
                if comparison == 0 {
                    entry = other
                    break
                }
                append(other, to: &newRow)
                count += 1
            }
            if entry.number == nextNumber { nextNumber &+= 1 }
            entry.voteCount = try tally(first..<end, of: entry, question: question, after: erasure)
            append(entry, to: &newRow)
            count += 1
        }
        while let other = old.entry {
            old.advance(past: other)
            append(other, to: &newRow)
            count += 1
        }
        // What is cut short in the old row would be lost without a word.
        guard old.rest.isEmpty, count == nextNumber else { throw .damagedRow }
        try writeTally(question, count: count, row: &newRow, old: hasRow ? oldRow.bytes : nil)
    }

    /// The new voteCount of one answer, its voters' rows written.
    private func tally(
        _ group: Range<Int>, of entry: TallyRow.Entry, question: Bytes, after erasure: UInt32?
    ) throws(LMDBFailure) -> Int64 {
        var voteCount = entry.voteCount
        var index = group.lowerBound
        // *Counted* records have no voter and so come first; the last one counts, and casts after it count on from it.
        var counted: UInt32?
        while index < group.upperBound, change(index).kind == .counted {
            if isValid(index, after: erasure) {
                counted = order[index]
                voteCount = change(index).value
            }
            index += 1
        }
        while index < group.upperBound {
            let voter = batch.voterID(of: change(index))
            var last: Int8?
            // The voter's vote when the *counted* record came, if it was cast within this batch.
            var atCount: Int8?
            while index < group.upperBound, compareBytes(batch.voterID(of: change(index)), voter) == 0 {
                if isValid(index, after: erasure) {
                    let value = Int8(truncatingIfNeeded: change(index).value)
                    last = value
                    if let counted, order[index] < counted { atCount = value }
                }
                index += 1
            }
            guard let last else { continue }
            let stored = try exchange(last, question: question, number: entry.number, voter: voter)
            voteCount &+= Int64(last) - Int64(atCount ?? stored)
        }
        return voteCount
    }

    /// Stores a voter's vote and returns what it was before (0 without one).
    private func exchange(
        _ value: Int8, question: Bytes, number: UInt32, voter: Bytes
    ) throws(LMDBFailure) -> Int8 {
        let keyBytes = voterKey(question, number, voter)
        var key = MDB_val(keyBytes)
        var data = MDB_val()
        if value == 0 {
            let code = mdb_cursor_get(voters, &key, &data, MDB_SET)
            if code == MDB_NOTFOUND { return 0 }
            try check(code)
            guard let stored = VoterRow.value(Bytes(data)) else { throw .damagedRow }
            try check(mdb_cursor_del(voters, 0))
            return stored
        }
        var storage: UInt64 = 0
        return try withUnsafeMutableBytes(of: &storage) { storage throws(LMDBFailure) in
            let row = UnsafeMutableRawBufferPointer(rebasing: storage[..<VoterRow.length])
            VoterRow.write(value, key: keyBytes, to: row)
            data = MDB_val(Bytes(row))
            // One way down the tree for both: where the row exists, LMDB says so and shows it.
            let code = mdb_cursor_put(voters, &key, &data, UInt32(MDB_NOOVERWRITE))
            if code == 0 { return 0 }
            guard code == MDB_KEYEXIST else { throw LMDBFailure(code: code) }
            guard let stored = VoterRow.value(Bytes(data)) else { throw .damagedRow }
            if stored != value {
                data = MDB_val(Bytes(row))
                try check(mdb_cursor_put(voters, &key, &data, UInt32(MDB_CURRENT)))
            }
            return stored
        }
    }

    private func voterKey(_ question: Bytes, _ number: UInt32, _ voter: Bytes) -> Bytes {
        keyBuffer.copyMemory(from: question)
        keyBuffer.storeBytes(of: number.bigEndian, toByteOffset: question.count, as: UInt32.self)
        let length = question.count + 4
        UnsafeMutableRawBufferPointer(rebasing: keyBuffer[length...]).copyMemory(from: voter)
        return Bytes(rebasing: keyBuffer[..<(length + voter.count)])
    }

    /// Copies the row out of LMDB's page, which the writes to come may move or free. False without a row.
    private func readTally(_ question: Bytes, into row: inout GrowingBuffer<UInt8>) throws(LMDBFailure) -> Bool {
        var key = MDB_val(question)
        var value = MDB_val()
        let code = mdb_cursor_get(tallies, &key, &value, MDB_SET)
        if code == MDB_NOTFOUND { return false }
        try check(code)
        guard value.mv_size >= TallyRow.headerLength else { throw .damagedRow }
        row.append(contentsOf: Bytes(value))
        return true
    }

    private func writeTally(
        _ question: Bytes, count: UInt32, row: inout GrowingBuffer<UInt8>, old: Bytes?
    ) throws(LMDBFailure) {
        var key = MDB_val(question)
        if count == 0 {
            guard old != nil else { return }
            // `readTally` left the cursor on the row.
            var value = MDB_val()
            try check(mdb_cursor_get(tallies, &key, &value, MDB_SET))
            try check(mdb_cursor_del(tallies, 0))
            return
        }
        let bytes = row.mutableBytes
        bytes.storeBytes(of: count, toByteOffset: 4, as: UInt32.self)
        sealRow(bytes, key: question)
        if let old, compareBytes(old, Bytes(bytes)) == 0 { return }
        var value = MDB_val(Bytes(bytes))
        try check(mdb_cursor_put(tallies, &key, &value, 0))
    }

    private func append(_ entry: TallyRow.Entry, to row: inout GrowingBuffer<UInt8>) {
        row.append(number: entry.voteCount)
        row.append(number: entry.number)
        row.append(UInt8(truncatingIfNeeded: entry.answerID.count))
        row.append(contentsOf: entry.answerID)
    }

    private func loadCount(_ row: Bytes) -> UInt32 { row.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }

    @inline(__always)
    private func change(_ index: Int) -> TableBatch.VoteChange { changes[Int(order[index])] }

    @inline(__always)
    private func isValid(_ index: Int, after erasure: UInt32?) -> Bool {
        guard let erasure else { return true }
        return order[index] > erasure
    }

    private func firstValid(_ group: Range<Int>, after erasure: UInt32?) -> Int? {
        guard erasure != nil else { return group.lowerBound }
        return group.contains { isValid($0, after: erasure) } ? group.lowerBound : nil
    }
}
