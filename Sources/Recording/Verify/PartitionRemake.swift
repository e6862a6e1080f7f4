import Bytes
import Enrichment
import KafkaClient
import Records
import Worker

/// Remakes the enriched records of one partition number. Each published record says how far both tables had been
/// applied, so the tables are brought to that state first. Uses the replay's engine, which consists of the worker's own
/// parts. Not Sendable.
final class PartitionRemake {
    /// The result of remaking an event's record.
    enum Outcome {
        /// The event is enriched; the lines describe the differences from the published record.
        case enriched(differences: [String])
        case refused(code: String)
        /// The tables do not reach as far as the record says.
        case tablesGone
    }

    /// The most times that the tables are read again from their beginning, because a record needs an earlier state.
    private static let maxRestarts = 20

    private let number: Int32
    private let topics: TopicNames
    private let makeEngine: () throws -> ReplayEngine
    private let makeCursors: () throws -> TableCursors
    private let isSampled: (Bytes?) -> Bool
    private var engine: ReplayEngine
    private var cursors: TableCursors
    private let names: TopicBytes
    private let sink = RemakeSink()
    private var restarts = 0
    private(set) var tableRecords = 0

    init(
        number: Int32, topics: TopicNames, isSampled: @escaping (Bytes?) -> Bool,
        engine makeEngine: @escaping () throws -> ReplayEngine, cursors makeCursors: @escaping () throws -> TableCursors
    ) throws {
        self.number = number
        self.topics = topics
        self.isSampled = isSampled
        self.makeEngine = makeEngine
        self.makeCursors = makeCursors
        engine = try makeEngine()
        cursors = try makeCursors()
        names = TopicBytes(topics)
    }

    func close() { cursors.close() }

    /// Remakes an event's record.
    /// - Parameters:
    ///   - from: how far the tables had been applied; nil: leave them as they are, for an event that does not depend on
    ///     them.
    ///   - actual: the published record, without the worker's own header; nil: the event is a dead letter.
    func remake(
        _ event: ConsumedMessage, from: Provenance?, comparedWith actual: (() -> RecordedRecord)?,
        isSame: @escaping (ReplayOutput) -> Bool
    ) throws -> Outcome {
        if let from, try !advance(to: from) { return .tablesGone }
        sink.begin(actual: actual, isSame: isSame)
        defer { sink.end() }
        var headers: [RecordedView.Header] = []
        event.forEachHeader { headers.append(RecordedView.Header(name: $0, value: $1)) }
        try headers.withUnsafeBufferPointer { headers in
            try engine.feed(
                RecordedView(
                    topic: names.questions, partition: number, offset: event.offset, timestampType: .create,
                    timestamp: event.timestamp, headerBytes: headers, key: event.key, value: event.value), into: sink)
        }
        return sink.outcome ?? .enriched(differences: ["nothing comes of it"])
    }

    /// Remakes the record of an event that was kept.
    func remake(
        _ event: RecordedRecord, from: Provenance, comparedWith actual: (() -> RecordedRecord)?,
        isSame: @escaping (ReplayOutput) -> Bool
    ) throws -> Outcome {
        if try !advance(to: from) { return .tablesGone }
        sink.begin(actual: actual, isSame: isSame)
        defer { sink.end() }
        try engine.feed(event, into: sink)
        return sink.outcome ?? .enriched(differences: ["nothing comes of it"])
    }

    /// - Returns: false when the tables do not reach as far.
    private func advance(to from: Provenance) throws -> Bool {
        let targets = [from.answers, from.votes]
        if zip(cursors.positions, targets).contains(where: { $0 > $1 }) {
            guard restarts < Self.maxRestarts else { return false }
            restarts += 1
            cursors.close()
            engine = try makeEngine()
            cursors = try makeCursors()
            if zip(cursors.positions, targets).contains(where: { $0 > $1 }) { return false }
        }
        for table in Table.allCases {
            let name = table == .answers ? names.answers : names.votes
            let isThere = try cursors.advance(table, to: targets[table.rawValue]) { message in
                guard isSampled(message.key) else { return }
                tableRecords += 1
                try engine.feed(
                    RecordedView(
                        topic: name, partition: number, offset: message.offset, timestampType: .create,
                        timestamp: message.timestamp, key: message.key, value: message.value), into: sink)
            }
            guard isThere else { return false }
        }
        return true
    }
}

/// Compares the engine's output of one event at once. Ignores the outputs of table records.
private final class RemakeSink: ReplaySink {
    private(set) var outcome: PartitionRemake.Outcome?
    private var actual: (() -> RecordedRecord)?
    private var isSame: ((ReplayOutput) -> Bool)?
    private let diff = RecordDiff(ignoring: [])

    func begin(actual: (() -> RecordedRecord)?, isSame: @escaping (ReplayOutput) -> Bool) {
        outcome = nil
        self.actual = actual
        self.isSame = isSame
    }

    func end() { isSame = nil }

    func take(_ output: ReplayOutput) throws {
        guard let isSame else { return }
        switch output.kind {
        case .deadLetter:
            let code = output.headers.last { $0.name == "rejoinder.error.code" }?.value ?? []
            outcome = .refused(code: String(decoding: code, as: UTF8.self))
        case .enriched where isSame(output) || actual == nil:
            outcome = .enriched(differences: [])
        case .enriched:
            guard let published = actual?() else { return }
            let expected = output.copy()
            var lines = diff.lines(expected: expected, actual: published)
            if expected.key != published.key {
                lines.insert("key: was \(Excerpt.bytes(expected.key)), is \(Excerpt.bytes(published.key))", at: 0)
            }
            outcome = .enriched(differences: lines.isEmpty ? ["it has other bytes"] : lines)
        }
    }
}

/// The input topics' names as bytes at stable addresses.
private final class TopicBytes {
    let questions: Bytes
    let answers: Bytes
    let votes: Bytes
    private let memory: [UnsafeMutableRawBufferPointer]

    init(_ topics: TopicNames) {
        memory = topics.inputs.map { name in
            let bytes = Array(name.utf8)
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            copy.copyBytes(from: bytes)
            return copy
        }
        questions = Bytes(memory[0])
        answers = Bytes(memory[1])
        votes = Bytes(memory[2])
    }

    deinit { for piece in memory { piece.deallocate() } }
}
