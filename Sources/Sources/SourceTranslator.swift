import AnswerStore
import Bytes
import Records

/// A record for one of the three input topics, made from a source's record.
package struct ContractRecord: Equatable, Sendable {
    /// The input topic that the record is for.
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
    final class TopicSources {
        let topic: String
        let reader: EventReader
        let mappers: [RowMapper]
        /// Whether this one table has questions and answers, so that an id is either a question's or an answer's.
        let holdsBoth: Bool
        /// The prefixes of the rows' keys in the index, by partition.
        private var prefixes: [Int32: [UInt8]] = [:]

        /// - Parameter mappings: of one topic, at least one.
        init(_ mappings: [SourceMapping]) {
            topic = mappings[0].topic
            reader = EventReader(format: mappings[0].format)
            mappers = mappings.map(RowMapper.init)
            holdsBoth = mappings.contains { $0.into == .questions } && mappings.contains { $0.into == .answers }
        }

        /// A row's key in the index.
        func rowKey(_ partition: Int32, _ key: some Collection<UInt8>) -> [UInt8] {
            if let prefix = prefixes[partition] { return IndexKey.row(prefix, key: key) }
            let prefix = IndexKey.prefix(topic: topic, partition: partition)
            prefixes[partition] = prefix
            return IndexKey.row(prefix, key: key)
        }

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

    /// The source topics, in the order of the mappings.
    package let topics: [String]
    let sources: [String: TopicSources]
    let index: SourceIndex
    /// Whether votes find their questions by their answers.
    let indexesAnswers: Bool
    /// The reviews of topics' first records that are not over.
    var reviews: [String: FirstRows] = [:]
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
            uniqueKeysWithValues: topics.map { topic in (topic, TopicSources(mappings.filter { $0.topic == topic })) })
    }

    /// The prefix that the keys of a source partition's rows share, and its length.
    package static func rowPrefix(topic: String, partition: Int32) -> [UInt8] {
        IndexKey.prefix(topic: topic, partition: partition)
    }
    /// Bytes of each such prefix.
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
                "the table was emptied with TRUNCATE, which names no rows: what was published of them stays; delete "
                    + "the rows one by one, or erase what came of them by null values")
        case .upsert(let row):
            return try upsert(row, source, rowKey: rowKey(partition, key, source, row), emit)
        case .deletion(let before):
            let rowKey = rowKey(partition, key, source, before)
            return try delete(before, source, key: source.reader.keyRow(key), rowKey: rowKey, emit)
        case .tombstone:
            guard let key else { return .passedOver }
            let rowKey = source.rowKey(partition, source.reader.keyBytes(key))
            guard let old = try entry(rowKey) else { return .passedOver }
            try remove(old, rowKey, emit)
            if !old.kept.isEmpty { index.set(rowKey, RowEntry.grave) }
            return .mapped
        }
    }

    /// A row's key in the index: by the record's key, or without one, as in a table without a primary key, by the ids
    /// that the row is mapped to.
    private func rowKey(_ partition: Int32, _ key: Bytes?, _ source: TopicSources, _ row: Row?) -> [UInt8]? {
        if let key { return source.rowKey(partition, source.reader.keyBytes(key)) }
        guard let row, let place = try? source.place(of: row),
            let identity = source.mappers[place].identity(row)
        else { return nil }
        let ids = [identity.topic.rawValue, identity.answerID ?? identity.questionID ?? "", identity.voterID ?? ""]
        return source.rowKey(partition, Array(ids.joined(separator: "\0").utf8))
    }

    // MARK: - Upserts

    private func upsert(
        _ row: Row, _ source: TopicSources, rowKey: [UInt8]?, _ emit: (ContractRecord) throws -> Void
    ) throws -> Outcome {
        // The row's entry as the index has it.
        let stored = try rowKey.flatMap { try index.value(of: $0) }
        var old = stored.flatMap { RowEntry($0) }
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
        if let earlier = old, let rowKey, earlier.isWaiting || earlier.identity != new.identity {
            try remove(earlier, rowKey, emit, isReplaced: true)
            old = nil
        }
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
            let bytes = isDeletion && kept.isEmpty ? nil : entry.bytes
            // A snapshot repeats every row.
            if bytes != stored { index.set(rowKey, bytes) }
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
        if record.identity.topic == .votes, record.identity.voterID == nil, !record.isCounted {
            throw SourceFailure(
                "the vote has neither voterId and value, as one that is cast, nor voteCount, as one that is counted")
        }
        let value =
            record.identity.questionID == nil ? MappedRecord.value(record.value, inQuestion: "?") : record.value
        if record.isDeletion { return }
        guard value.count + (record.identity.questionID?.utf8.count ?? 0) <= longestValue else {
            throw SourceFailure(
                "the \(record.identity.topic.noun) would be \(value.count) bytes long, more than the \(longestValue) "
                    + "that the producer's message.max.bytes leaves room for; raise it, or carry less")
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

    /// Takes back the record of a row's entry.
    /// - Parameter isReplaced: the caller sets the row's entry to another.
    func remove(
        _ old: RowEntry, _ rowKey: [UInt8], _ emit: (ContractRecord) throws -> Void, isReplaced: Bool = false
    ) throws {
        if !isReplaced { index.set(rowKey, nil) }
        guard let identity = old.identity else { return }
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

    // MARK: - Entries

    func entry(_ rowKey: [UInt8]) throws(StoreError) -> RowEntry? {
        try index.value(of: rowKey).flatMap { RowEntry($0) }
    }

    /// Writes an entry if it differs from the current one: a snapshot repeats every row.
    func update(_ key: [UInt8], _ value: [UInt8]?) throws(StoreError) {
        guard try index.value(of: key) != value else { return }
        index.set(key, value)
    }
}
