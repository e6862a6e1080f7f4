import AnswerStore
import Bytes

/// Answers and their questions, and the votes that name only their answers.
extension SourceTranslator {
    /// "" where the id is a question's; nil where it is unknown.
    func question(ofAnswer id: String) throws(StoreError) -> String? {
        try index.value(of: IndexKey.answer(id)).map { String(decoding: $0, as: UTF8.self) }
    }

    func note(
        _ identity: RecordIdentity, isDeletion: Bool, _ source: TopicSources, _ emit: (ContractRecord) throws -> Void
    ) throws {
        guard indexesAnswers else { return }
        switch identity.topic {
        case .votes: return
        case .questions:
            guard source.holdsBoth, !isDeletion, let id = identity.questionID else { return }
            try learn(id, question: "", emit)
        case .answers:
            guard let id = identity.answerID, let question = identity.questionID else { return }
            try learn(id, question: question, emit)
        }
    }

    private func learn(_ answer: String, question: String, _ emit: (ContractRecord) throws -> Void) throws {
        let old = try self.question(ofAnswer: answer)
        guard old != question else { return }
        if old != nil { try update(IndexKey.moved(answer), [1]) }
        index.set(IndexKey.answer(answer), Array(question.utf8))
        try settle(votesFor: answer, emit)
    }

    // MARK: - Votes that name only their answers

    func wait(_ vote: MappedRecord, _ rowKey: [UInt8]) {
        index.set(rowKey, RowEntry(identity: vote.identity, vote: vote.value).bytes)
    }

    /// Publishes this lane's votes that waited for an index entry, perhaps another lane's, and those whose answer it
    /// moved to another question.
    /// - Returns: the number of published votes.
    @discardableResult
    package func settle(
        afterIndexKey key: Bytes, _ value: Bytes, emit: (ContractRecord) throws -> Void
    ) throws -> Int {
        guard indexesAnswers else { return 0 }
        // An answer's move is two entries in two partitions, of which either may come first.
        if let answer = IndexKey.answerID(ofMoved: key) { return try settle(votesFor: answer, emit) }
        // The lane's own entries were followed up when it wrote them.
        guard let answer = IndexKey.answerID(ofKey: key), !index.isOwn(key, value) else { return 0 }
        return try settle(votesFor: answer, emit)
    }

    /// Publishes all votes of this lane whose answers are known by now or have moved: after a take-over or an abort.
    @discardableResult
    package func settleAll(emit: (ContractRecord) throws -> Void) throws -> Int {
        guard indexesAnswers else { return 0 }
        var count = 0
        for (answer, row) in try index.waitingVotes() where owns(row) { count += try settle(row, answer, emit) }
        for key in try index.keys(beginningWith: IndexKey.allMoved) {
            guard let answer = IndexKey.answerID(ofMoved: key) else { continue }
            count += try settle(votesFor: answer, areWaiting: false, emit)
        }
        return count
    }

    @discardableResult
    private func settle(votesFor answer: String, _ emit: (ContractRecord) throws -> Void) throws -> Int {
        var count = try settle(votesFor: answer, areWaiting: true, emit)
        if try index.value(of: IndexKey.moved(answer)) != nil {
            count += try settle(votesFor: answer, areWaiting: false, emit)
        }
        return count
    }

    private func settle(
        votesFor answer: String, areWaiting: Bool, _ emit: (ContractRecord) throws -> Void
    ) throws -> Int {
        var count = 0
        for row in try index.rows(ofVotesFor: answer, areWaiting: areWaiting) where owns(row) {
            count += try settle(row, answer, emit)
        }
        return count
    }

    /// Publishes a vote under its answer's current question, and takes it back from the earlier one.
    private func settle(_ row: [UInt8], _ answer: String, _ emit: (ContractRecord) throws -> Void) throws -> Int {
        guard let question = try question(ofAnswer: answer), var entry = try entry(row), let vote = entry.vote,
            entry.identity?.answerID == answer, entry.identity?.questionID != question
        else { return 0 }
        // A vote on a question is not published.
        let isNobodys = question.isEmpty
        try remove(entry, row, emit, isReplaced: !isNobodys)
        if isNobodys { return 0 }
        entry.identity?.questionID = question
        index.set(row, entry.bytes)
        try emit(
            ContractRecord(
                topic: .votes, key: Array(question.utf8), value: MappedRecord.value(vote, inQuestion: question)))
        return 1
    }
}
