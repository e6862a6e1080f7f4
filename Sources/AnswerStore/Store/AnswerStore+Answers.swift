import Bytes

extension AnswerStore {
    /// Applies a batch's answer changes in key order; of several changes to one answer only the last is written.
    func applyAnswers(
        of batch: TableBatch, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) {
        batch.orderAnswers(into: &order)
        let order = order
        let (changes, keys) = (batch.answers, batch.keys)
        let keyOf = { (place: Int) in keys.key(of: changes[Int(order[place])]) }
        var versions = versions
        defer { self.versions = versions }
        let stamps = waiting == nil ? nil : batch.contents.pointee.stamps?.answers
        defer { if stamps != nil { marks.end() } }
        var index = 0
        var question = Bytes(start: nil, count: 0)
        // The last erasure of the current question: it voids the question's earlier changes.
        var erasure = (question: Bytes(start: nil, count: 0), record: UInt32(0))
        while index < order.count {
            let key = keyOf(index)
            let first = index
            while index + 1 < order.count, keyOf(index + 1).isEqual(to: key) { index += 1 }
            let record = order[index]
            let change = changes[Int(record)]
            index += 1
            if question.isEmpty || !key.starts(with: question) {
                question = key.piece(0, 1 + Int(key[0]))
                versions.noteChange(of: question.piece(1, question.count - 1))
                if stamps != nil { marks.begin(question, cause: .answers) }
            }
            if let stamps {
                for place in first..<index { marks.stamp(stamps[Int(order[place])]) }
                if marks.looksBetween, index - first > 1 || change.kind == .forgetAll { marks.touch() }
                let isWritten = change.kind == .forgetAll || !isVoid(record, key, erasure)
                if isWritten, try !noteVisible(change, key, question, writes) { continue }
            }
            switch change.kind {
            case .forgetAll:
                try writes.view.answers.deleteRows(beginningWith: key)
                erasure = (key, record)
            case .put:
                if isVoid(record, key, erasure) { continue }
                try Self.put(change, key, writes)
            case .withdraw:
                if isVoid(record, key, erasure) { continue }
                try Self.delete(key, writes)
            }
        }
    }

    private func isVoid(_ record: UInt32, _ key: Bytes, _ erasure: (question: Bytes, record: UInt32)) -> Bool {
        record < erasure.record && !erasure.question.isEmpty && key.starts(with: erasure.question)
    }

    private static func put(
        _ change: TableBatch.AnswerChange, _ key: Bytes, _ writes: borrowing PendingWrites
    ) throws(LMDBFailure) {
        let row = try writes.view.answers.reserve(
            key, count: AnswerRow.headerLength + change.json.count, isAppended: writes.load != nil)
        AnswerRow.write(change.json, answeredAt: change.answeredAt, key: key, to: row)
    }

    private static func delete(_ key: Bytes, _ writes: borrowing PendingWrites) throws(LMDBFailure) {
        if try writes.view.answers.row(of: key) != nil { try writes.view.answers.delete() }
    }
}
