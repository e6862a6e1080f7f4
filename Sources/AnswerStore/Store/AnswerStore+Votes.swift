import Bytes

extension AnswerStore {
    /// Applies a batch's vote changes question by question; reads and writes each tally row once.
    func applyVotes(
        of batch: TableBatch, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) {
        batch.orderVotes(into: &order)
        let order = order
        let writer = VoteWriter(
            changes: batch.votes, keys: batch.keys, order: order, keyBuffer: keyBuffer)
        let stamps = waiting == nil ? nil : batch.contents.pointee.stamps?.votes
        var (row, versions) = (tally, versions)
        // The buffer may have moved while growing.
        defer { (tally, self.versions) = (row, versions) }
        var index = 0
        while index < order.count {
            let key = writer.key(index)
            let question = key.piece(0, 1 + Int(key[0]))
            var end = index + 1
            while end < order.count, writer.key(end).starts(with: question) { end += 1 }
            versions.noteChange(of: question.piece(1, question.count - 1))
            if let stamps {
                marks.begin(question, cause: .votes)
                for place in index..<end { marks.stamp(stamps[Int(order[place])]) }
                try writer.apply(index..<end, question: question, row: &row, writes, marks)
                marks.end()
            } else {
                try writer.apply(index..<end, question: question, row: &row, writes, nil)
            }
            index = end
        }
    }
}

/// Applies the votes of one batch within one transaction.
private struct VoteWriter {
    let changes: GrowingBuffer<TableBatch.VoteChange>
    let keys: TableKeys
    /// Sorted by question, answer and voter, equal keys in record order.
    let order: GrowingBuffer<UInt32>
    let keyBuffer: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - group: the positions in `order` of this question's changes.
    ///   - question: the question's key: length, id.
    ///   - row: memory for the question's tally row.
    ///   - marks: receives the changed counts; nil: they are not recorded.
    func apply(
        _ group: Range<Int>, question: Bytes, row: inout GrowingBuffer<UInt8>, _ writes: borrowing PendingWrites,
        _ marks: ChangeMarks?
    ) throws(LMDBFailure) {
        var index = group.lowerBound
        // Erasures come first in the group: their key is a prefix of all others.
        var erasure: UInt32?
        while index < group.upperBound, change(index).kind == .forgetAll {
            erasure = order[index]
            index += 1
        }
        row.removeAll()
        let hasRow = try readTally(question, into: &row, writes)
        keyBuffer.copyMemory(from: question)
        if erasure != nil {
            if let marks {
                marks.touch()
                try noteErasure(question, row.bytes, writes, marks)
            }
            try writes.voters.deleteRows(beginningWith: question)
            row.removeAll()
        }
        var tallies = TallyRow.Editor(row)
        // The memory may have moved while growing.
        defer { row = tallies.row }
        while index < group.upperBound {
            var end = index + 1
            let key = key(index)
            while end < group.upperBound, self.key(end).isEqual(to: key) { end += 1 }
            defer { index = end }
            guard let first = firstValid(index..<end, after: erasure) else { continue }
            var entry = tallies.entry(of: Bytes(rebasing: key[question.count...]))
            keyBuffer.storeBytes(of: entry.number.bigEndian, toByteOffset: question.count, as: UInt32.self)
            let before = entry.voteCount
            entry.voteCount = try tally(
                first..<end, from: entry.voteCount, voterOffset: question.count + 4, after: erasure, writes)
            if let marks {
                if entry.voteCount != before {
                    try note(key, question, from: before, to: entry.voteCount, writes, marks)
                } else if end - index > 1, marks.looksBetween, try writes.view.answers.row(of: key) != nil {
                    marks.touch()
                }
            }
            tallies.set(entry)
        }
        // Without this check, the entries after a truncated one would be lost silently.
        guard tallies.isWhole else { throw .damagedRow }
        if tallies.isChanged || erasure != nil { try writeTally(question, &tallies, hasRow: hasRow, writes) }
    }

    /// Records that every count of the row becomes 0.
    private func noteErasure(
        _ question: Bytes, _ row: Bytes, _ writes: borrowing PendingWrites, _ marks: ChangeMarks
    ) throws(LMDBFailure) {
        var cursor = TallyRow.Cursor(row)
        while let entry = cursor.entry {
            cursor.advance(past: entry)
            let end = question.count + entry.answerID.count
            UnsafeMutableRawBufferPointer(rebasing: keyBuffer[question.count...]).copyMemory(from: entry.answerID)
            try note(Bytes(rebasing: keyBuffer[..<end]), question, from: entry.voteCount, to: 0, writes, marks)
        }
    }

    /// Records an answer's count change, which is visible only if the answer is.
    private func note(
        _ key: Bytes, _ question: Bytes, from old: Int64, to new: Int64, _ writes: borrowing PendingWrites,
        _ marks: ChangeMarks
    ) throws(LMDBFailure) {
        guard let row = try writes.view.answers.row(of: key) else { return }
        guard let (json, _) = AnswerRow.read(row) else { throw .damagedRow }
        let id = Bytes(rebasing: key[question.count...])
        marks.change(
            from: ChangeMarks.hash(answer: id, json: json, voteCount: old),
            to: ChangeMarks.hash(answer: id, json: json, voteCount: new))
    }

    /// Writes the voters' rows of one answer and returns its new voteCount. `keyBuffer` holds the prefix of their keys.
    private func tally(
        _ group: Range<Int>, from voteCount: Int64, voterOffset: Int, after erasure: UInt32?,
        _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) -> Int64 {
        var voteCount = voteCount
        var index = group.lowerBound
        // *Counted* records have no voter and so come first; the last one sets the count, and later casts add to it.
        var counted: UInt32?
        while index < group.upperBound, change(index).kind == .counted {
            if isValid(index, after: erasure) {
                counted = order[index]
                voteCount = change(index).value
            }
            index += 1
        }
        while index < group.upperBound {
            let voter = keys.voterID(of: change(index))
            var last: Int8?
            // The voter's last vote before the *counted* record, if it was cast within this batch.
            var atCount: Int8?
            while index < group.upperBound, keys.voterID(of: change(index)).isEqual(to: voter) {
                if isValid(index, after: erasure) {
                    let value = Int8(truncatingIfNeeded: change(index).value)
                    last = value
                    if let counted, order[index] < counted { atCount = value }
                }
                index += 1
            }
            guard let last else { continue }
            let stored = try exchange(last, voterKey(voter, at: voterOffset), writes)
            voteCount &+= Int64(last) - Int64(atCount ?? stored)
        }
        return voteCount
    }

    /// Stores a voter's vote and returns the previous one (0 if there was none).
    private func exchange(
        _ value: Int8, _ key: Bytes, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) -> Int8 {
        if value == 0 {
            guard let row = try writes.voters.row(of: key) else { return 0 }
            guard let stored = VoterRow.value(row) else { throw .damagedRow }
            try writes.voters.delete()
            return stored
        }
        var storage: UInt64 = 0
        return try withUnsafeMutableBytes(of: &storage) { storage throws(LMDBFailure) in
            let row = UnsafeMutableRawBufferPointer(rebasing: storage[..<VoterRow.length])
            VoterRow.write(value, key: key, to: row)
            // A single tree walk: if the row exists, LMDB returns it.
            guard let old = try writes.voters.insert(key, Bytes(row), isAppended: writes.load != nil) else { return 0 }
            guard let stored = VoterRow.value(old) else { throw .damagedRow }
            if stored != value { try writes.voters.replace(key, Bytes(row)) }
            return stored
        }
    }

    @inline(__always)
    private func voterKey(_ voter: Bytes, at offset: Int) -> Bytes {
        UnsafeMutableRawBufferPointer(rebasing: keyBuffer[offset...]).copyMemory(from: voter)
        return Bytes(rebasing: keyBuffer[..<(offset + voter.count)])
    }

    /// Copies the row from LMDB's page, which later writes may move or free. False if there is no row.
    private func readTally(
        _ question: Bytes, into row: inout GrowingBuffer<UInt8>, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) -> Bool {
        guard let value = try writes.view.tallies.row(of: question) else { return false }
        guard value.count >= TallyRow.headerLength else { throw .damagedRow }
        row.append(contentsOf: value)
        return true
    }

    private func writeTally(
        _ question: Bytes, _ tallies: inout TallyRow.Editor, hasRow: Bool, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) {
        if tallies.count == 0 {
            if hasRow, try writes.view.tallies.row(of: question) != nil { try writes.view.tallies.delete() }
        } else if hasRow {
            // `readTally` left the cursor on the row; the writes since then were to another table.
            try writes.view.tallies.replace(question, tallies.seal(key: question))
        } else {
            try writes.view.tallies.put(question, tallies.seal(key: question), isAppended: writes.load != nil)
        }
    }

    @inline(__always)
    func key(_ index: Int) -> Bytes { keys.key(of: change(index)) }

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
