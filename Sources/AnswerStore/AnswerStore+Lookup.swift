import CLMDB
import Records

extension AnswerStore {
    /// Puts a question's visible answers into `answers`, in place of what was there.
    ///
    /// Nothing is copied: the bytes are LMDB's mapped pages, valid until the next `apply`, `commit`, `reset` or `close`.
    /// A question that nothing is stored of, or whose id cannot be one, has none.
    package func lookup(question: Bytes, into answers: StoredAnswers) throws(StoreError) {
        answers.removeAll()
        guard StoreLayout.idLengths.contains(question.count), let base = question.baseAddress,
            let keyBase = keyBuffer.baseAddress
        else { return }
        let view = try view(openEnvironment())
        keyBase.storeBytes(of: UInt8(truncatingIfNeeded: question.count), as: UInt8.self)
        (keyBase + 1).copyMemory(from: base, byteCount: question.count)
        let prefix = Bytes(start: keyBase, count: 1 + question.count)
        do {
            try Self.lookup(prefix, view, into: answers)
        } catch {
            throw failed(error, doing: "reading")
        }
    }

    private static func lookup(
        _ prefix: Bytes, _ view: StoreView, into answers: StoredAnswers
    ) throws(LMDBFailure) {
        var key = MDB_val(prefix)
        var value = MDB_val()
        var code = mdb_cursor_get(view.answers, &key, &value, MDB_SET_RANGE)
        guard code == 0, Bytes(key).starts(with: prefix) else {
            if code != 0 && code != MDB_NOTFOUND { throw LMDBFailure(code: code) }
            return
        }
        var tallies = try tallies(of: prefix, view)
        var tally = tallies.entry
        repeat {
            let rowKey = Bytes(key)
            guard rowKey.starts(with: prefix) else { return }
            let id = Bytes(rebasing: rowKey[prefix.count...])
            guard let row = AnswerRow.read(Bytes(value)) else { throw .damagedRow }
            // Both are in bytewise order of the answer ids.
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
            code = mdb_cursor_get(view.answers, &key, &value, MDB_NEXT)
        } while code == 0
        if code != MDB_NOTFOUND { throw LMDBFailure(code: code) }
    }

    @inline(__always)
    private static func tallies(
        of prefix: Bytes, _ view: StoreView
    ) throws(LMDBFailure) -> TallyRow.Cursor {
        var key = MDB_val(prefix)
        var value = MDB_val()
        let code = mdb_cursor_get(view.tallies, &key, &value, MDB_SET)
        if code == 0 { return TallyRow.Cursor(Bytes(value)) }
        guard code == MDB_NOTFOUND else { throw LMDBFailure(code: code) }
        return TallyRow.Cursor(Bytes(start: nil, count: 0))
    }
}
