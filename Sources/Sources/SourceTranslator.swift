import AnswerStore
import Records

/// A record for one of the three input topics, made from a source's record.
package struct ContractRecord: Equatable, Sendable {
    package let topic: ContractTopic
    /// The question's id.
    package let key: [UInt8]
    /// nil is a null value.
    package let value: [UInt8]?
}

/// Translates source records into contract records, with an index of the records last published for each row.
///
/// Used by one thread; not Sendable.
package final class SourceTranslator {
    /// The sources of one topic, in configuration order: a row belongs to the first whose conditions it meets.
    struct TopicSources {
        let reader: EventReader
        let mappers: [RowMapper]
        /// Whether this one table has questions and answers, so that an id is either a question's or an answer's.
        let holdsBoth: Bool

        /// The place of the first mapper whose conditions the row meets.
        func place(of row: Row) throws(SourceFailure) -> Int? {
            for place in mappers.indices where try row.meets(mappers[place].mapping.conditions) { return place }
            return nil
        }

        /// Long values that the other mappers would write for the row; see ``RowMapper/longValues(_:kept:)``.
        func longValues(_ row: Row, besides place: Int?, kept: [KeptField]) -> [KeptField] {
            mappers.indices.reduce(into: []) { values, other in
                if other != place { values += mappers[other].longValues(row, kept: kept) }
            }
        }
    }

    /// The outcome of a source record that was read without an error.
    package enum Outcome: Sendable, Equatable {
        /// It became contract records.
        case mapped
        /// The row belongs to no source, or has no effect.
        case passedOver
        /// A vote whose answer has not come yet. It is published when the answer comes.
        case waiting
    }

    package let topics: [String]
    let sources: [String: TopicSources]
    private let index: SourceIndex
    /// Whether votes find their questions by their answers.
    private let indexesAnswers: Bool
    private let records = RecordReader()
    let framed: FramedRecordReader
    /// Every row comes once, and answers before their votes: rows are not indexed, and votes do not wait.
    var isOneTime = false
    /// The most bytes of a record's value; longer ones are refused.
    package var longestValue = Int.max
    /// Whether this lane owns the source partition of a row's key.
    package var owns: (_ row: [UInt8]) -> Bool = { _ in true }

    /// - Parameter schemas: finds the schemas of Avro; nil: no registry is configured.
    package init(_ mappings: [SourceMapping], index: SourceIndex, schemas: (any SchemaLookup)? = nil) {
        self.index = index
        framed = FramedRecordReader(schemas)
        indexesAnswers = mappings.contains { $0.findsQuestionByAnswer }
        var topics: [String] = []
        for mapping in mappings where !topics.contains(mapping.topic) { topics.append(mapping.topic) }
        self.topics = topics
        sources = Dictionary(
            uniqueKeysWithValues: topics.map { topic in
                let own = mappings.filter { $0.topic == topic }
                return (
                    topic,
                    TopicSources(
                        reader: EventReader(format: own[0].format), mappers: own.map(RowMapper.init),
                        holdsBoth: own.contains { $0.into == .questions } && own.contains { $0.into == .answers })
                )
            })
    }

    /// The prefix that the keys of a source partition's rows share, and its length.
    package static func rowPrefix(topic: String, partition: Int32) -> [UInt8] {
        IndexKey.prefix(topic: topic, partition: partition)
    }
    package static let rowPrefixLength = IndexKey.prefixLength

    /// Translates a source record.
    /// - Parameters:
    ///   - headers: the record's schema headers, for a topic that ``isFramed(_:)``.
    ///   - emit: called with each contract record, in order.
    /// - Throws: `SourceFailure` when the record cannot be mapped, `RegistryOutage` when its schema is not available
    ///   now: no record was emitted, and the index is as before. Errors of `emit`. `StoreError` when the index cannot
    ///   be read.
    package func translate(
        topic: String, partition: Int32, key: Bytes?, value: Bytes?, headers: SchemaHeaders = .none,
        emit: (ContractRecord) throws -> Void
    ) throws -> Outcome {
        guard let source = sources[topic] else { return .passedOver }
        let (key, content) = try content(source, key, value, headers)
        switch try source.reader.read(value: content?.json, schema: content?.schema) {
        case .nothing: return .passedOver
        case .truncation:
            throw SourceFailure(
                "the table was emptied with TRUNCATE, which names no rows: what was published of them stays; delete the rows "
                    + "one by one, or erase what came of them by null values")
        case .upsert(let row):
            return try upsert(row, source, rowKey: rowKey(topic, partition, key, source, row), emit)
        case .deletion(let before):
            let rowKey = rowKey(topic, partition, key, source, before)
            return try delete(before, source, key: source.reader.keyRow(key), rowKey: rowKey, emit)
        case .tombstone:
            guard let key else { return .passedOver }
            let rowKey = IndexKey.row(topic: topic, partition: partition, key: source.reader.keyBytes(key))
            guard let old = try entry(rowKey) else { return .passedOver }
            try remove(old, rowKey, emit)
            if !old.kept.isEmpty { index.set(rowKey, RowEntry.grave) }
            return .mapped
        }
    }

    /// A row's key in the index: by the record's key, or without one, as in a table without a primary key, by the ids
    /// that the row is mapped to.
    private func rowKey(_ topic: String, _ partition: Int32, _ key: Bytes?, _ source: TopicSources, _ row: Row?)
        -> [UInt8]?
    {
        if let key {
            return IndexKey.row(topic: topic, partition: partition, key: source.reader.keyBytes(key))
        }
        guard let row, let place = try? source.place(of: row),
            let identity = source.mappers[place].identity(row)
        else { return nil }
        let ids = [identity.topic.rawValue, identity.answerID ?? identity.questionID ?? "", identity.voterID ?? ""]
        return IndexKey.row(topic: topic, partition: partition, key: ids.joined(separator: "\0").utf8)
    }

    // MARK: - Upserts

    private func upsert(
        _ row: Row, _ source: TopicSources, rowKey: [UInt8]?, _ emit: (ContractRecord) throws -> Void
    ) throws -> Outcome {
        let stored = try rowKey.flatMap { try index.value(of: $0) }
        let old = stored.flatMap { RowEntry($0) }
        let wasDeleted = stored == RowEntry.grave
        let place: Int?
        let mapped: MappedRecord?
        do throws(SourceFailure) {
            place = try source.place(of: row)
            mapped =
                if let place {
                    try source.mappers[place].map(row, kept: old?.kept ?? [], keepsAll: wasDeleted)
                } else { nil }
        } catch {
            // A repeated change of a row whose deletion was seen before.
            if error.isOfValueStoredApart, wasDeleted { return .passedOver }
            throw error
        }
        var kept = mapped?.kept ?? []
        for value in source.longValues(row, besides: place, kept: old?.kept ?? [])
        where !kept.contains(where: { $0.name == value.name }) {
            kept.append(value)
        }
        // Kept values must fit into a record of the index.
        if kept.reduce(0, { $0 + $1.json.count }) > longestValue / 2 { kept = [] }
        guard let place, var new = mapped else { return try passOver(old, rowKey, kept, emit) }
        var question = new.identity.questionID
        if question == nil, let answer = new.identity.answerID { question = try self.question(ofAnswer: answer) }
        if question?.isEmpty ?? false {
            // A vote on a question.
            if let old, let rowKey { try remove(old, rowKey, emit) }
            return .passedOver
        }
        let unplaced = new.value
        let findsQuestion = source.mappers[place].mapping.findsQuestionByAnswer
        if findsQuestion, let question {
            new.value = MappedRecord.value(new.value, inQuestion: question)
            new.identity.questionID = question
        }
        try check(new)
        if let old, let rowKey, old.isWaiting || old.identity != new.identity { try remove(old, rowKey, emit) }
        guard let question else {
            if isOneTime { return .passedOver }
            guard let rowKey else {
                throw SourceFailure(
                    "the vote has no key to be kept by until its answer comes; give its table a primary key")
            }
            wait(new, rowKey)
            return .waiting
        }
        let vote = findsQuestion ? unplaced : nil
        let isDeletion = new.isDeletion
        try emit(
            ContractRecord(topic: new.identity.topic, key: Array(question.utf8), value: isDeletion ? nil : new.value))
        if let rowKey, !isOneTime {
            let entry = RowEntry(identity: isDeletion ? nil : new.identity, vote: vote, kept: kept)
            try update(rowKey, isDeletion && kept.isEmpty ? nil : entry.bytes)
            if vote != nil, let answer = new.identity.answerID {
                try update(IndexKey.vote(forAnswer: answer, row: rowKey, isWaiting: false), [1])
            }
        }
        try note(new.identity, isDeletion: isDeletion, source, emit)
        return .mapped
    }

    /// Takes back the record of a row that belongs to no source now, and keeps its long values in case it does later.
    private func passOver(
        _ old: RowEntry?, _ rowKey: [UInt8]?, _ kept: [KeptField], _ emit: (ContractRecord) throws -> Void
    ) throws -> Outcome {
        guard let rowKey, !isOneTime else { return .passedOver }
        if let old, old.identity != nil || kept.isEmpty { try remove(old, rowKey, emit) }
        if !kept.isEmpty { try update(rowKey, RowEntry(identity: nil, kept: kept).bytes) }
        return old?.identity == nil ? .passedOver : .mapped
    }

    /// Checks the record as the worker will, so that no published record becomes a dead letter there.
    private func check(_ record: MappedRecord) throws(SourceFailure) {
        if record.identity.topic == .votes, record.identity.voterID == nil, !isCounted(record.value) {
            throw SourceFailure(
                "the vote has neither voterId and value, as one that is cast, nor voteCount, as one that is counted")
        }
        let value =
            record.identity.questionID == nil ? MappedRecord.value(record.value, inQuestion: "?") : record.value
        if record.isDeletion { return }
        guard value.count + (record.identity.questionID?.utf8.count ?? 0) <= longestValue else {
            throw SourceFailure(
                "the \(record.identity.topic.noun) would be \(value.count) bytes long, more than the \(longestValue) that the "
                    + "producer's message.max.bytes leaves room for; raise it, or carry less")
        }
        let failure: RecordError? = value.withUnsafeBytes { value in
            do throws(RecordError) {
                switch record.identity.topic {
                case .questions: _ = try records.questionID(ofQuestion: value)
                case .answers: _ = try records.questionID(ofAnswer: value)
                case .votes: _ = try records.questionID(ofVote: value)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            throw SourceFailure("what the row becomes is no \(record.identity.topic.noun): \(failure.message)")
        }
    }

    private func isCounted(_ value: [UInt8]) -> Bool {
        value.withUnsafeBytes { bytes in
            let document = JSONDocument()
            guard (try? document.read(bytes)) != nil else { return false }
            return document.member(Array("voteCount".utf8), of: JSONDocument.root) != nil
        }
    }

    // MARK: - Deletions

    private func delete(
        _ before: Row?, _ source: TopicSources, key: Row?, rowKey: [UInt8]?, _ emit: (ContractRecord) throws -> Void
    ) throws -> Outcome {
        if let rowKey, let old = try entry(rowKey) {
            try remove(old, rowKey, emit)
            if !old.kept.isEmpty { index.set(rowKey, RowEntry.grave) }
            return .mapped
        }
        // Not in the index, but perhaps published by other means: taken back if the change has the ids.
        guard let before, let place = try? source.place(of: before),
            before.tells(source.mappers[place].identifyingPaths, besides: key),
            var identity = source.mappers[place].identity(before)
        else { return .passedOver }
        if identity.questionID == nil, let answer = identity.answerID {
            identity.questionID = try question(ofAnswer: answer)
        }
        guard let question = identity.questionID, !question.isEmpty else { return .passedOver }
        try emit(ContractRecord(topic: identity.topic, key: Array(question.utf8), value: identity.removal()))
        return .mapped
    }

    private func remove(_ old: RowEntry, _ rowKey: [UInt8], _ emit: (ContractRecord) throws -> Void) throws {
        index.set(rowKey, nil)
        guard let identity = old.identity else { return }
        if old.vote != nil, let answer = identity.answerID {
            index.set(IndexKey.vote(forAnswer: answer, row: rowKey, isWaiting: old.isWaiting), nil)
        }
        guard let question = identity.questionID else { return }
        try emit(ContractRecord(topic: identity.topic, key: Array(question.utf8), value: identity.removal()))
        if indexesAnswers, let id = identity.topic == .answers ? identity.answerID : nil,
            try self.question(ofAnswer: id) == question
        {
            index.set(IndexKey.answer(id), nil)
            // If the answer comes back, it may be another question's.
            try update(IndexKey.moved(id), [1])
        }
    }

    // MARK: - Answers and their questions

    /// "" where the id is a question's; nil where it is unknown.
    private func question(ofAnswer id: String) throws(StoreError) -> String? {
        try index.value(of: IndexKey.answer(id)).map { String(decoding: $0, as: UTF8.self) }
    }

    private func note(
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

    private func wait(_ vote: MappedRecord, _ rowKey: [UInt8]) {
        index.set(rowKey, RowEntry(identity: vote.identity, vote: vote.value).bytes)
        if let answer = vote.identity.answerID {
            index.set(IndexKey.vote(forAnswer: answer, row: rowKey, isWaiting: true), [1])
        }
    }

    /// Publishes this lane's votes that waited for an index entry, perhaps another lane's, and those whose answer it
    /// moved to another question.
    /// - Returns: the number of published votes.
    @discardableResult
    package func settle(afterIndexKey key: Bytes, emit: (ContractRecord) throws -> Void) throws -> Int {
        // An answer's move is two entries in two partitions, of which either may come first.
        guard indexesAnswers, let answer = IndexKey.answerID(ofKey: key) ?? IndexKey.answerID(ofMoved: key) else {
            return 0
        }
        return try settle(votesFor: answer, emit)
    }

    /// Publishes all votes of this lane whose answers are known by now or have moved: after a take-over or an abort.
    @discardableResult
    package func settleAll(emit: (ContractRecord) throws -> Void) throws -> Int {
        guard indexesAnswers else { return 0 }
        var count = 0
        for key in try index.keys(beginningWith: IndexKey.allWaiting) {
            guard let (answer, row) = IndexKey.parts(ofVote: key), owns(row) else { continue }
            count += try settle(row, answer, emit)
        }
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
        for key in try index.keys(ofVotesFor: answer, areWaiting: areWaiting) {
            guard let (_, row) = IndexKey.parts(ofVote: key), owns(row) else { continue }
            count += try settle(row, answer, emit)
        }
        return count
    }

    /// Publishes a vote under its answer's current question, and takes it back from the earlier one.
    private func settle(_ row: [UInt8], _ answer: String, _ emit: (ContractRecord) throws -> Void) throws -> Int {
        guard let question = try question(ofAnswer: answer), var entry = try entry(row), let vote = entry.vote,
            entry.identity?.answerID == answer, entry.identity?.questionID != question
        else { return 0 }
        try remove(entry, row, emit)
        // A vote on a question is not published.
        guard !question.isEmpty else { return 0 }
        entry.identity?.questionID = question
        index.set(row, entry.bytes)
        index.set(IndexKey.vote(forAnswer: answer, row: row, isWaiting: false), [1])
        try emit(
            ContractRecord(
                topic: .votes, key: Array(question.utf8), value: MappedRecord.value(vote, inQuestion: question)))
        return 1
    }

    // MARK: - Entries

    private func entry(_ rowKey: [UInt8]) throws(StoreError) -> RowEntry? {
        try index.value(of: rowKey).flatMap { RowEntry($0) }
    }

    /// Writes an entry if it differs from the current one: a snapshot repeats every row.
    private func update(_ key: [UInt8], _ value: [UInt8]?) throws(StoreError) {
        guard try index.value(of: key) != value else { return }
        index.set(key, value)
    }
}
