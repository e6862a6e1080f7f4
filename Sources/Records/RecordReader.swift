import Bytes

/// Reads the records of the three input topics: checks a value against the contract (`Schemas/`) and returns the few
/// fields that the worker needs.
///
/// One pass over the bytes; for a good record it allocates and copies nothing, except ids with escapes. The returned
/// `Bytes` point into the given key or value, or into the reader's own memory: they are valid until the reader's next
/// call, or until the key or value is freed.
///
/// One reader per lane, used by the lane's thread alone; it is not `Sendable`.
///
/// ```swift
/// let reader = RecordReader()
/// switch try reader.readAnswer(key: message.key, value: message.value) {
/// case .answer(let questionID, let answerID, let answeredAt, let voteCount): ...
/// case .withdrawn(let questionID, let answerID, let voteCount): ...
/// case .forgetAll(let questionID): ...
/// }
/// ```
package final class RecordReader {
    private let nesting: UnsafeMutablePointer<NestingStack>
    private let scratch = Scratch()
    private let questions = FieldTable(.question)
    private let answers = FieldTable(.answer)
    private let votes = FieldTable(.vote)

    /// Allocates the tables of field names and the reader's own memory, freed with it.
    package init() {
        nesting = .allocate(capacity: 1)
        nesting.initialize(to: NestingStack())
    }

    deinit {
        nesting.pointee.deallocate()
        nesting.deallocate()
        scratch.deallocate()
        questions.deallocate()
        answers.deallocate()
        votes.deallocate()
    }

    /// Reads a record of the questions topic.
    ///
    /// - Parameters:
    ///   - key: the record's key, nil when it is null.
    ///   - value: the record's value, nil when it is null: the question was deleted.
    /// - Throws: `RecordError` with the first applicable code of `invalid-json`, `too-deep`, `schema`, `key-mismatch`.
    package func readQuestion(key: Bytes?, value: Bytes?) throws(RecordError) -> QuestionRecord {
        guard let value else { return .deleted(id: try Self.tombstoneKey(key)) }
        try check(value, against: questions)
        return .question(id: try keyed(by: key, in: questions))
    }

    /// Reads a record of the answers topic, as `readQuestion(key:value:)` does; a null value forgets all answers of the
    /// question.
    package func readAnswer(key: Bytes?, value: Bytes?) throws(RecordError) -> AnswerRecord {
        guard let value else { return .forgetAll(questionID: try Self.tombstoneKey(key)) }
        let seen = try check(value, against: answers)
        let questionID = try keyed(by: key, in: answers)
        let answerID = scratch[.answerID].bytes
        let voteCount = seen & answers.countedMark != 0 ? scratch[.voteCount].integer : nil
        if scratch[.withdrawn].integer != 0 {
            return .withdrawn(questionID: questionID, answerID: answerID, voteCount: voteCount)
        }
        return .answer(
            questionID: questionID, answerID: answerID, answeredAt: scratch[.answeredAt].instant, voteCount: voteCount)
    }

    /// Reads a record of the votes topic, as `readQuestion(key:value:)` does; a null value forgets all votes of the
    /// question.
    package func readVote(key: Bytes?, value: Bytes?) throws(RecordError) -> VoteRecord {
        guard let value else { return .forgetAll(questionID: try Self.tombstoneKey(key)) }
        let seen = try check(value, against: votes)
        let questionID = try keyed(by: key, in: votes)
        let answerID = scratch[.answerID].bytes
        if seen & votes.countedMark != 0 {
            return .counted(questionID: questionID, answerID: answerID, voteCount: scratch[.voteCount].integer)
        }
        return .cast(
            questionID: questionID, answerID: answerID, voterID: scratch[.voterID].bytes,
            // The walk has let only -1, 0 and 1 pass.
            value: Int8(truncatingIfNeeded: scratch[.value].integer))
    }

    /// Checks a question's value that has no key yet.
    ///
    /// - Returns: the id of the question, which must become the record's key.
    /// - Throws: `RecordError` as `readQuestion(key:value:)`, but never `key-mismatch`.
    package func questionID(ofQuestion value: Bytes) throws(RecordError) -> Bytes {
        try check(value, against: questions)
        return scratch[.questionID].bytes
    }

    /// Checks an answer's value that has no key yet, as `questionID(ofQuestion:)` does.
    package func questionID(ofAnswer value: Bytes) throws(RecordError) -> Bytes {
        try check(value, against: answers)
        return scratch[.questionID].bytes
    }

    /// Checks a vote's value that has no key yet, as `questionID(ofQuestion:)` does.
    package func questionID(ofVote value: Bytes) throws(RecordError) -> Bytes {
        try check(value, against: votes)
        return scratch[.questionID].bytes
    }

    /// Walks and judges a value, leaving its fields in `scratch`.
    ///
    /// - Returns: the contract's fields that the value has.
    @discardableResult
    private func check(_ value: Bytes, against table: FieldTable) throws(RecordError) -> FieldSet {
        guard let address = value.baseAddress, value.count > 0 else { throw RecordError.emptyValue(table.kind) }
        let start = address.assumingMemoryBound(to: UInt8.self)
        defer { nesting.pointee.reset() }
        scratch.forgetOptionals()
        var walk = RecordWalk(
            scanner: JSONScanner(end: start + value.count, nesting: nesting), scratch: scratch, table: table)
        do throws(JSONSyntaxError) {
            try walk.run(from: start)
        } catch {
            throw RecordError(error, in: value, table.kind)
        }
        if nesting.pointee.isTooDeep { throw RecordError.tooDeep(table.kind) }
        if walk.isNotAnObject { throw RecordError.notAnObject(value, table.kind) }

        var required = table.required
        var looseFields: FieldSet = 0
        if table.castMark != 0 {
            let isCast = walk.seen & table.castMark != 0
            guard isCast != (walk.seen & table.countedMark != 0) else {
                throw RecordError.neitherCastNorCounted(hasBoth: isCast)
            }
            required |= isCast ? table.requiredInCast : table.requiredInCounted
            looseFields = isCast ? table.onlyInCounted : table.onlyInCast
        }
        let broken = (walk.repeated | walk.wrong) & ~looseFields | required & ~walk.seen
        if broken != 0 {
            let index = broken.trailingZeroBitCount
            let bit: FieldSet = 1 << FieldSet(index)
            if walk.seen & bit == 0 { throw RecordError.missing(table, index) }
            if walk.repeated & bit != 0 { throw RecordError.repeated(table, index) }
            throw RecordError.wrong(
                table, index, at: scratch.starts[index], JSONScanner(end: start + value.count, nesting: nesting))
        }
        return walk.seen
    }

    /// The question's id, checked to equal the key.
    private func keyed(by key: Bytes?, in table: FieldTable) throws(RecordError) -> Bytes {
        let id = scratch[.questionID].bytes
        guard let key, key.isEqual(to: id) else {
            throw RecordError.keyMismatch(table, id: id, key: key)
        }
        return id
    }

    /// A tombstone's key alone names its question: any bytes, but not empty.
    private static func tombstoneKey(_ key: Bytes?) throws(RecordError) -> Bytes {
        guard let key, key.count > 0 else { throw RecordError.keylessTombstone(isNull: key == nil) }
        return key
    }
}
