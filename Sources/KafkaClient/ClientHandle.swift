import CRDKafka
import Dispatch
import Logging

/// Owns one librdkafka client: makes it from properties, hands out its pointer, destroys it once.
///
/// Not Sendable: used on the thread of the consumer or producer that owns it.
final class ClientHandle {
    enum Kind {
        case consumer
        case producer
        /// Neither consumes nor produces.
        case administration
    }

    private enum State {
        case open(OpaquePointer)
        /// In a call that its caller is about to abandon.
        case leaving(OpaquePointer)
        case closed
    }

    let context: ClientContext
    /// For errors: "consumer of group questions", "producer".
    let label: String
    let bootstrapServers: String
    private var state: State
    /// Errors and messages share one queue, which only `rd_kafka_consumer_poll` may read: `rd_kafka_poll` ends the
    /// process (an assertion in librdkafka) at the first message.
    private(set) var isPolledAsConsumer = false
    /// Topics are kept from their first use until the client ends, so that librdkafka never reuses their addresses.
    private var topics: [String: OpaquePointer] = [:]

    /// - Parameter events: the events that are read from the main queue (`RD_KAFKA_EVENT_...`); 0 for callbacks.
    init(
        _ kind: Kind, label: String, properties: KafkaProperties, events: Int32 = 0, logger: Logger
    ) throws(KafkaError) {
        let configuration = try properties.makeConfiguration()
        let context = ClientContext(logger: logger)
        ClientContext.install(into: configuration, consumer: kind == .consumer)
        if events != 0 { rd_kafka_conf_set_events(configuration, events) }
        if properties["transactional.id"] != nil {
            TransactionRequests.watch(configuration, context.transactionRequests)
        }
        let opaque = Unmanaged.passRetained(context)
        rd_kafka_conf_set_opaque(configuration, opaque.toOpaque())
        var reason = [CChar](repeating: 0, count: 512)
        let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let client = rd_kafka_new(type, configuration, &reason, reason.count) else {
            // librdkafka takes the configuration over only when it makes the client.
            rd_kafka_conf_destroy(configuration)
            opaque.release()
            throw KafkaError(
                rd_kafka_last_error(), operation: "Making the Kafka \(label)",
                reason: reason.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" },
                isRetriable: false)
        }
        self.context = context
        self.label = label
        self.bootstrapServers = properties["bootstrap.servers"] ?? ""
        self.state = .open(client)
    }

    deinit {
        destroy(flags: 0, within: .seconds(10))
    }

    /// The client; nil once closed.
    var pointer: OpaquePointer? {
        if case .open(let client) = state { client } else { nil }
    }

    /// The open client; throws when it is closed.
    func open(_ operation: @autoclosure () -> String) throws(KafkaError) -> OpaquePointer {
        guard let pointer else {
            throw KafkaError(
                RD_KAFKA_RESP_ERR__DESTROY, operation: operation(), reason: "the \(label) is closed",
                isRetriable: false)
        }
        return pointer
    }

    /// A handle of a topic, made once, owned by the client.
    func topic(_ name: String, _ operation: @autoclosure () -> String) throws(KafkaError) -> OpaquePointer {
        if let topic = topics[name] { return topic }
        let client = try open(operation())
        guard let topic = rd_kafka_topic_new(client, name, nil) else {
            throw error(rd_kafka_last_error(), operation())
        }
        topics[name] = topic
        return topic
    }

    /// The error of a call, or the client's fatal error if it has one.
    func error(_ code: rd_kafka_resp_err_t, _ operation: String, reason: String? = nil) -> KafkaError {
        if let pointer, let fatal = ClientContext.fatalError(of: pointer) {
            return KafkaError(fatal.code, operation: operation, reason: fatal.reason, isFatal: true, isRetriable: false)
        }
        let error = KafkaError(code, operation: operation, reason: reason)
        return explained(error)
    }

    /// Throws librdkafka's error object, if there is one, and frees it.
    func check(_ error: OpaquePointer?, _ operation: @autoclosure () -> String) throws(KafkaError) {
        if let error { throw explained(KafkaError(consuming: error, operation: operation())) }
    }

    /// Throws librdkafka's error code, unless it means success.
    func check(_ code: rd_kafka_resp_err_t, _ operation: @autoclosure () -> String) throws(KafkaError) {
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { throw error(code, operation()) }
    }

    /// Adds to a timeout, which does not tell its cause, the servers that were asked and librdkafka's last failure.
    private func explained(_ error: KafkaError) -> KafkaError {
        guard error.isUnreachable, let reason = context.lastFailure else { return error }
        let servers = bootstrapServers.isEmpty ? "no bootstrap.servers are set" : "asked \(bootstrapServers)"
        return error.explained("\(servers); last trouble: \(reason)")
    }

    /// Redirects the client's main queue to the queue of its messages.
    func pollAsConsumer() {
        guard let pointer else { return }
        rd_kafka_poll_set_consumer(pointer)
        isPolledAsConsumer = true
    }

    /// Ends the client. All messages and metadata taken from it must have been released.
    ///
    /// librdkafka's destroy joins its threads, and one that hangs (a consumer group that cannot end) blocks it. So it
    /// runs on a thread of its own, which is abandoned after `limit`: the process is about to end then.
    func destroy(flags: Int32, within limit: Duration) {
        guard case .open(let client) = state else { return }
        state = .closed
        for topic in topics.values { rd_kafka_topic_destroy(topic) }
        topics = [:]
        let done = DispatchSemaphore(value: 0)
        // Nothing else uses the pointer from here on.
        nonisolated(unsafe) let dying = client
        let opaque = rd_kafka_opaque(client)
        nonisolated(unsafe) let retained = opaque
        DispatchQueue(label: "rejoinder.kafka.destroy").async {
            rd_kafka_destroy_flags(dying, flags)
            // No callback fires after destroy has returned.
            if let retained { Unmanaged<ClientContext>.fromOpaque(retained).release() }
            done.signal()
        }
        if done.wait(timeout: .now() + .milliseconds(Int(limit.milliseconds))) == .timedOut {
            context.logger.warning("The Kafka \(label) did not end within \(limit); leaving it behind.")
        }
    }

    /// Gives the client to a call that does not return. To every other caller the client is closed.
    /// - Returns: destroys the client; call it once, on any thread, when the call has returned.
    func leaveBehind() -> () -> Void {
        guard case .open(let client) = state else { return {} }
        state = .leaving(client)
        let topics = Array(self.topics.values)
        let opaque = rd_kafka_opaque(client)
        return {
            for topic in topics { rd_kafka_topic_destroy(topic) }
            rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            if let opaque { Unmanaged<ClientContext>.fromOpaque(opaque).release() }
        }
    }

    /// Reopens the client: the call that was about to be abandoned has returned in time.
    func takeBack() {
        if case .leaving(let client) = state { state = .open(client) }
    }

    /// Leaks the client, where destroying it would crash librdkafka.
    func abandon() {
        state = .closed
        topics = [:]
    }
}
