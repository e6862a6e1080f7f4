import CRDKafka
import Logging

/// A topic to produce to. Holds librdkafka's handle alone, which saves a name lookup and reference counting per record.
/// The producer that made it owns it.
package struct ProducerTopic {
    let pointer: OpaquePointer
}

/// A transactional producer (with a transactional id) or an idempotent one (without).
///
/// Not Sendable: every call is made on one thread. Only failed deliveries are reported, as events on the client's main
/// queue, which `poll`, `flush` and the transaction calls read. With events librdkafka's own flush returns the moment
/// the last record is delivered; with callbacks it checks every 10 ms.
package final class Producer {
    let client: ClientHandle
    /// nil: idempotent, without transactions.
    package let transactionalID: String?
    /// The client's main queue.
    let queue: OpaquePointer
    /// Names of the topics handed out, for errors: librdkafka's own are freed with the client.
    private var topicNames: [OpaquePointer: String] = [:]
    /// The topics handed out, by name.
    private var topics: [String: ProducerTopic] = [:]
    /// Requests that change a transaction, sent and never answered. Each may still arrive, and the broker would take it
    /// for part of a later transaction; only a new producer, with a new epoch, is safe from it. Read this after a
    /// commit or an abort, when every request should have been answered.
    package var requestsInDoubt: Int { client.context.transactionRequests.unanswered }
    /// Requests that added partitions or offsets to transactions, over the producer's life. More than one of each for a
    /// transaction: librdkafka added partitions later on, or the coordinator refused and the request was repeated.
    package var additionRequests: Int { client.context.transactionRequests.additionsSent }
    /// Failed deliveries since the last flush, commit or abort.
    private var failures = DeliveryFailures() {
        didSet { if let first = failures.first { lastFailure = first.failure } }
    }
    /// A transaction was begun, and neither a commit nor an abort of it has succeeded.
    var isInTransaction = false
    /// Kept until the next transaction or a successful flush.
    var lastFailure: DeliveryFailure?

    /// - Parameter properties: any of librdkafka's; idempotence is on and cannot be turned off. Records are placed by
    ///   key as Java clients do (`partitioner=murmur2_random`), and missing topics are not created, unless the
    ///   properties say otherwise.
    package init(properties: KafkaProperties, transactionalID: String?, logger: Logger) throws(KafkaError) {
        var forced = KafkaProperties(["enable.idempotence": "true", "delivery.report.only.error": "true"])
        if let transactionalID { forced["transactional.id"] = transactionalID }
        var given = properties
        given["transactional.id"] = nil
        // The only consumer property that a producer would reject.
        given["group.instance.id"] = nil
        let defaults = KafkaProperties(["partitioner": "murmur2_random", "allow.auto.create.topics": "false"])
        self.transactionalID = transactionalID
        client = try ClientHandle(
            .producer, label: transactionalID.map { "producer with transactional id '\($0)'" } ?? "producer",
            properties: defaults.overlaid(by: given).overlaid(by: forced),
            events: Int32(RD_KAFKA_EVENT_DR) | Int32(RD_KAFKA_EVENT_ERROR), logger: logger)
        let pointer = try client.open("Making a producer")
        guard let queue = rd_kafka_queue_get_main(pointer) else {
            throw client.error(RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE, "Making a producer")
        }
        self.queue = queue
    }

    deinit { close(timeout: .seconds(1)) }

    /// Answers that a broker's quota delayed since the last call.
    package func takeThrottles() -> ClientThrottles { client.context.takeThrottles() }

    /// The topic's handle, made once.
    package func topic(_ name: String) throws(KafkaError) -> ProducerTopic {
        if let known = topics[name] { return known }
        let pointer = try client.topic(name, "Opening the topic \(name)")
        topicNames[pointer] = name
        topics[name] = ProducerTopic(pointer: pointer)
        return ProducerTopic(pointer: pointer)
    }

    /// The topic's number of partitions, asked from the broker.
    package func partitionCount(of topic: ProducerTopic, timeout: Duration) throws(KafkaError) -> Int32 {
        let name = name(of: topic)
        let operation = "Asking for the partitions of the topic \(name)"
        let found = try client.listing(operation, of: topic.pointer, timeout: timeout) {
            $0.descriptions(of: [name])[name]
        }
        switch found {
        case .success(let description): return description.partitionCount
        case .failure(let code): throw client.error(code.value, operation)
        case nil: throw client.error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, operation)
        }
    }

    /// First offset and end of a partition, asked from its leader. The end is the high watermark, or the last stable
    /// offset while a transaction is open. A producer has no fetch under way that the broker would answer first.
    package func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try client.queryWatermarks(partition, timeout: timeout)
    }

    /// Queues one record; librdkafka copies its bytes.
    ///
    /// - Parameters:
    ///   - partition: nil places it by key.
    ///   - key: nil is Kafka's null, an empty buffer an empty key. Likewise `value`.
    ///   - timestamp: milliseconds since 1970; nil is now, and so is 0 (librdkafka does not tell them apart).
    ///   - headersOf: the message whose headers are copied, all in their order. `extraHeaders` follow them.
    ///   - mark: the last header, for the hot loop: our code allocates nothing for it.
    /// - Throws: an error with `isQueueFull` when the queue holds its limit: `poll`, then try again. One with
    ///   `requiresAbort` when the transaction cannot go on.
    package func produce(
        to topic: ProducerTopic, partition: Int32?, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        timestamp: Int64?, headersOf: ConsumedMessage? = nil, extraHeaders: [RecordHeader] = [],
        mark: (name: StaticString, value: UnsafeRawBufferPointer)? = nil
    ) throws(KafkaError) {
        guard let pointer = client.pointer else { throw produceFailure(RD_KAFKA_RESP_ERR__DESTROY, topic, partition) }
        var headers: OpaquePointer?
        if let source = headersOf?.rawHeaders { headers = rd_kafka_headers_copy(source) }
        if !extraHeaders.isEmpty { headers = Self.adding(extraHeaders, to: headers) }
        Self.add(mark, to: &headers)
        try produce(pointer, topic, partition, key, value, timestamp, headers)
    }

    /// Queues one record with headers that were packed before.
    /// - Parameters:
    ///   - extraHeader: follows the packed headers.
    ///   - mark: the last header.
    package func produce(
        to topic: ProducerTopic, partition: Int32?, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?,
        timestamp: Int64?, packedHeaders: PackedHeaders, extraHeader: (name: StaticString, value: StaticString),
        mark: (name: StaticString, value: UnsafeRawBufferPointer)? = nil
    ) throws(KafkaError) {
        guard let pointer = client.pointer else { throw produceFailure(RD_KAFKA_RESP_ERR__DESTROY, topic, partition) }
        var headers = rd_kafka_headers_new(4)
        packedHeaders.eachHeader { name, value in
            let text = name.baseAddress?.assumingMemoryBound(to: CChar.self)
            rd_kafka_header_add(headers, text, name.count, value.map { Self.address($0) } ?? nil, value?.count ?? 0)
        }
        rd_kafka_header_add(
            headers, UnsafeRawPointer(extraHeader.name.utf8Start).assumingMemoryBound(to: CChar.self),
            extraHeader.name.utf8CodeUnitCount, extraHeader.value.utf8Start, extraHeader.value.utf8CodeUnitCount)
        Self.add(mark, to: &headers)
        try produce(pointer, topic, partition, key, value, timestamp, headers)
    }

    @inline(__always)
    private static func add(
        _ mark: (name: StaticString, value: UnsafeRawBufferPointer)?, to headers: inout OpaquePointer?
    ) {
        guard let mark else { return }
        if headers == nil { headers = rd_kafka_headers_new(1) }
        mark.name.withUTF8Buffer { name in
            name.withMemoryRebound(to: CChar.self) {
                _ = rd_kafka_header_add(headers, $0.baseAddress, $0.count, mark.value.baseAddress, mark.value.count)
            }
        }
    }

    @inline(__always)
    private func produce(
        _ pointer: OpaquePointer, _ topic: ProducerTopic, _ partition: Int32?, _ key: UnsafeRawBufferPointer?,
        _ value: UnsafeRawBufferPointer?, _ timestamp: Int64?, _ headers: OpaquePointer?
    ) throws(KafkaError) {
        let code = rejoinder_produce(
            pointer, topic.pointer, partition ?? RD_KAFKA_PARTITION_UA,
            Self.address(key), key?.count ?? 0, Self.address(value), value?.count ?? 0, timestamp ?? 0, headers)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            // librdkafka takes ownership of the headers only together with the record.
            if let headers { rd_kafka_headers_destroy(headers) }
            throw produceFailure(code, topic, partition)
        }
    }

    /// Queues one record with bytes of arrays, placed by key.
    /// - Parameter without: headers that are not passed on.
    package func produce(
        to topic: ProducerTopic, key: [UInt8], value: [UInt8]?, timestamp: Int64?, headersOf: ConsumedMessage?,
        without: [StaticString] = []
    ) throws(KafkaError) {
        guard let pointer = client.pointer else { throw produceFailure(RD_KAFKA_RESP_ERR__DESTROY, topic, nil) }
        let headers = headersOf?.rawHeaders.flatMap { rd_kafka_headers_copy($0) }
        for name in without {
            _ = headers.map {
                rd_kafka_header_remove($0, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self))
            }
        }
        let failure: KafkaError? = key.withUnsafeBytes { key in
            func produce(_ value: UnsafeRawBufferPointer?) -> KafkaError? {
                do throws(KafkaError) {
                    try self.produce(pointer, topic, nil, key, value, timestamp, headers)
                    return nil
                } catch {
                    return error
                }
            }
            return value.map { $0.withUnsafeBytes { produce($0) } } ?? produce(nil)
        }
        if let failure { throw failure }
    }

    /// Queues a record, again and again while `full` returns: it waits for room, or throws.
    @inlinable @inline(__always)
    package static func retrying<Failure>(
        _ record: () throws(KafkaError) -> Void, full: (KafkaError) throws(Failure) -> Void
    ) throws(Failure) {
        while true {
            do throws(KafkaError) { return try record() } catch { try full(error) }
        }
    }

    /// Queues a record, and waits while the queue is full.
    /// - Throws: once `patience` has passed, that the queue is full; any other error at once.
    package func waitingForRoom(_ patience: Duration, _ record: () throws(KafkaError) -> Void) throws(KafkaError) {
        let deadline = ContinuousClock.now + patience
        try Self.retrying(record) { (error) throws(KafkaError) in
            guard error.isQueueFull, .now < deadline else { throw error }
            poll(timeoutMilliseconds: 10)
        }
    }

    /// Reads librdkafka's reports: failed deliveries, errors. Waits up to the timeout for the first one.
    package func poll(timeoutMilliseconds: Int32) {
        var timeout = timeoutMilliseconds
        while client.pointer != nil, let event = rd_kafka_queue_poll(queue, timeout) {
            timeout = 0
            note(event)
            rd_kafka_event_destroy(event)
        }
    }

    /// Records that are queued or in flight, and unread reports of failures.
    package var queuedMessageCount: Int { client.pointer.map { Int(rd_kafka_outq_len($0)) } ?? 0 }

    /// Waits until every record is delivered or has failed.
    ///
    /// - Throws: when a delivery has failed since the last flush (the number, the first topic and its reason), when
    ///   `timeout` has passed, or when the producer has a fatal error.
    package func flush(timeout: Duration) throws(KafkaError) {
        let operation = "Delivering records"
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        poll(timeoutMilliseconds: 0)
        // A failed delivery counts as undelivered until its event is destroyed, so a single flush would wait for it in
        // vain. Flush in slices, and read the events between them.
        while rd_kafka_flush(pointer, Self.slice(until: deadline)) != RD_KAFKA_RESP_ERR_NO_ERROR {
            poll(timeoutMilliseconds: 0)
            if let fatal = ClientContext.fatalError(of: pointer) { throw client.error(fatal.code, operation) }
            guard .now < deadline else {
                throw client.error(
                    RD_KAFKA_RESP_ERR__TIMED_OUT, operation,
                    reason: "\(queuedMessageCount) records were not acknowledged within \(timeout)")
            }
        }
        poll(timeoutMilliseconds: 0)
        if let failure = takeFailures(operation) { throw failure }
        lastFailure = nil
    }

    /// Ends the producer. Drops records still queued after `timeout`. An open transaction may be left to the broker,
    /// which aborts it at its timeout, so abort it before. Safe more than once.
    package func close(timeout: Duration) {
        guard let pointer = client.pointer else { return }
        let deadline = ContinuousClock.now + timeout
        if transactionalID == nil { try? flush(timeout: timeout) }
        // librdkafka (2.0.2, and as late as 2.8) ends the process by an assertion (txn_req_cnt) when it adds a
        // partition to the transaction at the moment of its destruction. Once an abort has begun, it adds none. The
        // abort itself may go on or not.
        if isInTransaction, let failed = rd_kafka_abort_transaction(pointer, 200) { rd_kafka_error_destroy(failed) }
        isInTransaction = false
        // Purged on purpose, so that librdkafka does not warn about records left.
        rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        poll(timeoutMilliseconds: 0)
        rd_kafka_queue_destroy(queue)
        client.destroy(flags: 0, within: max(.seconds(2), deadline - .now))
    }

    /// At most 100 ms: the longest time that a report of a failed delivery waits to be read.
    static func slice(until deadline: ContinuousClock.Instant) -> Int32 {
        min(100, max(1, (deadline - .now).milliseconds))
    }

    /// Whether a delivery has failed since failures were last taken.
    var hasFailures: Bool { failures.count > 0 }

    /// The first failed delivery of the current transaction, or since the last successful flush.
    package var firstFailure: DeliveryFailure? {
        poll(timeoutMilliseconds: 0)
        return lastFailure
    }

    /// The failed deliveries since the last call as one error.
    func takeFailures(_ operation: String) -> KafkaError? {
        defer { failures = DeliveryFailures() }
        guard let first = failures.first else { return nil }
        let reason =
            "\(failures.count) record\(failures.count == 1 ? "" : "s") could not be delivered,"
            + " the first to \(first.topic): \(String(cString: rd_kafka_err2str(first.code)))"
        let error = client.error(first.code, operation, reason: reason)
        guard !error.isFatal else { return error }
        // Not retriable, even if the code (such as a timeout) is: the records are gone, and a repeated call would not
        // bring them back.
        return KafkaError(
            first.code, operation: operation, reason: reason, isRetriable: false, requiresAbort: true)
    }

    private func note(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case Int32(RD_KAFKA_EVENT_DR):
            while let message = rd_kafka_event_message_next(event) { failures.add(message) }
        case Int32(RD_KAFKA_EVENT_ERROR):
            let fatal = rd_kafka_event_error_is_fatal(event) != 0
            client.context.report(
                fatal ? RD_KAFKA_RESP_ERR__FATAL : rd_kafka_event_error(event),
                String(cString: rd_kafka_event_error_string(event)), of: client.pointer)
        default:
            break
        }
    }

    /// librdkafka tells null from empty by the pointer, and Swift's empty buffer may have none.
    private static func address(_ bytes: UnsafeRawBufferPointer?) -> UnsafeRawPointer? {
        guard let bytes else { return nil }
        return bytes.baseAddress ?? UnsafeRawPointer(emptyBytes)
    }

    private static func adding(_ extra: [RecordHeader], to headers: OpaquePointer?) -> OpaquePointer? {
        let headers = headers ?? rd_kafka_headers_new(extra.count)
        for header in extra {
            if let value = header.value {
                value.withUnsafeBytes { bytes in
                    _ = rd_kafka_header_add(headers, header.name, -1, Self.address(bytes), bytes.count)
                }
            } else {
                rd_kafka_header_add(headers, header.name, -1, nil, 0)
            }
        }
        return headers
    }

    private func name(of topic: ProducerTopic) -> String { topicNames[topic.pointer] ?? "another producer's" }

    @inline(never)
    private func produceFailure(_ code: rd_kafka_resp_err_t, _ topic: ProducerTopic, _ partition: Int32?) -> KafkaError
    {
        let name = name(of: topic)
        let place = partition.map { TopicPartition(topic: name, partition: $0).description } ?? name
        let operation = "Producing a record to \(place)"
        // In a transaction "wrong state" means that the transaction has failed; the abort reports the cause.
        if code == RD_KAFKA_RESP_ERR__STATE, transactionalID != nil {
            return KafkaError(
                code, operation: operation, reason: "the transaction has failed or was not begun",
                isRetriable: false, requiresAbort: true)
        }
        return client.error(code, operation)
    }
}

/// Address of empty keys and values; the byte is never read. Never freed.
private nonisolated(unsafe) let emptyBytes = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)

/// A record that was not delivered.
package struct DeliveryFailure: Sendable {
    /// The record's topic.
    package let topic: String
    /// librdkafka's name of the error.
    package let name: String
    /// For people.
    package let reason: String
}

/// Deliveries that failed, counted; only the first is kept.
private struct DeliveryFailures {
    private(set) var count = 0
    private(set) var first: (code: rd_kafka_resp_err_t, topic: String, failure: DeliveryFailure)?

    mutating func add(_ message: UnsafePointer<rd_kafka_message_t>) {
        let code = message.pointee.err
        // Records dropped by an abort or a close are no failures.
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR__PURGE_QUEUE,
            code != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT
        else { return }
        count += 1
        guard first == nil else { return }
        let topic = message.pointee.rkt.flatMap { rd_kafka_topic_name($0) }.map { String(cString: $0) } ?? "a topic"
        let failure = DeliveryFailure(
            topic: topic, name: String(cString: rd_kafka_err2name(code)),
            reason: String(cString: rd_kafka_err2str(code)))
        first = (code, TopicPartition(topic: topic, partition: message.pointee.partition).description, failure)
    }
}
