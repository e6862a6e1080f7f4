import Bytes

// The store's table of questions: the latest event of each. Kept only where published records follow every change.
extension AnswerStore {
    /// Applies a batch's question changes in key order. Of several changes of a question, only the last is written.
    func applyQuestions(
        of batch: TableBatch, _ writes: borrowing PendingWrites, _ tables: StoreTables
    ) throws(LMDBFailure) {
        batch.orderQuestions(into: &order)
        let order = order
        let (changes, keys) = (batch.questions, batch.keys)
        let cursor = try LMDBCursor(writes.view.transaction, tables.questions)
        var index = 0
        while index < order.count {
            let key = keys.key(of: changes[Int(order[index])])
            while index + 1 < order.count, keys.key(of: changes[Int(order[index + 1])]).isEqual(to: key) { index += 1 }
            let change = changes[Int(order[index])]
            index += 1
            if let question = keys.question(of: change) {
                let row = try cursor.reserve(
                    key, count: QuestionRow.length(of: question), isAppended: writes.load != nil)
                QuestionRow.write(question, key: key, to: row)
            } else {
                try writes.view.transaction.delete(key, in: tables.questions)
            }
        }
    }

    /// The latest event of a question; nil for a question that was never asked or was deleted.
    /// - Returns: bytes in LMDB's pages, valid until the next `apply`, `commit`, `reset` or `close`.
    package func question(_ id: Bytes) throws(StoreError) -> StoredQuestion? {
        guard StoreLayout.idLengths.contains(id.count), let base = id.baseAddress,
            let keyBase = keyBuffer.baseAddress
        else { return nil }
        keyBase.storeBytes(of: UInt8(truncatingIfNeeded: id.count), as: UInt8.self)
        (keyBase + 1).copyMemory(from: base, byteCount: id.count)
        try checkOpen()
        try beginReading()
        do throws(LMDBFailure) {
            guard let row = try questionRow(Bytes(start: keyBase, count: 1 + id.count)) else { return nil }
            guard let question = QuestionRow.read(row) else { throw .damagedRow }
            return question
        } catch {
            throw fail(StoreError(error, doing: "reading", directory: directory))
        }
    }

    private func questionRow(_ key: Bytes) throws(LMDBFailure) -> Bytes? {
        switch state {
        case .reading(let reading):
            try reading.database.committed.transaction.row(of: key, in: reading.database.tables.questions)
        case .writing(let writes, let database):
            try writes.view.transaction.row(of: key, in: database.tables.questions)
        default: nil
        }
    }

    /// Empties the table of questions and sets its position to 0, where questions are not kept or must be read again.
    package func forgetQuestions() throws(StoreError) {
        guard positions.questions != 0 else { return }
        var positions = positions
        positions.questions = 0
        try writeAlone(TableBatch(), positions, isForgettingQuestions: true)
    }

    /// Notes in `marks` the effect of an answer's change on the question's visible state.
    /// - Returns: false where the stored row stays the same and need not be written.
    func noteVisible(
        _ change: TableBatch.AnswerChange, _ key: Bytes, _ question: Bytes, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) -> Bool {
        if change.kind == .forgetAll {
            var next = try writes.view.answers.seek(key)
            while let (rowKey, row) = next, rowKey.starts(with: key) {
                guard let (json, _) = AnswerRow.read(row) else { throw .damagedRow }
                let id = Bytes(rebasing: rowKey[question.count...])
                let count = try voteCount(of: id, question, writes)
                marks.change(from: ChangeMarks.hash(answer: id, json: json, voteCount: count), to: 0)
                next = try writes.view.answers.next()
            }
            return true
        }
        let id = Bytes(rebasing: key[question.count...])
        let stored = try writes.view.answers.row(of: key)
        if stored == nil && change.kind == .withdraw { return false }
        var old: Bytes?
        if let stored {
            guard let (json, _) = AnswerRow.read(stored) else { throw .damagedRow }
            if change.kind == .put, json.count == change.json.count, compareBytes(json, change.json) == 0 {
                return false
            }
            old = json
        }
        let count = try voteCount(of: id, question, writes)
        let new = change.kind == .put ? ChangeMarks.hash(answer: id, json: change.json, voteCount: count) : 0
        marks.change(from: old.map { ChangeMarks.hash(answer: id, json: $0, voteCount: count) } ?? 0, to: new)
        return true
    }

    /// An answer's stored vote count, from before the batch's votes.
    private func voteCount(
        of answer: Bytes, _ question: Bytes, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) -> Int64 {
        guard let row = try writes.view.tallies.row(of: question) else { return 0 }
        var cursor = TallyRow.Cursor(row)
        while let entry = cursor.entry {
            let order = compareBytes(entry.answerID, answer)
            if order == 0 { return entry.voteCount }
            if order > 0 { return 0 }
            cursor.advance(past: entry)
        }
        return 0
    }
}
