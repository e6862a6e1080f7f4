internal import Bytes
internal import KafkaClient
internal import Recording
internal import Records
internal import Worker

/// A question-and-answer site in a test: send questions, answers and votes, and read the published records.
///
/// No broker, no threads, no waiting: a record is processed when `send` returns, by the code of `rejoinder run`. As in
/// a worker that is up to date with its topics, answers and votes sent before a question are attached to it, and those
/// sent after it are not; with `publishOn: .changes` they publish it again.
///
/// ```swift
/// let site = try RejoinderTester()
/// try site.send(answer: #"{"id":"a1","questionId":"q1","body":"So."}"#)
/// try site.send(question: #"{"id":"q1","title":"Why?"}"#)
/// #expect(site.enriched.last?.answers.map(\.id) == ["a1"])
/// ```
///
/// The same records always give the same bytes. Make one tester per test; it is not `Sendable`. Its temporary store is
/// deleted with it.
public final class RejoinderTester {
    /// The topics' names, in recordings that are sent and in the headers of dead letters.
    public struct Topics: Sendable, Hashable {
        /// The questions' topic.
        public var questions: String
        /// The answers' topic.
        public var answers: String
        /// The votes' topic.
        public var votes: String

        /// The worker's names; the defaults are the configuration's.
        public init(questions: String = "questions", answers: String = "answers", votes: String = "votes") {
            self.questions = questions
            self.answers = answers
            self.votes = votes
        }
    }

    /// All records published to the enriched topic so far, in the order of publication.
    public private(set) var enriched: [EnrichedRecord] = []

    /// All records that could not be processed so far.
    public private(set) var deadLetters: [DeadLetterRecord] = []

    private let topics: TopicNames
    private let recordedPrefix: String
    private let engine: ReplayEngine
    private let sink = CollectingSink()
    private let reader = RecordReader()
    private var nextOffsets: [Place: Int64] = [:]

    private struct Place: Hashable {
        var topic: String
        var partition: Int32
    }

    /// When enriched records are published.
    public enum PublishMode: Sendable, Hashable {
        /// With each question event, and only then.
        case questions
        /// Also when an answer or a vote changes the record of a question that was asked and not deleted: once in
        /// `coalesceMilliseconds` of the records' own time. ``RejoinderTester/settle()`` publishes the records that
        /// still wait at the end.
        case changes(coalesceMilliseconds: Int = 0)

        /// As `.changes(coalesceMilliseconds: 0)`: published as soon as the answer or vote is sent.
        public static var changes: PublishMode { .changes(coalesceMilliseconds: 0) }
    }

    /// Reasons to doubt that the recordings sent so far are whole, as sentences: one was cut off, edited, or not
    /// finished by its recorder.
    public private(set) var recordingWarnings: [String] = []

    /// An empty site.
    /// - Parameters:
    ///   - topics: the topics' names.
    ///   - recordedPrefix: prefix of the names in recordings, such as `prod.`.
    ///   - publishOn: when records are published; the worker's `publish.on`.
    ///   - maxRecordBytes: the longest enriched value; answers beyond it are left out. nil: the worker's default.
    ///   - startState: a worker's state directory; the site starts with a copy. The worker must not be running.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/state`` or
    ///   ``RejoinderTestingError/Kind/store``, when the directory cannot be copied or no temporary one can be made.
    public init(
        topics: Topics = Topics(), recordedPrefix: String = "", publishOn: PublishMode = .questions,
        maxRecordBytes: Int? = nil, startState: String? = nil
    ) throws(RejoinderTestingError) {
        let topics = TopicNames(questions: topics.questions, answers: topics.answers, votes: topics.votes)
        self.topics = topics
        self.recordedPrefix = recordedPrefix
        self.publishOn = publishOn
        engine = try RejoinderTestingError.convert {
            try ReplayEngine(
                topics: topics, prefix: recordedPrefix,
                limits: RecordLimits(
                    WorkerConfiguration(kafkaProperties: KafkaProperties([:]), maxRecordBytes: maxRecordBytes)),
                publishOn: publishOn.ofWorker, startState: startState)
        }
    }

    /// Sends a question event: the question is asked or edited, and published.
    /// - Parameters:
    ///   - json: the record's value. A fault in it makes a dead letter, not an error.
    ///   - key: the record's key; nil: the question's id in the value.
    ///   - partition: a question sees the answers and votes of its own partition number.
    ///   - timestamp: milliseconds since 1970; passed on.
    ///   - headers: passed on.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func send(
        question json: String, key: String? = nil, partition: Int32 = 0, timestamp: Int64? = nil,
        headers: [RecordHeader] = []
    ) throws(RejoinderTestingError) {
        let key = key.map { Array($0.utf8) } ?? keyBytes(of: json) { try reader.questionID(ofQuestion: $0) }
        try send(topics.questions, key: key, value: json, partition, timestamp, headers)
    }

    /// Sends an answer: written, edited or withdrawn. Parameters as of `send(question:)`.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func send(
        answer json: String, key: String? = nil, partition: Int32 = 0, timestamp: Int64? = nil,
        headers: [RecordHeader] = []
    ) throws(RejoinderTestingError) {
        let key = key.map { Array($0.utf8) } ?? keyBytes(of: json) { try reader.questionID(ofAnswer: $0) }
        try send(topics.answers, key: key, value: json, partition, timestamp, headers)
    }

    /// Sends a vote, cast or counted. Parameters as of `send(question:)`.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func send(
        vote json: String, key: String? = nil, partition: Int32 = 0, timestamp: Int64? = nil,
        headers: [RecordHeader] = []
    ) throws(RejoinderTestingError) {
        let key = key.map { Array($0.utf8) } ?? keyBytes(of: json) { try reader.questionID(ofVote: $0) }
        try send(topics.votes, key: key, value: json, partition, timestamp, headers)
    }

    /// Deletes a question: sends a null value under its id, which is published as a null value.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func deleteQuestion(_ id: String, partition: Int32 = 0, timestamp: Int64? = nil)
        throws(RejoinderTestingError)
    {
        try send(topics.questions, key: Array(id.utf8), value: nil, partition, timestamp, [])
    }

    /// Forgets every answer of a question: sends a null value to the answers topic.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func forgetAnswers(ofQuestion id: String, partition: Int32 = 0, timestamp: Int64? = nil)
        throws(RejoinderTestingError)
    {
        try send(topics.answers, key: Array(id.utf8), value: nil, partition, timestamp, [])
    }

    /// Forgets every vote of a question: sends a null value to the votes topic.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func forgetVotes(ofQuestion id: String, partition: Int32 = 0, timestamp: Int64? = nil)
        throws(RejoinderTestingError)
    {
        try send(topics.votes, key: Array(id.utf8), value: nil, partition, timestamp, [])
    }

    /// Sends the records of a recording, as `rejoinder record` or `kcat -J` writes it; `.gz` and `.zst` are unpacked.
    /// Records of other topics are skipped.
    /// - Returns: the number of records sent.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/recording``, when the file is no
    ///   recording (the description names the line) or has no record of the tester's topics; of the kind
    ///   ``RejoinderTestingError/Kind/store``, when the temporary store fails.
    @discardableResult
    public func send(recordingAt path: String) throws(RejoinderTestingError) -> Int {
        try RejoinderTestingError.convert {
            let recording = try RecordingReader(path: path)
            var sent = 0
            while try recording.advance() {
                let record = recording.view
                if engine.input(record.topic) != nil { sent += 1 }
                try engine.feed(record, into: sink)
                let place = Place(topic: String(decoding: record.topic, as: UTF8.self), partition: record.partition)
                nextOffsets[place] = record.offset + 1
                collect()
            }
            guard sent > 0 else { throw nothingMatches(recording.name) }
            recordingWarnings += recording.warnings
            return sent
        }
    }

    private func nothingMatches(_ name: String) -> RecordingError {
        let expected = topics.inputs.map { recordedPrefix + $0 }.joined(separator: ", ")
        let found = engine.skippedTopics.joined(separator: ", ")
        return RecordingError(
            .content, path: name,
            reason:
                "no record is of \(expected); they are of \(found). Give RejoinderTester these names with topics and "
                + "recordedPrefix.")
    }

    /// When records are published; the worker's `publish.on`. A later change to `.changes` covers the questions sent
    /// from then on. Every change of the mode drops records that still wait: call ``settle()`` before.
    public var publishOn: PublishMode {
        didSet { engine.publishOn = publishOn.ofWorker }
    }

    /// Publishes the records that still wait for their window to end; needed only when records follow changes.
    /// - Throws: ``RejoinderTestingError`` of the kind ``RejoinderTestingError/Kind/store``, when the temporary store
    ///   fails.
    public func settle() throws(RejoinderTestingError) {
        try RejoinderTestingError.convert {
            try engine.finish(into: sink)
            collect()
        }
    }

    /// The last record published for a question; nil: none yet.
    public func latest(_ questionID: String) -> EnrichedRecord? {
        enriched.last { $0.key == questionID }
    }

    // MARK: - Records

    /// The question's id in the value; nil: the value is broken. Values are checked before keys, so the dead letter
    /// names that fault.
    private func keyBytes(of json: String, _ id: (Bytes) throws -> Bytes) -> [UInt8]? {
        try? Array(json.utf8).withUnsafeBytes { Array(try id($0)) }
    }

    private func send(
        _ topic: String, key: [UInt8]?, value: String?, _ partition: Int32, _ timestamp: Int64?,
        _ headers: [RecordHeader]
    ) throws(RejoinderTestingError) {
        // The engine expects the names of a recording, with their prefix.
        let topic = recordedPrefix + topic
        let place = Place(topic: topic, partition: partition)
        let record = RecordedRecord(
            topic: topic, partition: partition, offset: nextOffsets[place, default: 0],
            timestampType: timestamp == nil ? .unknown : .create, timestamp: timestamp,
            headers: headers.map { KafkaClient.RecordHeader(name: $0.name, value: $0.value) }, key: key,
            value: value.map { Array($0.utf8) })
        nextOffsets[place, default: 0] += 1
        try RejoinderTestingError.convert { try engine.feed(record, into: sink) }
        collect()
    }

    private func collect() {
        for record in sink.enriched { enriched.append(EnrichedRecord(record)) }
        for record in sink.deadLetters { deadLetters.append(DeadLetterRecord(record)) }
        sink.removeAll()
    }
}

extension RejoinderTester.PublishMode {
    fileprivate var ofWorker: Worker.PublishMode {
        switch self {
        case .questions: .questions
        case .changes(let milliseconds): .changes(coalesce: .milliseconds(max(0, milliseconds)))
        }
    }
}

private final class CollectingSink: ReplaySink {
    private(set) var enriched: [RecordedRecord] = []
    private(set) var deadLetters: [RecordedRecord] = []

    func take(_ output: ReplayOutput) {
        switch output.kind {
        case .enriched: enriched.append(output.copy())
        case .deadLetter: deadLetters.append(output.copy())
        }
    }

    func removeAll() {
        enriched.removeAll()
        deadLetters.removeAll()
    }
}
