import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Records
import Worker

/// Processes records as a worker does, in the order they arrive, but without a broker: checks, stores, looks up,
/// renders, and hands out the outputs that a worker would publish.
///
/// Every part is the worker's own: `EventProcessor`, `TableReader`, `AnswerStore`, the dead letters' headers, the
/// limits. Only the records' origin and destination differ. The same records give the same outputs, byte for byte,
/// independent of clock, host and run. Not Sendable: one thread.
package final class ReplayEngine {
    /// The most bytes that may wait in all partitions' batches together.
    private static let maxPendingBytes = 32 << 20

    /// Names of the inputs and outputs, without the recording's prefix.
    package let topics: TopicNames
    /// Of all records fed so far.
    package internal(set) var counts = ReplayCounts()

    private let names: InputNames
    let limits: RecordLimits
    let addedHeaderRoom: Int
    private let state: TemporaryState
    let processor: EventProcessor
    private let reader = TableReader()
    private let pool = BlockPool()
    private(set) var partitions: [Int32: ReplayPartition] = [:]
    /// Partitions with small numbers, by number.
    private var firstPartitions = [ReplayPartition?](repeating: nil, count: 64)
    private var pendingBytes = 0
    /// When records are published from here on. A change drops the waiting questions unpublished.
    package var publishOn: PublishMode {
        didSet { coalesce = Self.milliseconds(publishOn) }
    }
    /// See `ReplayPartition.init`.
    private var coalesce: Int64?

    private static func milliseconds(_ mode: PublishMode) -> Int64? {
        mode.coalesce.map { Int64($0 / .milliseconds(1)) }
    }

    /// - Parameters:
    ///   - topics: the names of the input and output topics.
    ///   - prefix: precedes the names in `topics` in the recording.
    ///   - renaming: applied to the recording's topics before the prefix is compared.
    ///   - limits: the size limits of the outputs.
    ///   - publishOn: a window's length counts by the records' timestamps.
    ///   - startState: a worker's state directory; the replay begins with copies of its stores. nil: with empty stores.
    ///   - headerRoom: bytes of the headers that a worker adds to an enriched record.
    ///   - renderedBytes: memory for rendered answers, as the worker has: with it a recurring question costs less.
    /// - Throws: `StateDirectoryError`, `StoreError`.
    package init(
        topics: TopicNames, prefix: String = "", renaming: TopicRenaming = TopicRenaming(), limits: RecordLimits,
        publishOn: PublishMode = .questions, startState: String? = nil, headerRoom: Int = 0, renderedBytes: Int = 0
    ) throws {
        self.topics = topics
        processor = EventProcessor(renderedBytes: renderedBytes)
        self.publishOn = publishOn
        coalesce = Self.milliseconds(publishOn)
        self.limits = limits
        addedHeaderRoom = headerRoom
        names = InputNames(topics, prefix: prefix, renaming: renaming)
        state = try TemporaryState()
        if let startState {
            for (number, store) in try state.copyStores(of: startState) {
                partitions[number] = ReplayPartition(number: number, store: store, pool: pool, coalesce: coalesce)
            }
        }
    }

    /// Processes one record. A record of a topic that is no input is only counted.
    /// - Parameter sink: receives the outputs that the record causes before this returns.
    /// - Throws: `StoreError`, ``ReplayError``, and the sink's errors.
    package func feed(_ record: borrowing RecordedView, into sink: some ReplaySink) throws {
        try feed(record, of: names.input(record.topic), into: sink)
    }

    /// As `feed(_:into:)`, for a record whose input is known.
    func feed(_ record: borrowing RecordedView, of input: ReplayInput?, into sink: some ReplaySink) throws {
        switch input {
        case .questions:
            counts.questions += 1
            try enrich(record, in: try partition(record.partition), into: sink)
        case .table(let table):
            if table == .answers { counts.answers += 1 } else { counts.votes += 1 }
            try change(table, by: record, in: try partition(record.partition), into: sink)
        case nil:
            counts.skipped += 1
        }
    }

    /// The topics of the records that were `skipped`.
    package var skippedTopics: [String] { names.skipped }

    /// The topic's input; nil when it is none.
    package func input(_ topic: Bytes) -> ReplayInput? { names.input(topic) }

    // MARK: - The two kinds of records

    private func enrich(
        _ event: borrowing RecordedView, in partition: ReplayPartition, into sink: some ReplaySink
    ) throws {
        if let live = partition.live { try pass(event.timestamp, live, partition, into: sink) }
        if partition.hasPending(event.key) { try apply(partition) }
        let headers = event.hasHeaders ? event.headers : []
        var headerRoom = addedHeaderRoom
        for header in headers {
            headerRoom += RecordLimits.room(ofHeader: header.name.utf8.count, value: header.value?.count ?? 0)
        }
        let limit = limits.longestValue(keyBytes: event.key?.count ?? 0, headerRoom: headerRoom)
        let value: Bytes?
        let outcome = try processor.process(key: event.key, value: event.value, store: partition.store, limit: limit)
        switch outcome {
        case .enriched(let bytes, _, _): value = bytes
        case .deleted: value = nil
        case .refused(let error):
            if let live = partition.live { try note(event, outcome, live, partition) }
            try refuse(event, of: topics.questions, because: error, in: partition, into: sink)
            return
        }
        try sink.take(
            ReplayOutput(
                kind: .enriched, topic: topics.enriched, partition: event.partition, offset: partition.enrichedOffset,
                timestamp: event.timestamp, headers: headers, key: event.key, value: value))
        partition.enrichedOffset += 1
        counts.enriched += 1
        // The value belongs to the processor, so writing to the store does not touch it.
        if let live = partition.live { try note(event, outcome, live, partition) }
    }

    private func change(
        _ table: Table, by record: borrowing RecordedView, in partition: ReplayPartition, into sink: some ReplaySink
    ) throws {
        if let live = partition.live {
            try pass(record.timestamp, live, partition, into: sink)
            live.open()
        }
        let before = partition.pendingBytes
        do throws(RecordError) {
            try partition.add(
                table, key: record.key, value: record.value, timestamp: record.timestamp, reader: reader)
        } catch {
            let topic = table == .answers ? topics.answers : topics.votes
            try refuse(record, of: topic, because: error, in: partition, into: sink)
        }
        pendingBytes += partition.pendingBytes - before
        if partition.isFull { try apply(partition) }
        if pendingBytes >= Self.maxPendingBytes {
            for partition in partitions.values { try apply(partition) }
        }
        if let live = partition.live, live.length == 0 { try publishChanges(live, partition, into: sink) }
    }

    func apply(_ partition: ReplayPartition) throws(StoreError) {
        pendingBytes -= partition.pendingBytes
        try partition.apply()
    }

    /// As the worker's publisher does: the largest form that the producer would accept.
    func refuse(
        _ record: borrowing RecordedView, of topic: String, because error: RecordError, in partition: ReplayPartition,
        into sink: some ReplaySink
    ) throws {
        let (number, timestamp) = (record.partition, record.timestamp)
        let isTaken = try DeadLetter.offer(
            key: record.key, value: record.value, headers: record.hasHeaders ? record.headers : [],
            hasHeaders: record.hasHeaders,
            reasons: DeadLetter.headers(
                error: error, topic: topic, partition: number, offset: record.offset, timestamp: timestamp)
        ) { _, key, value, headers in
            guard limits.takes(keyBytes: key?.count ?? 0, valueBytes: value?.count ?? 0, headers: headers) else {
                return false
            }
            try sink.take(
                ReplayOutput(
                    kind: .deadLetter, topic: topics.deadLetter, partition: number,
                    offset: partition.deadLetterOffset, timestamp: timestamp, headers: headers, key: key, value: value))
            return true
        }
        if isTaken {
            partition.deadLetterOffset += 1
            counts.deadLetters += 1
            return
        }
        throw ReplayError(
            "the dead letter for \(topic) [\(record.partition)] at offset \(record.offset) does not fit into "
                + "message.max.bytes (\(limits.maxMessageBytes)) even without its value, headers and key; raise "
                + "message.max.bytes in kafka.properties")
    }

    // MARK: - Partitions

    @inline(__always)
    private func partition(_ number: Int32) throws -> ReplayPartition {
        if UInt32(bitPattern: number) < UInt32(firstPartitions.count), let known = firstPartitions[Int(number)],
            known.coalesce == coalesce
        {
            return known
        }
        return try find(number)
    }

    private func find(_ number: Int32) throws -> ReplayPartition {
        let partition: ReplayPartition
        if let known = partitions[number] {
            partition = known
            if known.coalesce != coalesce {
                pendingBytes -= known.pendingBytes
                try known.follow(coalesce: coalesce)
            }
        } else {
            let store = try state.makeStore(
                partition: number, answersTopic: topics.answers, votesTopic: topics.votes)
            partition = ReplayPartition(number: number, store: store, pool: pool, coalesce: coalesce)
            partitions[number] = partition
        }
        if firstPartitions.indices.contains(Int(number)) { firstPartitions[Int(number)] = partition }
        return partition
    }
}

/// The reason why a replay cannot go on, as a sentence for people.
package struct ReplayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// With its remedy, without its end.
    package let description: String

    /// - Parameter description: a sentence for people, without its end.
    package init(_ description: String) { self.description = description }
}
