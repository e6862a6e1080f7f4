import Records

/// Collects changes of one partition's tables for one write transaction.
///
/// Ids are copied into memory of its own; answer JSON is not: it must stay valid until `AnswerStore.apply` returns.
/// Reused: what it allocated it keeps, and that is bounded by the largest batch. One per lane, not Sendable.
///
/// A change under an id that cannot be stored (not 1 to 200 bytes long: only a tombstone's key can be that) is none,
/// as nothing is stored under it.
package final class TableBatch {
    struct AnswerChange {
        enum Kind { case put, withdraw, forgetAll }
        /// Where in the arena the key stands: length of the question id, question id, answer id (none in `forgetAll`).
        var keyOffset: Int
        var keyLength: Int
        var kind: Kind
        var json: Bytes
        var answeredAt: Instant?
    }

    struct VoteChange {
        enum Kind { case cast, counted, forgetAll }
        /// Where in the arena the key stands, made as an answer's; the voter id follows it.
        var keyOffset: Int
        var keyLength: Int
        var voterLength: Int
        var kind: Kind
        /// The vote cast, or the number counted.
        var value: Int64
    }

    private(set) var answers = GrowingBuffer<AnswerChange>()
    private(set) var votes = GrowingBuffer<VoteChange>()
    private var arena = GrowingBuffer<UInt8>()
    private var jsonBytes = 0
    private var sorter = KeySorter()
    /// Whether a whole question's answers or votes are to be forgotten.
    private(set) var hasErasures = false

    package init() {}

    deinit {
        answers.free()
        votes.free()
        arena.free()
        sorter.free()
    }

    /// Number of changes held.
    package var count: Int { answers.count + votes.count }

    /// Bytes of ids held here and of JSON held elsewhere for this batch.
    package var byteCount: Int { arena.count + jsonBytes }

    /// - Parameter json: the answer record's whole value; ignored for `withdrawn` and `forgetAll`.
    package func append(_ record: AnswerRecord, json: Bytes) {
        let offset = arena.count
        switch record {
        case .answer(let questionID, let answerID, let answeredAt):
            guard appendKey(questionID, answerID) else { return }
            jsonBytes += json.count
            answers.append(
                AnswerChange(
                    keyOffset: offset, keyLength: arena.count - offset, kind: .put, json: json, answeredAt: answeredAt))
        case .withdrawn(let questionID, let answerID):
            guard appendKey(questionID, answerID) else { return }
            answers.append(
                AnswerChange(
                    keyOffset: offset, keyLength: arena.count - offset, kind: .withdraw,
                    json: Bytes(start: nil, count: 0)))
        case .forgetAll(let questionID):
            guard appendKey(questionID, nil) else { return }
            hasErasures = true
            answers.append(
                AnswerChange(
                    keyOffset: offset, keyLength: arena.count - offset, kind: .forgetAll,
                    json: Bytes(start: nil, count: 0)))
        }
    }

    package func append(_ record: VoteRecord) {
        let offset = arena.count
        switch record {
        case .cast(let questionID, let answerID, let voterID, let value):
            guard StoreLayout.idLengths.contains(voterID.count), appendKey(questionID, answerID) else { return }
            let keyLength = arena.count - offset
            arena.append(contentsOf: voterID)
            votes.append(
                VoteChange(
                    keyOffset: offset, keyLength: keyLength, voterLength: voterID.count, kind: .cast,
                    value: Int64(value)))
        case .counted(let questionID, let answerID, let voteCount):
            guard appendKey(questionID, answerID) else { return }
            votes.append(
                VoteChange(
                    keyOffset: offset, keyLength: arena.count - offset, voterLength: 0, kind: .counted,
                    value: voteCount))
        case .forgetAll(let questionID):
            guard appendKey(questionID, nil) else { return }
            hasErasures = true
            votes.append(
                VoteChange(
                    keyOffset: offset, keyLength: arena.count - offset, voterLength: 0, kind: .forgetAll, value: 0))
        }
    }

    /// Forgets the changes, keeps the memory.
    package func removeAll() {
        answers.removeAll()
        votes.removeAll()
        arena.removeAll()
        jsonBytes = 0
        hasErasures = false
    }

    private func appendKey(_ questionID: Bytes, _ answerID: Bytes?) -> Bool {
        guard StoreLayout.idLengths.contains(questionID.count) else { return false }
        if let answerID, !StoreLayout.idLengths.contains(answerID.count) { return false }
        arena.append(UInt8(truncatingIfNeeded: questionID.count))
        arena.append(contentsOf: questionID)
        if let answerID { arena.append(contentsOf: answerID) }
        return true
    }
}

extension TableBatch {
    /// Valid until the batch changes.
    @inline(__always)
    func key(of change: AnswerChange) -> Bytes {
        arena.bytes(at: change.keyOffset, count: change.keyLength)
    }

    @inline(__always)
    func key(of change: VoteChange) -> Bytes {
        arena.bytes(at: change.keyOffset, count: change.keyLength)
    }

    @inline(__always)
    func voterID(of change: VoteChange) -> Bytes {
        arena.bytes(at: change.keyOffset + change.keyLength, count: change.voterLength)
    }

    /// Puts the changes' indices in order of (question, answer), in record order among equals. An erasure of a whole
    /// question, whose key is the beginning of its answers' keys, comes before them.
    func orderAnswers(into order: inout GrowingBuffer<UInt32>) {
        arena.reserve(KeySorter.slack)
        let (answers, arena) = (self.answers, self.arena)
        order.fillWithIndices(answers.count)
        sorter.sort(order.elements, 0..<answers.count) { index in
            let change = answers[Int(index)]
            return arena.bytes(at: change.keyOffset, count: change.keyLength)
        }
    }

    /// The same for votes: (question, answer, voter). A *counted* record has no voter and comes before the casts.
    func orderVotes(into order: inout GrowingBuffer<UInt32>) {
        arena.reserve(KeySorter.slack)
        let (votes, arena) = (self.votes, self.arena)
        order.fillWithIndices(votes.count)
        let indices = order.elements
        sorter.sort(indices, 0..<votes.count) { index in
            let change = votes[Int(index)]
            return arena.bytes(at: change.keyOffset, count: change.keyLength)
        }
        // By voter only where an answer has several votes: its key and the voter's id in one would mix up answers whose
        // ids begin alike.
        var start = 0
        while start < votes.count {
            let answer = key(of: votes[Int(indices[start])])
            var end = start + 1
            while end < votes.count, compareBytes(key(of: votes[Int(indices[end])]), answer) == 0 { end += 1 }
            if end - start > 1 {
                sorter.sort(indices, start..<end) { index in
                    let change = votes[Int(index)]
                    return arena.bytes(at: change.keyOffset + change.keyLength, count: change.voterLength)
                }
            }
            start = end
        }
    }
}
