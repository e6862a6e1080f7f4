import CRDKafka
import Logging

/// A topic to produce to: librdkafka's handle alone, so that no name is looked up and no reference counted per record. Belongs to
/// the producer that made it and ends with it.
package struct ProducerTopic {
    let pointer: OpaquePointer
}

/// A transactional producer (with a transactional id) or an idempotent one (without).
///
/// Not Sendable: every call is made on one thread. Delivery reports come for failures only, as events on the client's
/// main queue, which `poll`, `flush` and the transaction calls read: with events librdkafka's own flush wakes the
/// moment the last record is delivered, with callbacks it looks every 10 ms.
package final class Producer {
    let client: ClientHandle
    /// nil: idempotent, without transactions.
    package let transactionalID: String?
    private let queue: OpaquePointer
    /// Of the topics handed out, for errors: librdkafka's own are gone with the client.
    private var topicNames: [OpaquePointer: String] = [:]
    /// Requests that change a transaction, sent and never answered. Each may arrive at any time, and would be taken for part
    /// of a later transaction: only a producer made anew, with a new epoch, is safe from it. To be asked after a commit or an
    /// abort, when every request should have been answered.
    package var requestsInDoubt: Int { client.context.transactionRequests.unanswered }
    /// Failed deliveries since the last flush, commit or abort.
    private var failures = DeliveryFailures() {
        didSet { if let first = failures.first { lastFailure = first.failure } }
    }
    /// Kept until the next transaction or a successful flush.
    var lastFailure: DeliveryFailure?

    /// - Parameter properties: any of librdkafka's; idempotence is on and may not be turned off. Records are placed by
    ///   key as Java clients do (`partitioner=murmur2_random`), and missing topics are not created, unless these say
    ///   otherwise.
    package init(properties: KafkaProperties, transactionalID: String?, logger: Logger) throws(KafkaError) {
        var forced = KafkaProperties(["enable.idempotence": "true", "delivery.report.only.error": "true"])
        if let transactionalID { forced["transactional.id"] = transactionalID }
        var given = properties
        given["transactional.id"] = nil
        // Of a consumer's properties the only ones that a producer would trip over.
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

    /// Answers that a broker's quota held back since the last call.
    package func takeThrottles() -> ClientThrottles { client.context.takeThrottles() }

    /// The topic's handle, made once.
    package func topic(_ name: String) throws(KafkaError) -> ProducerTopic {
        let pointer = try client.topic(name, "Opening the topic \(name)")
        topicNames[pointer] = name
        return ProducerTopic(pointer: pointer)
    }

    /// How many partitions the topic has, asked from the broker.
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

    /// First offset and end of a partition, asked from its broker: the high watermark, or where the first open transaction
    /// begins. A producer has no fetch under way that the broker would answer first.
    package func queryWatermarks(
        _ partition: TopicPartition, timeout: Duration
    ) throws(KafkaError) -> (low: Int64, high: Int64) {
        try client.queryWatermarks(partition, timeout: timeout)
    }

    /// Queues one record; its bytes are copied.
    ///
    /// - Parameters:
    ///   - partition: nil places it by key.
    ///   - key: nil is Kafka's null, an empty buffer an empty key. Likewise `value`.
    ///   - timestamp: milliseconds since 1970; nil is now, and so is 0 (librdkafka knows no difference).
    ///   - headersOf: its headers are passed on, all of them in their order, and `extraHeaders` follow them.
    ///   - mark: a header behind all others, for the hot loop: nothing of ours is allocated for it.
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

    /// As the other, for headers that were packed before.
    /// - Parameters:
    ///   - extraHeader: follows them.
    ///   - mark: a header behind all others.
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
            // librdkafka takes the headers only together with the record.
            if let headers { rd_kafka_headers_destroy(headers) }
            throw produceFailure(code, topic, partition)
        }
    }

    /// As above, with bytes of an array's; placed by key.
    package func produce(
        to topic: ProducerTopic, key: [UInt8], value: [UInt8]?, timestamp: Int64?, headersOf: ConsumedMessage?
    ) throws(KafkaError) {
        let failure: KafkaError? = key.withUnsafeBytes { key in
            func produce(_ value: UnsafeRawBufferPointer?) -> KafkaError? {
                do throws(KafkaError) {
                    try self.produce(
                        to: topic, partition: nil, key: key, value: value, timestamp: timestamp, headersOf: headersOf)
                    return nil
                } catch {
                    return error
                }
            }
            return value.map { $0.withUnsafeBytes { produce($0) } } ?? produce(nil)
        }
        if let failure { throw failure }
    }

    /// Reads what librdkafka reports: failed deliveries, errors. Waits up to the timeout for the first of them.
    package func poll(timeoutMilliseconds: Int32) {
        var timeout = timeoutMilliseconds
        while client.pointer != nil, let event = rd_kafka_queue_poll(queue, timeout) {
            timeout = 0
            note(event)
            rd_kafka_event_destroy(event)
        }
    }

    /// Records that are queued or in flight, and reports of failures that were not read yet.
    package var queuedMessageCount: Int { client.pointer.map { Int(rd_kafka_outq_len($0)) } ?? 0 }

    /// Waits until every record is delivered or given up.
    ///
    /// - Throws: when a delivery has failed since the last flush (how many, of which topic, and the first reason), when
    ///   `timeout` has passed, or when the producer has failed for good.
    package func flush(timeout: Duration) throws(KafkaError) {
        let operation = "Delivering records"
        let pointer = try client.open(operation)
        let deadline = ContinuousClock.now + timeout
        poll(timeoutMilliseconds: 0)
        // A failed delivery counts as undelivered until its event is destroyed, so librdkafka's flush would wait for
        // it in vain: flush in slices, and read the events between them.
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

    /// Ends the producer. What is still queued after `timeout` is dropped; an open transaction is left to the broker,
    /// which aborts it (so abort it before). Safe more than once.
    package func close(timeout: Duration) {
        guard let pointer = client.pointer else { return }
        let deadline = ContinuousClock.now + timeout
        if transactionalID == nil { try? flush(timeout: timeout) }
        // Dropped by our own will, so that librdkafka need not warn of it.
        rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
        poll(timeoutMilliseconds: 0)
        rd_kafka_queue_destroy(queue)
        client.destroy(flags: 0, within: max(.seconds(2), deadline - .now))
    }

    /// At most 100 ms: how long a report of a failed delivery can wait to be read.
    static func slice(until deadline: ContinuousClock.Instant) -> Int32 {
        min(100, max(1, (deadline - .now).milliseconds))
    }

    /// Whether a delivery has failed since failures were last taken.
    var hasFailures: Bool { failures.count > 0 }

    /// Makes a call on another thread and reads reports meanwhile: a flush or an abort inside the call does not end before
    /// they are read.
    /// - Parameters:
    ///   - mayWait: asked ten times a second; false leaves the call behind, and the producer with it: the client is
    ///     destroyed when the call returns, and whatever is asked of this producer from then on fails.
    ///   - call: gives librdkafka's error object, or nil.
    func waiting(
        for operation: String, while mayWait: () -> Bool, _ call: @escaping () -> OpaquePointer?
    ) throws(KafkaError) -> OpaquePointer? {
        let queue = queue
        let pending = LeftCall(call, wake: { rd_kafka_queue_yield(queue) })
        while true {
            if let result = pending.result { return result }
            poll(timeoutMilliseconds: 100)
            guard !mayWait() else { continue }
            let destroy = client.leaveBehind()
            let isLeft = pending.leave { failed in
                if let failed { rd_kafka_error_destroy(failed) }
                rd_kafka_queue_destroy(queue)
                destroy()
            }
            if isLeft {
                throw KafkaError(
                    RD_KAFKA_RESP_ERR__TIMED_OUT, operation: operation,
                    reason: "the brokers did not answer before the worker had to end", isRetriable: false)
            }
            client.takeBack()
        }
    }

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
        // Whatever the code says, a timeout say: the records are gone, and the same call made again would not bring them.
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
        // In a transaction "wrong state" means that the transaction has failed; the abort says why.
        if code == RD_KAFKA_RESP_ERR__STATE, transactionalID != nil {
            return KafkaError(
                code, operation: operation, reason: "the transaction has failed or was not begun",
                isRetriable: false, requiresAbort: true)
        }
        return client.error(code, operation)
    }
}

/// One byte that is never read: the address of empty keys and values. Never freed.
private nonisolated(unsafe) let emptyBytes = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)

/// A record that was not delivered.
package struct DeliveryFailure: Sendable {
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
        // Records that an abort or a close drops are no failures.
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
