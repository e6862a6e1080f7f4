import AnswerStore
import Bytes
import KafkaClient
import Logging

/// A lane's output: enriched records, dead letters, and the offsets that pass them.
///
/// In `exactly-once` all records between two commits are one transaction, begun with the first record; in
/// `at-least-once` the offsets are committed once every record before them is acknowledged. Lane thread only.
final class Publisher {
    enum Uncommitted {
        case nothing
        case records(bytes: Int)
    }

    let delivery: DeliveryMode
    let properties: ClientProperties
    let topics: TopicNames
    let stop: StopSignal
    let logger: Logger
    let watch: LaneWatch
    var producer: Producer
    var enriched: ProducerTopic
    var deadLetter: ProducerTopic
    var uncommitted = Uncommitted.nothing
    /// When producers were replaced because they were fenced or had failed.
    var fencings = Recurrence()
    /// One of the last transaction's offsets, until the group's coordinator is known to have applied its end.
    var unapplied: TopicPartition?
    var waitLog = WaitLog()
    var letterLimits = LetterLimits()
    private(set) var markerRest = MarkerRest()
    /// ``Producer/additionRequests`` when the current transaction began.
    private var additionsBefore = 0

    /// Limit of a record's bytes, key, headers and the protocol's own included: `message.max.bytes`.
    let maxMessageBytes: Int

    /// Makes the producer; opens no transaction yet.
    init(
        configuration: WorkerConfiguration, properties: ClientProperties, stop: StopSignal, watch: LaneWatch,
        logger: Logger
    ) throws(KafkaError) {
        delivery = configuration.delivery
        self.properties = properties
        topics = configuration.topics
        self.stop = stop
        self.watch = watch
        self.logger = logger
        producer = try Self.makeProducer(delivery, properties, logger)
        enriched = try producer.topic(topics.enriched)
        deadLetter = try producer.topic(topics.deadLetter)
        maxMessageBytes = properties.maxMessageBytes
    }

    static func makeProducer(
        _ delivery: DeliveryMode, _ properties: ClientProperties, _ logger: Logger
    ) throws(KafkaError) -> Producer {
        try Producer(
            properties: properties.producer,
            transactionalID: delivery == .exactlyOnce ? properties.transactionalID : nil,
            logger: logger)
    }

    // MARK: - Records

    /// Whether produced records are not committed yet.
    var hasUncommitted: Bool {
        if case .records = uncommitted { true } else { false }
    }

    func takeThrottles() -> ClientThrottles { producer.takeThrottles() }

    /// Bytes produced since the last commit.
    var uncommittedBytes: Int {
        if case .records(let bytes) = uncommitted { bytes } else { 0 }
    }

    /// Publishes an enriched value, or with nil the question's deletion, under the event's key, timestamp and headers.
    /// - Parameters:
    ///   - partition: nil: the key's hash decides, as for Java clients.
    ///   - carried: bytes of the event's key and headers.
    ///   - from: the value of the header `rejoinder.from`; nil: it has none.
    func publishEnriched(
        _ value: Bytes?, of event: ConsumedMessage, partition: Int32?, carried: Int, from: Bytes? = nil
    ) throws(LaneFault) {
        try openTransaction()
        try queue { () throws(KafkaError) in
            try producer.produce(
                to: enriched, partition: partition, key: event.key, value: value, timestamp: event.timestamp,
                headersOf: event.hasHeaders ? event : nil, extraHeaders: [],
                mark: from.map { (Provenance.staticName, $0) })
        }
        uncommitted = .records(bytes: uncommittedBytes + (value?.count ?? 0) + carried)
    }

    /// Publishes a question's new enriched value, as its latest event would have it now, with the change's cause.
    /// - Parameters:
    ///   - partition: nil: the key's hash decides.
    ///   - carried: bytes of key and headers.
    ///   - from: the value of the header `rejoinder.from`; nil: it has none.
    func publishChange(
        _ value: Bytes, of entry: WaitingQuestions.Entry, _ question: StoredQuestion, partition: Int32?, carried: Int,
        from: Bytes? = nil
    ) throws(LaneFault) {
        try openTransaction()
        let timestamp = [question.timestamp, entry.timestamp].compactMap { $0 }.max()
        try queue { () throws(KafkaError) in
            try producer.produce(
                to: enriched, partition: partition, key: entry.question, value: value, timestamp: timestamp,
                packedHeaders: PackedHeaders(question.headers),
                extraHeader: (ChangeCause.header, ChangeCause.value(entry.cause)),
                mark: from.map { (Provenance.staticName, $0) })
        }
        uncommitted = .records(bytes: uncommittedBytes + value.count + carried)
    }

    /// Publishes a contract record made from a source's record, placed by its key.
    /// - Parameters:
    ///   - source: the record whose timestamp and headers pass through; nil: no headers, and the current time.
    ///   - without: headers of the source that do not pass through.
    func publish(
        to topic: String, key: [UInt8], value: [UInt8]?, of source: ConsumedMessage?, without: [StaticString] = []
    ) throws(LaneFault) {
        try openTransaction()
        try queue { () throws(KafkaError) in
            try producer.produce(
                to: producer.topic(topic), key: key, value: value, timestamp: source?.timestamp,
                headersOf: source?.hasHeaders ?? false ? source : nil, without: without)
        }
        uncommitted = .records(bytes: uncommittedBytes + (value?.count ?? 0) + key.count)
    }

    /// Publishes an entry of the sources' index.
    func publishIndexEntry(_ key: Bytes, _ value: Bytes?, partition: Int32) throws(LaneFault) {
        try openTransaction()
        try queue { () throws(KafkaError) in
            try producer.produce(
                to: producer.topic(topics.sourceIndex), partition: partition, key: key, value: value, timestamp: nil)
        }
        uncommitted = .records(bytes: uncommittedBytes + (value?.count ?? 0) + key.count)
    }

    /// Publishes a record that could not be processed, as it came, with headers that say why. A letter too large for
    /// the producer goes without its value, if need be without its own headers, and last without its key.
    func publish(_ letter: DeadLetter, partition: Int32?) throws(LaneFault) {
        try openTransaction()
        let isTaken = try DeadLetter.offer(
            key: letter.key, value: letter.value, headers: letter.keptHeaders, hasHeaders: letter.hasHeaders,
            reasons: letter.reasons
        ) { (form, key, value, headers) throws(LaneFault) in
            guard letterLimits.allow(form, letter) else { return false }
            do throws(KafkaError) {
                let message = form.carriesHeaders ? letter.message : nil
                if letterLimits.needKey, key == nil {
                    try produce(
                        value, partition: partition, key: letter.standInKey, headersOf: message,
                        headers + [RecordHeader("rejoinder.error.key-added", "true")])
                } else {
                    try produce(value, partition: partition, key: key, headersOf: message, headers)
                }
                return true
            } catch {
                guard error.isTooLarge else { throw LaneFault(error) }
                return false
            }
        }
        guard isTaken else {
            throw .fatal(
                WorkerError(
                    .configuration,
                    "The dead letter for \(letter.place) does not fit into message.max.bytes (\(maxMessageBytes)) even "
                        + "without its value, headers and key; raise message.max.bytes in kafka.properties"))
        }
        uncommitted = .records(bytes: uncommittedBytes + letter.byteCount)
    }

    private func produce(
        _ value: Bytes?, partition: Int32?, key: String, headersOf message: ConsumedMessage?, _ headers: [RecordHeader]
    ) throws(KafkaError) {
        try Bytes.lend(Array(key.utf8)) { (key) throws(KafkaError) in
            try produce(value, partition: partition, key: key, headersOf: message, headers)
        }
    }

    private func produce(
        _ value: Bytes?, partition: Int32?, key: Bytes?, headersOf message: ConsumedMessage?, _ headers: [RecordHeader]
    ) throws(KafkaError) {
        try Producer.retrying { () throws(KafkaError) in
            // No timestamp: a letter's age counts from its writing, or retention by time would delete the letters of
            // old records unread. The original's timestamp is in a header.
            try producer.produce(
                to: deadLetter, partition: partition, key: key, value: value, timestamp: nil, headersOf: message,
                extraHeaders: headers)
        } full: { (error) throws(KafkaError) in
            guard error.isQueueFull, !stop.graceIsOver else { throw error }
            pollForRoom(error)
        }
    }

    /// Queues a record; waits while the queue is full.
    @inline(__always)
    private func queue(_ record: () throws(KafkaError) -> Void) throws(LaneFault) {
        try Producer.retrying(record) { (error) throws(LaneFault) in try waitForRoom(or: error) }
    }

    private func waitForRoom(or error: KafkaError) throws(LaneFault) {
        guard error.isQueueFull else { throw LaneFault(error) }
        if stop.graceIsOver { throw .stopped }
        pollForRoom(error)
        // A queue that stays full means a broker that does not take the records.
        if producer.queuedMessageCount > 0 { waitLog.note(error, logger: logger) }
    }

    private func pollForRoom(_ error: KafkaError) {
        watch.duringPiece(.producerQueue, as: .producing, cause: "\(error)") { producer.poll(timeoutMilliseconds: 10) }
    }

    func openTransaction() throws(LaneFault) {
        guard case .nothing = uncommitted else { return }
        if delivery == .exactlyOnce {
            try asking { () throws(KafkaError) in try producer.beginTransaction() }
            additionsBefore = producer.additionRequests
        }
        uncommitted = .records(bytes: 0)
    }

    /// The current transaction is committed.
    func noteCommitted(hasRecords: Bool) {
        markerRest.committed(requests: producer.additionRequests - additionsBefore, hasRecords: hasRecords)
    }

    /// The five topics' partition counts as they are now.
    func partitionCounts() throws(KafkaError) -> [String: Int32] {
        var counts: [String: Int32] = [:]
        for name in topics.inputs + topics.outputs {
            counts[name] = try partitionCount(of: name)
        }
        return counts
    }

    /// A topic's partition count as it is now.
    func partitionCount(of name: String) throws(KafkaError) -> Int32 {
        try producer.partitionCount(of: try producer.topic(name), timeout: .seconds(2))
    }

    /// First offset and end of a partition, from its broker.
    func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try producer.queryWatermarks(partition, timeout: timeout)
    }
}
