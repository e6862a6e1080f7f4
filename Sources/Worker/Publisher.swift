import KafkaClient
import Logging
import Records

/// A lane's way out: enriched records, dead letters, and the offsets that pass them.
///
/// In `exactly-once` everything between two commits is one transaction, begun with the first record; in `at-least-once`
/// the offsets are committed once every record before them is acknowledged. Lane thread only.
final class Publisher {
    private enum Uncommitted {
        case nothing
        case records(bytes: Int)
    }

    private let delivery: DeliveryMode
    private let properties: ClientProperties
    private let topics: TopicNames
    private let stop: StopSignal
    private let logger: Logger
    private let watch: LaneWatch
    private var producer: Producer
    private var enriched: ProducerTopic
    private var deadLetter: ProducerTopic
    private var uncommitted = Uncommitted.nothing
    private var renewals: [ContinuousClock.Instant] = []
    private var waitLog = WaitLog()

    /// Bytes that a record may have, key, headers and the protocol's own included: `message.max.bytes`.
    let maxMessageBytes: Int

    /// Connects nothing yet.
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

    private static func makeProducer(
        _ delivery: DeliveryMode, _ properties: ClientProperties, _ logger: Logger
    ) throws(KafkaError) -> Producer {
        try Producer(
            properties: properties.producer,
            transactionalID: delivery == .exactlyOnce ? properties.transactionalID : nil,
            logger: logger)
    }

    /// Registers the transactional id: from here on an earlier worker of the same identity is fenced, and what it left open
    /// is aborted. Waits for the coordinator, which needs some seconds after a broker's start.
    func start() throws(LaneFault) {
        guard delivery == .exactlyOnce else { return }
        let before = watch.begin(.coordinator, as: .other)
        defer { watch.end(before) }
        try persist { () throws(KafkaError) in try producer.initTransactions(timeout: .seconds(5)) }
    }

    // MARK: - Records

    /// Whether something was produced that is not committed yet.
    var hasUncommitted: Bool {
        if case .records = uncommitted { true } else { false }
    }

    /// Bytes produced since the last commit.
    var uncommittedBytes: Int {
        if case .records(let bytes) = uncommitted { bytes } else { 0 }
    }

    /// Publishes an enriched value, or with nil that the question was deleted, under the event's key, time and headers.
    /// - Parameters:
    ///   - partition: nil: where the key hashes, as Java clients do it.
    ///   - carried: bytes of the event's key and headers.
    func publishEnriched(
        _ value: Bytes?, of event: ConsumedMessage, partition: Int32?, carried: Int
    ) throws(LaneFault) {
        try openTransaction()
        while true {
            do throws(KafkaError) {
                try producer.produce(
                    to: enriched, partition: partition, key: event.key, value: value, timestamp: event.timestamp,
                    headersOf: event.hasHeaders ? event : nil, extraHeaders: [])
                break
            } catch {
                try waitForRoom(or: error)
            }
        }
        uncommitted = .records(bytes: uncommittedBytes + (value?.count ?? 0) + carried)
    }

    /// Publishes what could not be processed, as it came, with the headers that say why. What is too large for the producer
    /// goes without its value, if need be without its own headers, and last without its key.
    func publish(_ letter: DeadLetter, partition: Int32?) throws(LaneFault) {
        try openTransaction()
        for form in DeadLetter.Form.allCases {
            do throws(KafkaError) {
                try produce(letter, as: form, partition: partition)
                uncommitted = .records(bytes: uncommittedBytes + letter.byteCount)
                return
            } catch {
                guard error.name == "MSG_SIZE_TOO_LARGE" else { throw LaneFault(error) }
            }
        }
        throw .fatal(
            WorkerError(
                .configuration,
                "The dead letter for \(letter.place) does not fit into message.max.bytes (\(maxMessageBytes)) even without "
                    + "its value, headers and key; raise message.max.bytes in kafka.properties"))
    }

    private func produce(_ letter: DeadLetter, as form: DeadLetter.Form, partition: Int32?) throws(KafkaError) {
        while true {
            do throws(KafkaError) {
                // No timestamp: a letter's age counts from when it was written, or a retention by time would delete
                // the letters of old records before anybody saw them. The original's is in a header.
                try producer.produce(
                    to: deadLetter, partition: partition,
                    key: form.carriesKey ? letter.message.key : nil,
                    value: form.carriesValue ? letter.message.value : nil,
                    timestamp: nil,
                    headersOf: form.carriesHeaders && letter.message.hasHeaders ? letter.message : nil,
                    extraHeaders: letter.headers(as: form))
                return
            } catch {
                guard error.isQueueFull, !stop.graceIsOver else { throw error }
                pollForRoom(error)
            }
        }
    }

    private func waitForRoom(or error: KafkaError) throws(LaneFault) {
        guard error.isQueueFull else { throw LaneFault(error) }
        if stop.graceIsOver { throw .stopped }
        pollForRoom(error)
        // A queue that stays full is a broker that does not take what is produced.
        if producer.queuedMessageCount > 0 { waitLog.note(error, logger: logger) }
    }

    private func pollForRoom(_ error: KafkaError) {
        let before = watch.resume(.producerQueue, as: .producing, cause: "\(error)")
        producer.poll(timeoutMilliseconds: 10)
        watch.end(before)
    }

    private func openTransaction() throws(LaneFault) {
        guard case .nothing = uncommitted else { return }
        if delivery == .exactlyOnce {
            do throws(KafkaError) { try producer.beginTransaction() } catch { throw LaneFault(error) }
        }
        uncommitted = .records(bytes: 0)
    }

    /// The five topics' partition counts as they are now.
    func partitionCounts() throws(KafkaError) -> [String: Int32] {
        var counts: [String: Int32] = [:]
        for name in topics.inputs + topics.outputs {
            counts[name] = try producer.partitionCount(of: try producer.topic(name), timeout: .seconds(2))
        }
        return counts
    }

    /// First offset and end of a partition, asked from its broker.
    func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try producer.queryWatermarks(partition, timeout: timeout)
    }

    // MARK: - Commit and abort

    /// Makes what was produced since the last commit visible, together with the offsets that pass it.
    /// - Parameter offsets: the next offset to read of every partition that moved, those of the tables included.
    func commit(_ offsets: [TopicPartition: Int64], of consumer: GroupConsumer) throws(LaneFault) {
        let before = watch.begin(delivery == .exactlyOnce ? .coordinator : .acknowledgements, as: .committing)
        defer { watch.end(before) }
        switch delivery {
        case .exactlyOnce:
            try openTransaction()
            try persist { () throws(KafkaError) in
                try producer.sendOffsets(offsets, of: consumer, timeout: .seconds(5))
            }
            try persist { () throws(KafkaError) in try producer.commitTransaction(timeout: .seconds(5)) }
        case .atLeastOnce:
            try persist { () throws(KafkaError) in try producer.flush(timeout: .seconds(1)) }
            if !offsets.isEmpty {
                watch.go(on: .groupCoordinator)
                do throws(KafkaError) { try consumer.commit(offsets) } catch { throw LaneFault(error) }
            }
        }
        uncommitted = .nothing
    }

    /// Makes what was produced since the last commit void. After this returns the next record begins anew.
    func abort() throws(LaneFault) {
        guard hasUncommitted else { return }
        let before = watch.begin(delivery == .exactlyOnce ? .coordinator : .acknowledgements, as: .committing)
        defer { watch.end(before) }
        switch delivery {
        case .exactlyOnce:
            try persist { () throws(KafkaError) in try producer.abortTransaction(timeout: .seconds(5)) }
        case .atLeastOnce:
            // Nothing can be taken back: what was produced may be there, and will be there again.
            try? producer.flush(timeout: .seconds(1))
        }
        uncommitted = .nothing
    }

    /// Makes a new producer in place of one that was fenced or failed for good.
    /// - Throws: `fatal` when that happens again and again, as it does when two workers use one identity.
    func renew(after error: KafkaError) throws(LaneFault) {
        let now = ContinuousClock.now
        renewals = renewals.filter { now - $0 < .seconds(60) } + [now]
        guard renewals.count <= 5 else {
            throw .fatal(
                WorkerError(
                    .failed,
                    "The producer \(properties.transactionalID) was fenced or failed \(renewals.count) times within a "
                        + "minute, last with: \(error). Another worker may use a copy of this state directory: give each "
                        + "worker a directory of its own"))
        }
        logger.warning("producer renewed", metadata: ["cause": "\(error)"])
        do throws(KafkaError) {
            producer.close(timeout: .seconds(1))
            producer = try Self.makeProducer(delivery, properties, logger)
            enriched = try producer.topic(topics.enriched)
            deadLetter = try producer.topic(topics.deadLetter)
        } catch {
            throw LaneFault(error)
        }
        uncommitted = .nothing
        try start()
    }

    /// Repeats a call that librdkafka says may be repeated, until it is through or the worker was told to stop.
    private func persist(_ call: () throws(KafkaError) -> Void) throws(LaneFault) {
        while true {
            do throws(KafkaError) {
                return try call()
            } catch {
                guard error.isRetriable || error.isTimeout, !error.isFatal, !error.requiresAbort else {
                    throw LaneFault(error)
                }
                // With nothing at stake a stopping lane need not wait.
                if hasUncommitted ? stop.graceIsOver : stop.isRequested { throw .stopped }
                waitLog.note(error, logger: logger)
                watch.note(error, reason: producer.queuedMessageCount > 0 ? .acknowledgements : .coordinator)
                producer.poll(timeoutMilliseconds: 50)
            }
        }
    }

    /// What is not committed is given up, at once: an open transaction would hold back whoever takes over.
    func close() {
        if hasUncommitted, delivery == .exactlyOnce { try? producer.abortTransaction(timeout: .seconds(1)) }
        producer.close(timeout: .seconds(1))
    }
}
