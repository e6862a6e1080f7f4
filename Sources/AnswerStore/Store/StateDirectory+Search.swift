import Bytes

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A question's data in the stores of a state directory.
package struct StateSearch: Sendable, Equatable {
    /// In partition order; only stores with data of the question. At most one, unless topics were recreated elsewhere.
    package var found: [FoundQuestion] = []
    /// Unreadable stores, each with the reason as a sentence.
    package var unreadable: [UnreadableStore] = []
}

/// A question's data in one store, copied out of it.
package struct FoundQuestion: Sendable, Equatable {
    /// The store's partition.
    package var partition: Int32
    /// The question's latest event; nil if the store does not keep the questions, or the question was not asked.
    package var event: FoundEvent?
    /// Visible answers, in bytewise order of their ids.
    package var answers: [FoundAnswer]
    /// Votes for answers that are missing (not yet received, or withdrawn), in bytewise order of the ids.
    package var talliesWithoutAnswer: [FoundTally]

    /// - Parameter event: nil: the store has none of the question.
    package init(
        partition: Int32, event: FoundEvent? = nil, answers: [FoundAnswer], talliesWithoutAnswer: [FoundTally]
    ) {
        self.partition = partition
        self.event = event
        self.answers = answers
        self.talliesWithoutAnswer = talliesWithoutAnswer
    }
}

/// A question's latest event, copied out of a store.
package struct FoundEvent: Sendable, Equatable {
    /// The event's value, byte for byte.
    package var value: [UInt8]
    /// The event's offset in the questions topic.
    package var offset: Int64
    /// Milliseconds since 1970; nil if the record has none.
    package var timestamp: Int64?
}

/// The result of looking for a question's latest event in its partition's store.
package enum StoredEvent: Sendable, Equatable {
    case found(FoundEvent)
    /// The store has no event of the question among those below the offset: the question was not asked there, or was
    /// deleted. Later events are not in the store's file yet.
    case absent(below: Int64)
    /// The store cannot be read, for the reason given.
    case unreadable(String)
}

/// A visible answer, copied out of a store.
package struct FoundAnswer: Sendable, Equatable {
    /// The answer's id, unescaped.
    package var id: [UInt8]
    /// The answer record's value, byte for byte.
    package var json: [UInt8]
    /// The tally.
    package var voteCount: Int64
    /// nil: the record has none.
    package var answeredAt: Instant?
}

/// The votes for an answer that the store does not show.
package struct FoundTally: Sendable, Equatable {
    /// The missing answer's id, unescaped.
    package var answerID: [UInt8]
    /// The tally that the answer will have.
    package var voteCount: Int64
}

/// A store that a search left out.
package struct UnreadableStore: Sendable, Equatable {
    /// The store's partition.
    package var partition: Int32
    /// A sentence for people.
    package var reason: String
}

extension StateDirectory {
    /// Looks a question up in every store of a state directory, even while a worker uses it.
    ///
    /// Takes no lock, creates no file, and reads the data files without LMDB: so it disturbs no worker, and a damaged
    /// store yields a reason instead of a crash. The data of one store come from one transaction.
    /// - Throws: when the directory itself cannot be read.
    package static func find(
        question: Bytes, stateDirectory path: String
    ) throws(StateDirectoryError) -> StateSearch {
        let partitions: [Int32]
        do {
            partitions = try partitionsWithStores(in: path)
        } catch {
            throw self.error(error, path: path)
        }
        var search = StateSearch()
        for partition in partitions {
            do throws(StoreDamage) {
                let reader = StoreReader(directory: partitionDirectory(partition, of: path))
                guard let found = try reader.find(question).found else { continue }
                search.found.append(
                    FoundQuestion(
                        partition: partition, event: found.event, answers: found.answers,
                        talliesWithoutAnswer: found.tallies))
            } catch {
                search.unreadable.append(
                    UnreadableStore(
                        partition: partition,
                        reason: "the store of partition \(partition) in '\(path)' cannot be read: \(error.reason); "
                            + "the worker rebuilds it when it opens it"))
            }
        }
        return search
    }

    /// Looks for a question's latest event in its partition's store, which must keep the questions. As `find`.
    package static func event(of question: Bytes, partition: Int32, stateDirectory path: String) -> StoredEvent {
        do throws(StoreDamage) {
            let content = try StoreReader(directory: partitionDirectory(partition, of: path)).find(question)
            guard let event = content.found?.event else { return .absent(below: content.positions.questions) }
            return .found(event)
        } catch {
            return .unreadable(error.reason)
        }
    }

    static func partitionsWithStores(in path: String) throws(SystemFailure) -> [Int32] {
        // Throws if the directory itself is unusable.
        _ = try FileSystem.names(in: path)
        let stores = path + "/partitions"
        // A directory that no worker has used has no stores.
        guard try FileSystem.entry(at: stores) != .missing else { return [] }
        return try FileSystem.names(in: stores).compactMap { Int32($0) }.sorted()
    }
}

/// Reads a store that another process may be writing.
///
/// LMDB never overwrites a page of the last two transactions' snapshots: it reuses pages freed by transaction n from
/// transaction n + 2 on (mdb.c: mdb_find_oldest without a reader table). So a snapshot that is still one of the last
/// two at the end of a read was intact throughout; otherwise the writer has overtaken the reader, which tries again.
struct StoreReader {
    struct Content {
        /// Nil when nothing is stored for the question.
        var found: Found?
        /// The store's positions in the same transaction; 0 during the first filling.
        var positions = TablePositions()
    }

    struct Found {
        var event: FoundEvent?
        var answers: [FoundAnswer]
        var tallies: [FoundTally]
    }

    let directory: String
    private let pagesAreKnown: Bool
    private static let attempts = 200

    /// - Parameter pagesAreKnown: whether `PageFormat` describes the pages of the LMDB version.
    init(directory: String, pagesAreKnown: Bool = LMDBVersion.pagesAreKnown) {
        self.directory = directory
        self.pagesAreKnown = pagesAreKnown
    }

    func find(_ question: Bytes) throws(StoreDamage) -> Content {
        guard pagesAreKnown else {
            throw StoreDamage("LMDB \(LMDBVersion.text) has pages that this program does not know")
        }
        guard StoreLayout.idLengths.contains(question.count) else { return Content() }
        var lastDamage = StoreDamage("a worker changes it faster than it can be read")
        var unreadableMetaPages = 0
        for _ in 0..<Self.attempts {
            // `reset` replaces the whole file, so open it for each attempt.
            let file = try PageFile(path: directory + "/" + StoreInspection.dataFileName)
            var damage: StoreDamage?
            var result = Content()
            var begin: UInt64?
            do {
                let snapshot = try file.newestSnapshot()
                begin = snapshot.transactionID
                // Before the first transaction there are no tables.
                if snapshot.transactionID > 0 { result = try find(question, in: snapshot, of: file) }
            } catch {
                damage = error
            }
            if let begin, let end = try? file.newestSnapshot().transactionID, end == begin || end == begin &+ 1 {
                if let damage { throw damage }
                return result
            }
            // A meta page looks damaged while it is being written, but only briefly.
            if let damage {
                lastDamage = damage
                unreadableMetaPages = begin == nil ? unreadableMetaPages + 1 : 0
                if unreadableMetaPages == 10 { throw damage }
            }
            usleep(500)
        }
        throw lastDamage
    }

    private func find(
        _ question: Bytes, in snapshot: PageSnapshot, of file: PageFile
    ) throws(StoreDamage) -> Content {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 + question.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer[0] = UInt8(truncatingIfNeeded: question.count)
        UnsafeMutableRawBufferPointer(rebasing: buffer[1...]).copyMemory(from: question)
        let prefix = Bytes(buffer)
        var answers: [FoundAnswer] = []
        var tallies: [FoundTally] = []
        var event: FoundEvent?
        var positions = TablePositions()
        for (name, table) in try StoreInspection.tables(of: snapshot, in: file) {
            let scan = PageScan(table, of: snapshot, in: file)
            let damage = StoreDamage("a row in its table of \(name) is damaged")
            switch name {
            case "meta":
                try scan.forEachRow { (key, row) throws(StoreDamage) in
                    guard rowIsIntact(key: key, row: row), let meta = StoreMeta(row) else { throw damage }
                    guard meta.layout == StoreLayout.version else { throw StoreDamage(otherLayout: meta.layout) }
                    positions = meta.positions
                    return true
                }
            case "answers":
                try scan.forEachRow(from: prefix) { (key, row) throws(StoreDamage) in
                    guard key.starts(with: prefix) else { return false }
                    guard rowIsIntact(key: key, row: row), let (json, answeredAt) = AnswerRow.read(row) else {
                        throw damage
                    }
                    answers.append(
                        FoundAnswer(
                            id: Array(key[prefix.count...]), json: Array(json), voteCount: 0, answeredAt: answeredAt))
                    return true
                }
            case "questions":
                try scan.forEachRow(from: prefix) { (key, row) throws(StoreDamage) in
                    guard compareBytes(key, prefix) == 0 else { return false }
                    guard rowIsIntact(key: key, row: row), let stored = QuestionRow.read(row) else { throw damage }
                    event = FoundEvent(
                        value: Array(stored.value), offset: stored.offset, timestamp: stored.timestamp)
                    return false
                }
            case "tallies":
                try scan.forEachRow(from: prefix) { (key, row) throws(StoreDamage) in
                    guard compareBytes(key, prefix) == 0 else { return false }
                    guard rowIsIntact(key: key, row: row) else { throw damage }
                    var cursor = TallyRow.Cursor(row)
                    while let entry = cursor.entry {
                        tallies.append(FoundTally(answerID: Array(entry.answerID), voteCount: entry.voteCount))
                        cursor.advance(past: entry)
                    }
                    return false
                }
            default: break
            }
        }
        // Positions of 0 mark an unfinished load, even if there are rows.
        if positions == TablePositions() { return Content() }
        let counts = Dictionary(tallies.map { ($0.answerID, $0.voteCount) }, uniquingKeysWith: { first, _ in first })
        for index in answers.indices { answers[index].voteCount = counts[answers[index].id] ?? 0 }
        let visible = Set(answers.map(\.id))
        tallies.removeAll { visible.contains($0.answerID) }
        if event == nil && answers.isEmpty && tallies.isEmpty { return Content(positions: positions) }
        return Content(found: Found(event: event, answers: answers, tallies: tallies), positions: positions)
    }
}
