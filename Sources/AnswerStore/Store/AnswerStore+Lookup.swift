import Bytes

extension AnswerStore {
    /// Replaces the contents of `answers` with a question's visible answers.
    ///
    /// Nothing is copied: the bytes are on LMDB's mapped pages, valid until the next `apply`, `commit`, `reset` or
    /// `close`. An unknown question, or one with an invalid id, has no answers.
    /// - Parameter prepared: the positions found by an earlier search. They save this one if they belong to the
    ///   question and nothing was applied since.
    package func lookup(
        question: Bytes, prepared: UnsafePointer<PreparedRows>? = nil, into answers: StoredAnswers
    ) throws(StoreError) {
        answers.removeAll()
        guard StoreLayout.idLengths.contains(question.count), let base = question.baseAddress,
            let keyBase = keyBuffer.baseAddress
        else { return }
        keyBase.storeBytes(of: UInt8(truncatingIfNeeded: question.count), as: UInt8.self)
        (keyBase + 1).copyMemory(from: base, byteCount: question.count)
        let prefix = Bytes(start: keyBase, count: 1 + question.count)
        do throws(LMDBFailure) {
            if try find(prefix, prepared, into: answers) { return }
        } catch {
            throw fail(StoreError(error, doing: "reading", directory: directory))
        }
        // No transaction is open.
        try checkOpen()
        try beginReading()
        guard load == nil else { return }
        try lookup(question: question, into: answers)
    }

    /// - Returns: false when no transaction is open.
    @inline(__always)
    private func find(
        _ prefix: Bytes, _ prepared: UnsafePointer<PreparedRows>?, into answers: StoredAnswers
    ) throws(LMDBFailure) -> Bool {
        switch state {
        case .reading(let reading):
            if let prepared, let trees = reading.trees, prepared.pointee.trees == trees.id,
                prepared.pointee.key.isEqual(to: prefix)
            {
                if try Self.read(prepared.pointee, in: trees, reading.database.committed, into: answers) { return true }
                answers.removeAll()
            }
            try Self.lookup(prefix, reading.database.committed, into: answers)
            return true
        case .writing(let writes, _):
            try Self.lookup(prefix, writes.view, into: answers)
            return true
        default:
            return false
        }
    }

    private static func lookup(
        _ prefix: Bytes, _ view: borrowing StoreView, into answers: StoredAnswers
    ) throws(LMDBFailure) {
        guard var row = try view.answers.seek(prefix), row.key.starts(with: prefix) else { return }
        var join = AnswerJoin(try tallies(of: prefix, view))
        while true {
            try join.append(row.value, id: Bytes(rebasing: row.key[prefix.count...]), to: answers)
            guard let next = try view.answers.next(), next.key.starts(with: prefix) else { return }
            row = next
        }
    }

    @inline(__always)
    private static func tallies(of prefix: Bytes, _ view: borrowing StoreView) throws(LMDBFailure) -> Bytes {
        try view.tallies.row(of: prefix) ?? Bytes(start: nil, count: 0)
    }
}

// Lookups from prepared positions.
extension AnswerStore {
    /// - Returns: false when a search is needed after all, because the rows' position or end is unknown.
    private static func read(
        _ prepared: PreparedRows, in trees: MappedTrees, _ view: borrowing StoreView, into answers: StoredAnswers
    ) throws(LMDBFailure) -> Bool {
        guard var place = prepared.answers, var count = place.page.count else { return false }
        var join: AnswerJoin?
        while true {
            if place.index == count {
                guard let next = place.next, let nextCount = next.count else { return false }
                place = PageWalk.Place(page: next, index: 0)
                count = nextCount
            }
            guard place.index < count, let row = trees.row(place.index, of: place.page) else { return false }
            guard row.key.starts(with: prepared.key) else { return true }
            if join == nil { join = AnswerJoin(try tallies(prepared, in: trees, view)) }
            try join?.append(row.value, id: Bytes(rebasing: row.key[prepared.key.count...]), to: answers)
            place.index &+= 1
        }
    }

    @inline(__always)
    private static func tallies(
        _ prepared: PreparedRows, in trees: MappedTrees, _ view: borrowing StoreView
    ) throws(LMDBFailure) -> Bytes {
        guard let place = prepared.tallies, let count = place.page.count else {
            return try tallies(of: prepared.key, view)
        }
        let none = Bytes(start: nil, count: 0)
        // A key's row, if it exists, is on the page where the search ended.
        guard place.index < count else { return none }
        guard let row = trees.row(place.index, of: place.page) else { return try tallies(of: prepared.key, view) }
        return row.key.isEqual(to: prepared.key) ? row.value : none
    }
}

/// Joins a question's answers with their tallies. Both are in bytewise order of the answer ids.
private struct AnswerJoin {
    private var tallies: TallyRow.Cursor
    private var tally: TallyRow.Entry?

    /// - Parameter row: the tally row; empty when there is none.
    @inline(__always)
    init(_ row: Bytes) {
        tallies = TallyRow.Cursor(row)
        tally = tallies.entry
    }

    @inline(__always)
    mutating func append(_ row: Bytes, id: Bytes, to answers: StoredAnswers) throws(LMDBFailure) {
        guard let row = AnswerRow.read(row) else { throw .damagedRow }
        var voteCount: Int64 = 0
        while let entry = tally {
            let order = compareBytes(entry.answerID, id)
            if order > 0 { break }
            if order == 0 { voteCount = entry.voteCount }
            tallies.advance(past: entry)
            tally = tallies.entry
            if order == 0 { break }
        }
        answers.append(StoredAnswer(id: id, json: row.json, voteCount: voteCount, answeredAt: row.answeredAt))
    }
}
