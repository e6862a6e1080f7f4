import CLMDB
import Records

extension AnswerStore {
    /// Applies a batch's answer changes in key order; of several changes of one answer only the last is written.
    func applyAnswers(
        of batch: TableBatch, _ writes: PendingWrites
    ) throws(LMDBFailure) {
        batch.orderAnswers(into: &order)
        let order = order
        let (changes, keys) = (batch.answers, batch.keys)
        let keyOf = { (place: Int) in keys.key(of: changes[Int(order[place])]) }
        var versions = versions
        defer { self.versions = versions }
        let cursor = writes.view.answers
        var index = 0
        var question = Bytes(start: nil, count: 0)
        // The last erasure of the question that is being written: what came before it is void.
        var erasure = (question: Bytes(start: nil, count: 0), record: UInt32(0))
        while index < order.count {
            let key = keyOf(index)
            while index + 1 < order.count, keyOf(index + 1).isEqual(to: key) { index += 1 }
            let record = order[index]
            let change = changes[Int(record)]
            index += 1
            if question.isEmpty || !key.starts(with: question) {
                question = key.piece(0, 1 + Int(key[0]))
                versions.noteChange(of: question.piece(1, question.count - 1))
            }
            switch change.kind {
            case .forgetAll:
                try Self.deleteRange(key, cursor)
                erasure = (key, record)
            case .put:
                if isVoid(record, key, erasure) { continue }
                try Self.put(change, key, writes)
            case .withdraw:
                if isVoid(record, key, erasure) { continue }
                try Self.delete(key, cursor)
            }
        }
    }

    private func isVoid(_ record: UInt32, _ key: Bytes, _ erasure: (question: Bytes, record: UInt32)) -> Bool {
        record < erasure.record && !erasure.question.isEmpty && key.starts(with: erasure.question)
    }

    private static func put(
        _ change: TableBatch.AnswerChange, _ keyBytes: Bytes, _ writes: PendingWrites
    ) throws(LMDBFailure) {
        var key = MDB_val(keyBytes)
        var value = MDB_val(mv_size: AnswerRow.headerLength + change.json.count, mv_data: nil)
        try check(writes.put(writes.view.answers, &key, &value, MDB_RESERVE))
        let row = UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size)
        AnswerRow.write(change.json, answeredAt: change.answeredAt, key: keyBytes, to: row)
    }

    private static func delete(_ keyBytes: Bytes, _ cursor: OpaquePointer) throws(LMDBFailure) {
        var key = MDB_val(keyBytes)
        var value = MDB_val()
        let code = mdb_cursor_get(cursor, &key, &value, MDB_SET)
        if code == MDB_NOTFOUND { return }
        try check(code)
        try check(mdb_cursor_del(cursor, 0))
    }

    /// Deletes all rows whose keys begin with `prefix`.
    static func deleteRange(_ prefix: Bytes, _ cursor: OpaquePointer) throws(LMDBFailure) {
        var key = MDB_val(prefix)
        var value = MDB_val()
        var code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
        while code == 0, Bytes(key).starts(with: prefix) {
            try check(mdb_cursor_del(cursor, 0))
            // A cursor whose row was deleted stands before the next one, which this moves it onto.
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        if code != 0 && code != MDB_NOTFOUND { throw LMDBFailure(code: code) }
    }
}
