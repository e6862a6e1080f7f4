import AnswerStore
import Enrichment
import KafkaClient
import Logging
import Records

/// Keeps the stores of a lane's partitions up to date with the answers and votes topics.
///
/// A second consumer, assigned by hand: the stores' positions and the group's committed offsets decide where it reads,
/// not the group protocol. It applies no record below the store's position and publishes no dead letter below the
/// committed offset, so that both happen once however often a record is read. Lane thread only.
final class TableFollower {
    /// The work of one `advance`.
    struct Progress {
        /// Applied records.
        var answers = 0
        var votes = 0
        var bytes = 0
        /// Read records, by table.
        var read: (answers: Int, votes: Int) = (0, 0)
        var bytesRead: (answers: Int, votes: Int) = (0, 0)
        /// Whether a position moved, by a record or by a partition's end.
        var moved = false

        mutating func count(_ table: Table, read records: Int, bytes: Int, applied: Int) {
            if table == .answers {
                answers += applied
                read.answers += records
                bytesRead.answers += bytes
            } else {
                votes += applied
                read.votes += records
                bytesRead.votes += bytes
            }
            if records > 0 { moved = true }
        }
    }

    /// Bounds of one step's work, so that questions do not wait for a long run of votes.
    static let bounds = (records: 8192, bytes: 4 << 20)

    let consumer: AssignedConsumer
    let topics: TopicNames
    let logger: Logger
    private let watch: LaneWatch
    let reader = TableReader()
    /// Bounds of a step's work while tables are restored: larger sorted batches have more changes on the same pages.
    private let restoreBounds: (records: Int, bytes: Int)
    /// Memory of the gathered records, reused from step to step.
    private let messages = MessageBatch(capacity: TableFollower.bounds.records)
    private var touched: [OwnedPartition] = []
    /// The table of each of the consumer's topics, by index; nil: the questions' topic.
    private var tables: [Table?] = []
    /// Memory for the questions that wait to be published.
    private let waitingBytes: Int

    init(
        properties: ClientProperties, topics: TopicNames, watch: LaneWatch, logger: Logger
    ) throws(KafkaError) {
        self.topics = topics
        self.watch = watch
        self.logger = logger
        restoreBounds = properties.restoreBounds
        waitingBytes = properties.waitingBytes
        consumer = try AssignedConsumer(properties: properties.follower, logger: logger)
    }

    func place(_ table: Table, _ partition: Int32) -> TopicPartition {
        TopicPartition(topic: table == .answers ? topics.answers : topics.votes, partition: partition)
    }

    // MARK: - Taking over and letting go

    /// Begins to bring a store up to its tables' ends as of now.
    /// - Parameters:
    ///   - committed: the group's committed offsets; a table without one has published nothing yet.
    ///   - notes: the metadata committed with the offsets.
    ///   - ends: first offset and end of each table's partition.
    func beginRestore(
        _ partition: OwnedPartition, committed: [TopicPartition: Int64], notes: [TopicPartition: String] = [:],
        ends: [(low: Int64, high: Int64)]
    ) throws {
        for table in Table.allCases where partition.applied(table) > ends[table.rawValue].high {
            logger.warning(
                "store rebuilt: it is ahead of its topic, which must have been created anew",
                metadata: [
                    "partition": "\(place(table, partition.number))",
                    "position": .stringConvertible(partition.applied(table)),
                    "end": .stringConvertible(ends[table.rawValue].high),
                ])
            try partition.store.reset()
        }
        if partition.live == nil { try partition.store.forgetQuestions() }
        var positions: [TopicPartition: Int64] = [:]
        if let live = partition.live {
            positions = try beginHistory(partition, live, committed: committed[historyPlace(partition)])
        }
        for table in Table.allCases {
            let (low, high) = ends[table.rawValue]
            let place = place(table, partition.number)
            let applied = partition.applied(table)
            if applied < low {
                logger.warning(
                    "the topic has forgotten records that the store never had; give it retention.ms=-1",
                    metadata: [
                        "partition": "\(place)", "from": .stringConvertible(applied), "to": .stringConvertible(low),
                    ])
            }
            // A committed offset beyond the end belongs to a topic that has been recreated since.
            let published = committed[place].map { $0 > high ? low : $0 } ?? 0
            let next = max(low, min(applied, published))
            partition[table] = TableProgress(
                CatchUp(from: next, to: high), committed: published,
                lettered: max(published, OffsetNote.letters(in: notes[place]).map { min($0, high) } ?? 0))
            positions[place] = next
        }
        try partition.store.beginLoad(
            of: partition.answers.catchUp.toRead + partition.votes.catchUp.toRead
                + (partition.live?.history.toRead ?? 0))
        try assign(positions)
    }

    func assign(_ positions: [TopicPartition: Int64]) throws(KafkaError) {
        try consumer.assign(positions)
        tables = consumer.topics.map { $0 == topics.answers ? .answers : $0 == topics.votes ? .votes : nil }
    }

    func letGo(of partitions: [OwnedPartition]) throws(KafkaError) {
        try consumer.unassign(partitions.filter { !$0.isWriting }.flatMap(places))
    }

    func places(_ partition: OwnedPartition) -> [TopicPartition] {
        var places = Table.allCases.map { place($0, partition.number) }
        if let live = partition.live, !live.history.isDone { places.append(historyPlace(partition)) }
        return places
    }

    /// Reads on from the committed offsets, after an abort. All partitions are repositioned, also those whose progress
    /// stands there: the consumer may be ahead of them by gathered records that were given up.
    func rewind(
        _ partitions: [OwnedPartition], committed: [TopicPartition: Int64], notes: [TopicPartition: String] = [:]
    ) throws(KafkaError) {
        var positions: [TopicPartition: Int64] = [:]
        for partition in partitions {
            partition.changes.removeAll()
            for table in Table.allCases {
                let place = place(table, partition.number)
                partition.rewind(
                    table, committed: committed[place] ?? 0, lettered: OffsetNote.letters(in: notes[place]))
                // A partition that is not read now begins there later.
                if !partition.isWriting { positions[place] = partition[table].next }
            }
            if let next = partition.rewindHistory(), !partition.isWriting {
                positions[historyPlace(partition)] = next
            }
        }
        guard !positions.isEmpty else { return }
        try consumer.unassign(Array(positions.keys))
        try assign(positions)
    }

    // MARK: - One step's work

    /// Takes the records that have come, applies them to the stores, and publishes dead letters for those that cannot
    /// be applied.
    /// - Parameter wait: milliseconds to wait for the first record. More than 0 only while tables are restored.
    func advance(
        _ partitions: OwnedPartitions, wait: Int32, deadLetter: (DeadLetter) throws(LaneFault) -> Void
    ) throws(LaneFault) -> Progress {
        defer { touched.removeAll(keepingCapacity: true) }
        // Writing a load does not wait for records.
        let wait = nextToWrite(partitions) == nil ? wait : 0
        // Released after a fault too, with its ends: they would count for records that are read again.
        let gathering = gather(wait: wait)
        let gathered = gathering.messages
        consumer.keepFetching(
            records: gathered.count, bytes: gathered.byteCount, isStarving: wait > 0 && gathered.count == 0)
        try gathering.settle(reading: "tables", logger)
        var done = Progress()
        if gathered.count > 0 { try read(gathered, partitions, into: &done, deadLetter: deadLetter) }
        try write(partitions)
        for end in gathering.ends {
            guard let partition = partitions[end.place.partition] else { continue }
            guard end.place.topic != topics.questions else {
                try historyReachedEnd(partition, at: end.offset, of: partitions)
                continue
            }
            // A halted partition was not read up to its end.
            if let live = partition.live, live.isHalted { continue }
            let table: Table = end.place.topic == topics.answers ? .answers : .votes
            // The end lies beyond the last record where a transaction's control record or a compacted one stands there.
            if end.offset > partition[table].next { done.moved = true }
            partition[table].catchUp.reachedEnd(at: end.offset)
        }
        try writeLoad(partitions)
        return done
    }

    /// The partition of a load whose tables are read to their ends; one at a time.
    private func nextToWrite(_ partitions: OwnedPartitions) -> OwnedPartition? {
        partitions.all.first(where: \.isWriting) ?? partitions.all.first { $0.store.isLoading && $0.isCaughtUp }
    }

    /// Writes a piece of a store whose load is gathered.
    private func writeLoad(_ partitions: OwnedPartitions) throws(LaneFault) {
        guard let partition = nextToWrite(partitions) else { return }
        try watch.during(.store, as: .applyingTables) { () throws(LaneFault) in
            if case .reading(let restore) = partition.phase {
                try asking { () throws(KafkaError) in try consumer.unassign(places(partition)) }
                partition.phase = .writing(restore)
            }
            try storing { () throws(StoreError) in
                try partition.store.writeLoad(changes: Self.bounds.records, bytes: Self.bounds.bytes)
            }
            guard !partition.store.isLoading, case .writing(let restore) = partition.phase else { return }
            partition.phase = .reading(restore)
            let positions = Table.allCases.map { (place($0, partition.number), partition[$0].next) }
            try asking { () throws(KafkaError) in try assign(Dictionary(uniqueKeysWithValues: positions)) }
        }
    }

    private func gather(wait: Int32) -> Gathering {
        Gathering(into: messages, upTo: wait > 0 ? restoreBounds : Self.bounds, wait: wait) { milliseconds in
            let event = consumer.poll(timeoutMilliseconds: milliseconds)
            if milliseconds > 0 { watch.clock.attribute(to: .waitingForInput) }
            return event
        }
    }

    private func read(
        _ gathered: MessageBatch, _ partitions: OwnedPartitions, into done: inout Progress,
        deadLetter: (DeadLetter) throws(LaneFault) -> Void
    ) throws(LaneFault) {
        var index = 0
        while index < gathered.count {
            index = try readRun(of: gathered, from: index, partitions, into: &done, deadLetter: deadLetter)
        }
        done.bytes += gathered.byteCount
    }

    /// Reads the run of records from `start` on that belong to one table's partition; state of the partition is looked
    /// up once for the run.
    /// - Returns: the index of the first record after the run.
    private func readRun(
        of gathered: MessageBatch, from start: Int, _ partitions: OwnedPartitions, into done: inout Progress,
        deadLetter: (DeadLetter) throws(LaneFault) -> Void
    ) throws(LaneFault) -> Int {
        let (number, topicIndex) = (gathered[start].partition, gathered[start].topicIndex)
        // A record fetched for an earlier assignment may still come: it has no owner here.
        guard let partition = partitions[number], !partition.isWriting else { return start + 1 }
        let changes = partition.changes
        if changes.count == 0 && !touched.contains(where: { $0 === partition }) { touched.append(partition) }
        guard let table = table(topicIndex) else {
            return try readHistory(of: gathered, from: start, partition, of: partitions)
        }
        let (applied, committed) = (partition.applied(table), partition[table].committed)
        let lettered = partition[table].lettered
        let live = partition.live
        if let live {
            try beginMarking(partition, live, limit: waitingBytes / max(1, partitions.all.count))
            // A halted partition's records are read again later.
            if live.isHalted { return endOfRun(of: gathered, from: start) }
        }
        var next = partition[table].next
        if gathered[start].offset > next {
            partition[table].gap = OffsetGap(from: next, to: gathered[start].offset)
        }
        var (read, toApply, bytes) = (0, 0, 0)
        let fewChanges = partition.store.fewChanges
        var countToAskAt = changes.count + fewChanges
        defer {
            partition[table].next = next
            done.count(table, read: read, bytes: bytes, applied: toApply)
            if case .reading(var restore) = partition.phase {
                restore.records += read
                partition.phase = .reading(restore)
            }
        }
        var index = start
        while index < gathered.count {
            let message = gathered[index]
            guard message.partition == number, message.topicIndex == topicIndex else { break }
            if message.offset < next { throw .wentBack(place(table, number), from: next, to: message.offset) }
            do throws(RecordError) {
                if live != nil { changes.stamp(message.timestamp, isPublished: message.offset < committed) }
                if message.offset >= applied {
                    try reader.read(table, key: message.key, value: message.value, into: changes)
                    toApply += 1
                } else {
                    try reader.check(table, key: message.key, value: message.value)
                }
                if let live, message.offset >= committed { mark(message, of: table, applied: applied, partition, live) }
            } catch {
                if message.offset >= lettered {
                    let topic = table == .answers ? topics.answers : topics.votes
                    try deadLetter(DeadLetter(message: message, topic: topic, error: error))
                    partition[table].lettered = message.offset + 1
                }
            }
            next = message.offset + 1
            read += 1
            bytes += message.value?.count ?? 0
            index += 1
            if changes.count >= countToAskAt {
                if partition.store.isFilled(by: changes) {
                    partition[table].next = next
                    try apply(partition, of: partitions)
                }
                countToAskAt = changes.count + fewChanges
            }
        }
        return index
    }

    private func endOfRun(of gathered: MessageBatch, from start: Int) -> Int {
        let (number, topicIndex) = (gathered[start].partition, gathered[start].topicIndex)
        var index = start + 1
        while index < gathered.count, gathered[index].partition == number, gathered[index].topicIndex == topicIndex {
            index += 1
        }
        return index
    }

    /// - Returns: nil for the questions.
    private func table(_ topicIndex: Int) -> Table? {
        tables.indices.contains(topicIndex) ? tables[topicIndex] : nil
    }

    private func write(_ partitions: OwnedPartitions) throws(LaneFault) {
        for partition in touched { try apply(partition, of: partitions) }
        try watch.during(.store, as: .applyingTables) { () throws(LaneFault) in try settle(partitions) }
    }

    /// Applies the changes that were read to the store, with the positions after them.
    func apply(_ partition: OwnedPartition, of partitions: OwnedPartitions) throws(LaneFault) {
        let positions = TablePositions(
            answers: max(partition.applied(.answers), partition.answers.next),
            votes: max(partition.applied(.votes), partition.votes.next),
            questions: max(partition.store.positions.questions, partition.live?.history.next ?? 0))
        try watch.during(.store, as: .applyingTables) { () throws(LaneFault) in
            try storing { () throws(StoreError) in try partition.store.apply(partition.changes, positions: positions) }
        }
        partition.changes.removeAll(keepingRoomFor: Self.bounds.records / max(1, partitions.all.count))
        partition.live?.waiting.begin(
            at: TablePositions(answers: partition.answers.next, votes: partition.votes.next))
        for table in Table.allCases { partition[table].catchUp.settle() }
    }

    /// Commits store transactions that are due, also where no change followed.
    private func settle(_ partitions: OwnedPartitions) throws(LaneFault) {
        for partition in partitions.all {
            try storing { () throws(StoreError) in try partition.store.commitIfDue() }
        }
    }

    /// Records between the follower's position and a table's end, as far as known: before the first fetch, the end as
    /// of the take-over.
    func lag(_ table: Table, of partition: OwnedPartition) -> Int64 {
        let fetched = consumer.cachedWatermarks(place(table, partition.number))?.high ?? 0
        return max(0, max(partition[table].catchUp.target, fetched) - partition[table].next)
    }

    var lastTrouble: ClientTrouble? { consumer.lastTrouble }

    func takeThrottles() -> ClientThrottles { consumer.takeThrottles() }

    func close() { consumer.close() }
}
