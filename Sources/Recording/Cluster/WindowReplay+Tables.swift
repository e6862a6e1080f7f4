import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Records
import Worker

/// One partition number during a window replay.
struct WindowPartition {
    let work: WindowReplay.PartitionWork
    let store: AnswerStore
    let scan: PartitionScan
    let sink: WindowSink
    /// Prefix of temporary files' paths.
    let filePrefix: String
    let tracker: WindowProgress
}

// MARK: - The tables as they stand

extension WindowReplay {
    /// Bounds of one transaction of the store.
    private static let maxBatchRecords = 8192
    private static let maxBatchBytes = 4 << 20

    /// Loads both tables into the store, then reads the questions.
    func replayWithTablesAsOfNow(_ window: WindowPartition) throws {
        for table in Table.allCases { try load(table, window) }
        let processor = EventProcessor()
        let place = TopicPartition(topic: topics.questions, partition: window.work.number)
        let end = try window.scan.read(place, window.work.questions, idle: window.tracker.show) { message in
            defer { message.release() }
            window.tracker.count(message.byteCount)
            summary.events += 1
            try enrich(WindowEvent(message), with: processor, window)
        }
        tell(end, of: place, window)
    }

    private func load(_ table: Table, _ window: WindowPartition) throws {
        let place = topic(of: table, window.work.number)
        let gathered = MessageBatch(capacity: Self.maxBatchRecords)
        let changes = TableBatch()
        var positions = window.store.positions
        func apply() throws(StoreError) {
            if table == .answers { positions.answers += 1 } else { positions.votes += 1 }
            try window.store.apply(changes, positions: positions)
            changes.removeAll()
            gathered.removeAll()
        }
        let range = window.work.tables[table.rawValue]
        let end = try window.scan.read(place, range, idle: window.tracker.show) { message in
            // The batch points to the messages' bytes until it is applied.
            gathered.append(message)
            window.tracker.count(message.byteCount)
            add(table, key: message.key, value: message.value, to: changes)
            if gathered.count >= Self.maxBatchRecords || gathered.byteCount >= Self.maxBatchBytes { try apply() }
        }
        try apply()
        tell(end, of: place, window)
    }

    private func add(_ table: Table, key: Bytes?, value: Bytes?, to changes: TableBatch) {
        do throws(RecordError) {
            try reader.read(table, key: key, value: value, into: changes)
            summary.tableRecords += 1
        } catch {
            summary.tableRecordsRefused += 1
        }
    }

    private func tell(_ end: PartitionScan.End, of place: TopicPartition, _ window: WindowPartition) {
        guard case .heldBack(let offset) = end else { return }
        window.tracker.warn(
            "\(place) could be read up to offset \(offset) only: an open transaction may hold back the later ones")
    }

    private func enrich(_ event: WindowEvent, with processor: EventProcessor, _ window: WindowPartition) throws {
        switch try processor.process(
            key: event.key, value: event.value, store: window.store, limit: window.sink.limit(for: event))
        {
        case .enriched(let value, _, _): try window.sink.publish(value, of: event, window.tracker)
        case .deleted: try window.sink.publish(nil, of: event, window.tracker)
        case .refused(let error): try window.sink.refuse(event, error, window.tracker)
        }
    }
}

// MARK: - The tables as they stood at each event

extension WindowReplay {
    /// Merges events and table records of the partition by timestamp, so that each event meets the tables of its time.
    /// Outputs leave in the order of the events' offsets, regardless of their timestamps, so that a question's last
    /// record is that of its last event.
    func replayWithTablesAsOfEvent(_ window: WindowPartition) throws {
        let questions = try sort(TopicPartition(topic: topics.questions, partition: window.work.number), window)
        // Records younger than every event of the window are not needed.
        guard let youngest = questions.highestRank else { return }
        var tables: [(table: Table, records: SortedRecords)] = []
        for table in Table.allCases {
            let sorter = try sort(table, upTo: youngest, window)
            tables.append((table, try sorter.sorted()))
        }
        guard !stop.isRequested else { return }
        let held = questions.isInOrder ? nil : sorter("outputs", window)
        let processor = EventProcessor()
        let pending = PendingTables()
        let events = try questions.sorted()
        while let next = events.head, !stop.isRequested {
            for (table, records) in tables {
                while let record = records.head, record.rank <= next.rank {
                    pending.keep(record) { key, value in add(table, key: key, value: value, to: pending.changes) }
                    try records.advance()
                    if pending.isFull { try pending.apply(to: window.store) }
                }
            }
            try pending.apply(to: window.store)
            summary.events += 1
            let event = WindowEvent(next, partition: window.work.number)
            if let held {
                try hold(event, next, in: held, processor, window)
            } else {
                try enrich(event, with: processor, window)
            }
            try events.advance()
        }
        if let held { try publish(held, window) }
    }

    private func sorter(_ name: String, _ window: WindowPartition) -> RecordSorter {
        RecordSorter(path: "\(window.filePrefix)-\(name)-\(window.work.number)", budget: options.sorterBytes)
    }

    private func sort(_ place: TopicPartition, _ window: WindowPartition) throws -> RecordSorter {
        let sorter = sorter("questions", window)
        let end = try window.scan.read(place, window.work.questions, idle: window.tracker.show) { message in
            defer { message.release() }
            window.tracker.count(message.byteCount)
            try sorter.append(message, headers: PackedHeaders.pack(message))
        }
        tell(end, of: place, window)
        return sorter
    }

    private func sort(_ table: Table, upTo youngest: Int64, _ window: WindowPartition) throws -> RecordSorter {
        let place = topic(of: table, window.work.number)
        let sorter = sorter("table-\(table)", window)
        let range = window.work.tables[table.rawValue]
        let end = try window.scan.read(place, range, idle: window.tracker.show) { message in
            defer { message.release() }
            window.tracker.count(message.byteCount)
            if (message.timestamp ?? -1) <= youngest { try sorter.append(message, headers: []) }
        }
        tell(end, of: place, window)
        return sorter
    }

    /// Processes an event now, and keeps its output until its turn.
    private func hold(
        _ event: WindowEvent, _ record: SortedRecord, in held: RecordSorter, _ processor: EventProcessor,
        _ window: WindowPartition
    ) throws {
        var record = record
        record.rank = record.offset
        switch try processor.process(
            key: event.key, value: event.value, store: window.store, limit: window.sink.limit(for: event))
        {
        case .enriched(let value, _, _):
            record.value = value
            try held.append(record)
        case .deleted:
            record.value = nil
            try held.append(record)
        case .refused(let error):
            // The error travels in front of the event's own headers.
            record.tag = 1
            let all =
                PackedHeaders.pack([RecordHeader(name: error.code.rawValue, value: Array(error.message.utf8))])
                + Array(record.headers)
            try all.withUnsafeBytes { bytes in
                record.headers = bytes
                try held.append(record)
            }
        }
    }

    private func publish(_ held: RecordSorter, _ window: WindowPartition) throws {
        let records = try held.sorted()
        while let record = records.head, !stop.isRequested {
            var event = WindowEvent(record, partition: window.work.number)
            if record.tag == 1, !event.headers.isEmpty {
                let error = event.headers.removeFirst()
                try window.sink.refuse(
                    event,
                    RecordError(
                        code: RecordErrorCode(rawValue: error.name) ?? .schema,
                        message: String(decoding: error.value ?? [], as: UTF8.self)), window.tracker)
            } else {
                try window.sink.publish(event.value, of: event, window.tracker)
            }
            try records.advance()
        }
    }
}

/// Table records that are due and not applied yet, with copies of their bytes.
private final class PendingTables {
    let changes = TableBatch()
    private var values: [UnsafeMutableRawBufferPointer] = []
    private var bytes = 0
    private var applied: Int64 = 0

    deinit { free() }

    var isFull: Bool { values.count >= 8192 || bytes >= 4 << 20 }

    /// Copies a record's bytes, which the batch needs until it is applied, and lends the copies.
    func keep(_ record: SortedRecord, _ body: (Bytes?, Bytes?) -> Void) {
        body(copy(record.key), copy(record.value))
    }

    private func copy(_ part: Bytes?) -> Bytes? {
        guard let part else { return nil }
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: part.count, alignment: 1)
        copy.copyMemory(from: part)
        values.append(copy)
        bytes += part.count
        return Bytes(copy)
    }

    func apply(to store: AnswerStore) throws(StoreError) {
        guard !values.isEmpty else { return }
        // No reader resumes from a temporary store's positions; they only have to grow.
        applied += 1
        try store.apply(changes, positions: TablePositions(answers: applied, votes: applied))
        changes.removeAll()
        free()
    }

    private func free() {
        for value in values { value.deallocate() }
        values.removeAll(keepingCapacity: true)
        bytes = 0
    }
}

extension WindowEvent {
    /// Points into the message: valid as long as it lives.
    init(_ message: ConsumedMessage) {
        self.init(
            partition: message.partition, offset: message.offset, timestamp: message.timestamp, key: message.key,
            value: message.value, headers: message.hasHeaders ? message.headers : [])
    }

    /// Points into the record: valid as long as its bytes.
    init(_ record: SortedRecord, partition: Int32) {
        self.init(
            partition: partition, offset: record.offset, timestamp: record.timestamp, key: record.key,
            value: record.value, headers: PackedHeaders(record.headers).headers)
    }
}

extension RecordSorter {
    /// Appends with the timestamp as rank; a record without one comes before all others.
    fileprivate func append(_ message: ConsumedMessage, headers: [UInt8]) throws(WorkerError) {
        let time = message.timestamp ?? -1
        let record = SortedRecord(
            rank: time, offset: message.offset, time: time, tag: 0, key: message.key, value: message.value,
            headers: Bytes(start: nil, count: 0))
        guard !headers.isEmpty else { return try append(record) }
        // Not every supported toolchain passes a typed throw through `withUnsafeBytes`.
        let result = headers.withUnsafeBytes { bytes -> Result<Void, WorkerError> in
            var record = record
            record.headers = bytes
            do throws(WorkerError) { return .success(try append(record)) } catch { return .failure(error) }
        }
        try result.get()
    }
}
