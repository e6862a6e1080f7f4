import Bytes
import Records

/// Collects changes of one partition's tables for one write transaction.
///
/// Ids are copied into the batch's own memory. Answer JSON is not: it must stay valid until `AnswerStore.apply`
/// returns. Reused: it keeps its memory, which the largest batch bounds. One per lane, not Sendable.
///
/// A change with an invalid id (not 1 to 200 bytes long, which is possible only in a tombstone's key) is ignored:
/// nothing is stored under such an id.
package final class TableBatch {
    struct AnswerChange {
        enum Kind { case put, withdraw, forgetAll }
        /// The key's offset in the arena: length of the question id, question id, answer id (none in `forgetAll`).
        var keyOffset: Int
        var keyLength: Int
        var kind: Kind
        var json: Bytes
        var answeredAt: Instant?
    }

    struct VoteChange {
        enum Kind { case cast, counted, forgetAll }
        /// The key's offset in the arena, laid out as an answer's; the voter id follows the key.
        var keyOffset: Int
        var keyLength: Int
        var voterLength: Int
        var kind: Kind
        /// The vote cast, or the tally counted.
        var value: Int64
    }

    struct Contents {
        var answers = GrowingBuffer<AnswerChange>()
        var votes = GrowingBuffer<VoteChange>()
        var questions = GrowingBuffer<QuestionChange>()
        /// The stamp of each answer and vote change, in stamped batches; see `stamp`.
        var stamps: (answers: GrowingBuffer<Int64>, votes: GrowingBuffer<Int64>)?
        var stamp = ChangeMarks.noTimestamp
        var arena = GrowingBuffer<UInt8>()
        var jsonBytes = 0
        var hasErasures = false
        var sorter = KeySorter()
    }

    /// Behind a pointer, because Swift checks every access to a class's stored properties for exclusivity at run time.
    let contents: UnsafeMutablePointer<Contents>

    /// - Parameter isStamped: keeps each table change's record timestamp, for `WaitingQuestions`.
    package init(isStamped: Bool = false) {
        contents = .allocate(capacity: 1)
        contents.initialize(to: Contents())
        if isStamped { contents.pointee.stamps = (GrowingBuffer(), GrowingBuffer()) }
    }

    deinit {
        contents.pointee.answers.free()
        contents.pointee.votes.free()
        contents.pointee.questions.free()
        contents.pointee.stamps?.answers.free()
        contents.pointee.stamps?.votes.free()
        contents.pointee.arena.free()
        contents.pointee.sorter.free()
        contents.deinitialize(count: 1)
        contents.deallocate()
    }

    var answers: GrowingBuffer<AnswerChange> { contents.pointee.answers }
    var votes: GrowingBuffer<VoteChange> { contents.pointee.votes }

    /// Whether the batch forgets a whole question's answers or votes.
    var hasErasures: Bool { contents.pointee.hasErasures }

    /// The number of changes.
    package var count: Int { answers.count + votes.count + contents.pointee.questions.count }

    /// Bytes of the ids in this batch and of the JSON that it refers to.
    package var byteCount: Int { contents.pointee.arena.count + contents.pointee.jsonBytes }

    /// - Parameter json: the answer record's whole value; ignored for `withdrawn` and `forgetAll`.
    package func append(_ record: AnswerRecord, json: Bytes) {
        switch record {
        case .answer(let questionID, let answerID, let answeredAt, let voteCount):
            append(questionID, answerID, .put, json, answeredAt)
            if let voteCount { append(questionID, answerID, nil, .counted, voteCount) }
        case .withdrawn(let questionID, let answerID, let voteCount):
            append(questionID, answerID, .withdraw)
            if let voteCount { append(questionID, answerID, nil, .counted, voteCount) }
        case .forgetAll(let questionID):
            append(questionID, nil, .forgetAll)
        }
    }

    /// Adds a vote record's change. A voter's id of an impossible length, which the reader refuses, is passed over.
    package func append(_ record: VoteRecord) {
        switch record {
        case .cast(let questionID, let answerID, let voterID, let value):
            guard StoreLayout.idLengths.contains(voterID.count) else { return }
            append(questionID, answerID, voterID, .cast, Int64(value))
        case .counted(let questionID, let answerID, let voteCount):
            append(questionID, answerID, nil, .counted, voteCount)
        case .forgetAll(let questionID):
            append(questionID, nil, nil, .forgetAll, 0)
        }
    }

    /// Removes all changes and keeps the memory.
    /// - Parameter changes: frees most of the memory that a batch of more changes has taken; nil: keeps all of it.
    package func removeAll(keepingRoomFor changes: Int? = nil) {
        let most = changes ?? .max
        if count > most { contents.pointee.sorter.giveBack() }
        contents.pointee.answers.removeAll(keepingRoomFor: most)
        contents.pointee.votes.removeAll(keepingRoomFor: most)
        contents.pointee.questions.removeAll(keepingRoomFor: most)
        contents.pointee.stamps?.answers.removeAll(keepingRoomFor: most)
        contents.pointee.stamps?.votes.removeAll(keepingRoomFor: most)
        contents.pointee.arena.removeAll(keepingRoomFor: changes.map { $0 * 64 } ?? .max)
        contents.pointee.jsonBytes = 0
        contents.pointee.hasErasures = false
    }

    @inline(__always)
    private func append(
        _ questionID: Bytes, _ answerID: Bytes?, _ kind: AnswerChange.Kind, _ json: Bytes = Bytes(start: nil, count: 0),
        _ answeredAt: Instant? = nil
    ) {
        let offset = contents.pointee.arena.count
        guard appendKey(questionID, answerID) else { return }
        note(kind, keyOffset: offset, json, answeredAt)
    }

    @inline(__always)
    private func append(
        _ questionID: Bytes, _ answerID: Bytes?, _ voterID: Bytes?, _ kind: VoteChange.Kind, _ value: Int64
    ) {
        let offset = contents.pointee.arena.count
        guard appendKey(questionID, answerID) else { return }
        note(kind, keyOffset: offset, voterID ?? Bytes(start: nil, count: 0), value)
    }

    /// Adds a change from another batch.
    /// - Parameter key: laid out as a batch's keys.
    @inline(__always)
    func append(
        _ kind: AnswerChange.Kind, key: Bytes, json: Bytes = Bytes(start: nil, count: 0), answeredAt: Instant? = nil
    ) {
        let offset = contents.pointee.arena.count
        contents.pointee.arena.append(contentsOf: key)
        note(kind, keyOffset: offset, json, answeredAt)
    }

    /// Adds a vote change from another batch; `voter` is empty if the change has none.
    @inline(__always)
    func append(_ kind: VoteChange.Kind, key: Bytes, voter: Bytes, _ value: Int64) {
        let offset = contents.pointee.arena.count
        contents.pointee.arena.append(contentsOf: key)
        note(kind, keyOffset: offset, voter, value)
    }

    /// The key is the arena's end from `keyOffset` on.
    @inline(__always)
    private func note(_ kind: AnswerChange.Kind, keyOffset: Int, _ json: Bytes, _ answeredAt: Instant?) {
        contents.pointee.jsonBytes += json.count
        if kind == .forgetAll { contents.pointee.hasErasures = true }
        contents.pointee.stamps?.answers.append(contents.pointee.stamp)
        contents.pointee.answers.append(
            AnswerChange(
                keyOffset: keyOffset, keyLength: contents.pointee.arena.count - keyOffset, kind: kind, json: json,
                answeredAt: answeredAt))
    }

    @inline(__always)
    private func note(_ kind: VoteChange.Kind, keyOffset: Int, _ voter: Bytes, _ value: Int64) {
        let keyLength = contents.pointee.arena.count - keyOffset
        contents.pointee.arena.append(contentsOf: voter)
        if kind == .forgetAll { contents.pointee.hasErasures = true }
        contents.pointee.stamps?.votes.append(contents.pointee.stamp)
        contents.pointee.votes.append(
            VoteChange(
                keyOffset: keyOffset, keyLength: keyLength, voterLength: voter.count, kind: kind, value: value))
    }

    @inline(__always)
    func appendKey(_ questionID: Bytes, _ answerID: Bytes?) -> Bool {
        guard StoreLayout.idLengths.contains(questionID.count) else { return false }
        if let answerID, !StoreLayout.idLengths.contains(answerID.count) { return false }
        contents.pointee.arena.append(UInt8(truncatingIfNeeded: questionID.count))
        contents.pointee.arena.append(contentsOf: questionID)
        if let answerID { contents.pointee.arena.append(contentsOf: answerID) }
        return true
    }
}

/// The ids of a batch's changes. Valid until the batch changes; free of reference counting.
struct TableKeys {
    let arena: GrowingBuffer<UInt8>

    @inline(__always)
    func key(of change: TableBatch.AnswerChange) -> Bytes {
        arena.bytes(at: change.keyOffset, count: change.keyLength)
    }

    @inline(__always)
    func key(of change: TableBatch.VoteChange) -> Bytes {
        arena.bytes(at: change.keyOffset, count: change.keyLength)
    }

    @inline(__always)
    func voterID(of change: TableBatch.VoteChange) -> Bytes {
        arena.bytes(at: change.keyOffset + change.keyLength, count: change.voterLength)
    }
}

extension TableBatch {
    var keys: TableKeys { TableKeys(arena: contents.pointee.arena) }

    /// Sorts the changes' indices by (question, answer), equal keys in record order. The erasure of a whole question,
    /// whose key is a prefix of its answers' keys, comes before them.
    func orderAnswers(into order: inout GrowingBuffer<UInt32>) {
        contents.pointee.arena.reserve(KeySorter.slack)
        let (answers, keys) = (self.answers, self.keys)
        order.fillWithIndices(answers.count)
        contents.pointee.sorter.sort(order.elements, 0..<answers.count) { keys.key(of: answers[Int($0)]) }
    }

    /// Sorts the vote changes by (question, answer, voter). A *counted* record has no voter and comes before the casts.
    func orderVotes(into order: inout GrowingBuffer<UInt32>) {
        contents.pointee.arena.reserve(KeySorter.slack)
        let (votes, keys) = (self.votes, self.keys)
        order.fillWithIndices(votes.count)
        let indices = order.elements
        contents.pointee.sorter.sort(indices, 0..<votes.count) { keys.key(of: votes[Int($0)]) }
        // Sorts by voter separately, and only where an answer has several votes: a single key of answer and voter would
        // mix up answers whose ids share a prefix.
        var start = 0
        while start < votes.count {
            let answer = keys.key(of: votes[Int(indices[start])])
            var end = start + 1
            while end < votes.count, keys.key(of: votes[Int(indices[end])]).isEqual(to: answer) { end += 1 }
            if end - start > KeySorter.fewItems {
                contents.pointee.sorter.sort(indices, start..<end) { keys.voterID(of: votes[Int($0)]) }
            } else if end - start > 1 {
                KeySorter.insertionSort(indices, start..<end) { keys.voterID(of: votes[Int($0)]) }
            }
            start = end
        }
    }
}
