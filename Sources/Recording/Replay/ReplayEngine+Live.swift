import AnswerStore
import Bytes
import Enrichment
import KafkaClient
import Records
import Worker

/// Decides when a replay publishes the waiting questions of a partition. Time is that of the records.
final class ReplayWindow {
    /// Milliseconds.
    let length: Int64
    let waiting = WaitingQuestions()
    let omissions = OmissionDigests()
    /// The latest timestamp so far.
    private var now: Int64 = 0
    private var since: Int64?

    init(length: Int64) { self.length = length }

    /// Advances the time to a record's timestamp.
    /// - Returns: whether the window has ended by then.
    func pass(_ timestamp: Int64?) -> Bool {
        now = max(now, timestamp ?? now)
        return since.map { now - $0 >= length } ?? false
    }

    /// Opens the window at the first change.
    func open() { if since == nil { since = now } }

    func close() { since = nil }
}

/// How a replay's records follow changes (`PublishMode.changes`): as a worker's, except for the clock, so that the same
/// records give the same bytes.
extension ReplayEngine {
    /// Publishes the waiting questions at the end of the input.
    /// - Throws: as `feed`.
    package func finish(into sink: some ReplaySink) throws {
        for (_, partition) in partitions.sorted(by: { $0.key < $1.key }) {
            guard let live = partition.live else { continue }
            try publishChanges(live, partition, into: sink)
        }
    }

    /// Advances the time to a record's timestamp, and publishes the waiting questions if their window has ended by
    /// then.
    func pass(
        _ timestamp: Int64?, _ live: ReplayWindow, _ partition: ReplayPartition, into sink: some ReplaySink
    ) throws {
        if live.pass(timestamp) { try publishChanges(live, partition, into: sink) }
    }

    /// Notes a processed question event.
    func note(
        _ event: borrowing RecordedView, _ outcome: EventOutcome, _ live: ReplayWindow, _ partition: ReplayPartition
    ) throws {
        guard let key = event.key else { return }
        var isRefused = false
        if case .refused(let error) = outcome {
            guard error.code == .tooLarge, event.value != nil else { return }
            isRefused = true
        }
        live.waiting.remove(key)
        if case .enriched(let value, _, let omitted) = outcome, omitted > 0 {
            live.omissions.note(value, of: key)
        } else {
            live.omissions.note(nil, of: key)
        }
        guard let value = event.value else { return try partition.keep(nil, of: key) }
        let headers = event.hasHeaders ? PackedHeaders.pack(event.headers) : []
        let (timestamp, offset) = (event.timestamp, event.offset)
        try headers.withUnsafeBytes { headers in
            try partition.keep(
                StoredQuestion(
                    value: value, headers: headers, timestamp: timestamp, offset: offset, isRefused: isRefused),
                of: key)
        }
    }

    func publishChanges(_ live: ReplayWindow, _ partition: ReplayPartition, into sink: some ReplaySink) throws {
        try apply(partition)
        live.close()
        while let entry = live.waiting.first {
            if !entry.isTakenBack, let question = try partition.store.question(entry.question) {
                try publish(entry, question, in: partition, into: sink)
            }
            live.waiting.removeFirst()
        }
    }

    private func publish(
        _ entry: WaitingQuestions.Entry, _ question: StoredQuestion, in partition: ReplayPartition,
        into sink: some ReplaySink
    ) throws {
        let cause = RecordHeader("rejoinder.cause", entry.cause == .answers ? "answers" : "votes")
        let headers = PackedHeaders(question.headers).headers + [cause]
        var room = 0
        for header in headers {
            room += RecordLimits.room(ofHeader: header.name.utf8.count, value: header.value?.count ?? 0)
        }
        let limit = limits.longestValue(keyBytes: entry.question.count, headerRoom: room)
        let outcome = try processor.process(
            stored: entry.question, value: question.value, store: partition.store, limit: limit)
        switch outcome {
        case .enriched(let value, _, let omitted):
            guard partition.live?.omissions.isNews(value, of: entry.question, omitted: omitted) ?? true else { return }
            try sink.take(
                ReplayOutput(
                    kind: .enriched, topic: topics.enriched, partition: partition.number,
                    offset: partition.enrichedOffset,
                    timestamp: [question.timestamp, entry.timestamp].compactMap { $0 }.max(), headers: headers,
                    key: entry.question, value: value))
            partition.enrichedOffset += 1
            counts.enriched += 1
            counts.republished += 1
            if question.isRefused { try setRefused(false, entry.question, question, in: partition) }
        case .refused(let error):
            guard !question.isRefused else { return }
            try refuse(question, entry.question, because: error, in: partition, into: sink)
            try setRefused(true, entry.question, question, in: partition)
        case .deleted:
            break
        }
    }

    /// Publishes the dead letter of an event that the store has kept.
    private func refuse(
        _ question: StoredQuestion, _ id: Bytes, because error: RecordError, in partition: ReplayPartition,
        into sink: some ReplaySink
    ) throws {
        var headers: [RecordedView.Header] = []
        PackedHeaders(question.headers).eachHeader { headers.append(RecordedView.Header(name: $0, value: $1)) }
        try headers.withUnsafeBufferPointer { headers in
            try refuse(
                RecordedView(
                    topic: Bytes(start: nil, count: 0), partition: partition.number, offset: question.offset,
                    timestampType: question.timestamp == nil ? .unknown : .create, timestamp: question.timestamp,
                    headerBytes: headers, key: id, value: question.value),
                of: topics.questions, because: error, in: partition, into: sink)
        }
    }

    private func setRefused(
        _ isRefused: Bool, _ id: Bytes, _ question: StoredQuestion, in partition: ReplayPartition
    ) throws {
        // Copies, since the store's own bytes must not be read while it is written to.
        let (value, headers) = (Array(question.value), Array(question.headers))
        try value.withUnsafeBytes { value in
            try headers.withUnsafeBytes { headers in
                var question = question
                (question.value, question.headers, question.isRefused) = (value, headers, isRefused)
                try partition.keep(question, of: id)
            }
        }
    }
}

/// Passes dead letters on at once, and at the end each question's last enriched record, in the order of arrival.
package final class LastRecordSink: ReplaySink {
    private struct Place: Hashable {
        var partition: Int32
        var key: [UInt8]
    }

    private let next: any ReplaySink
    private var last: [Place: (order: Int, record: RecordedRecord)] = [:]
    private var count = 0

    /// - Parameter next: takes the dead letters at once and the last enriched records on ``finish()``.
    package init(_ next: some ReplaySink) { self.next = next }

    /// Keeps a copy of an enriched record in place of its question's earlier one.
    package func take(_ output: ReplayOutput) throws {
        guard output.kind == .enriched else { return try next.take(output) }
        count += 1
        last[Place(partition: output.partition, key: output.key.map(Array.init) ?? [])] = (count, output.copy())
    }

    /// Passes the last records on; no outputs may follow.
    package func finish() throws {
        for (_, record) in last.values.sorted(by: { $0.order < $1.order }) {
            try (record.key ?? []).withUnsafeBytes { key in
                try (record.value ?? []).withUnsafeBytes { value in
                    try next.take(
                        ReplayOutput(
                            kind: .enriched, topic: record.topic, partition: record.partition, offset: record.offset,
                            timestamp: record.timestamp, headers: record.headers,
                            key: record.key == nil ? nil : key, value: record.value == nil ? nil : value))
                }
            }
        }
        last.removeAll()
    }
}
