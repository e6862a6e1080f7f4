import CRDKafka
import Logging
import Synchronization

/// Why a client could not reach a broker, in librdkafka's words.
package struct ClientTrouble: Sendable {
    /// The error's text, which names the broker.
    package let reason: String
    /// The moment of the report, not of the first attempt.
    package let time: ContinuousClock.Instant
}

/// Answers that brokers delayed because a client exceeded its quota (KIP-124, KIP-219).
package struct ClientThrottles: Sendable {
    /// The sum of the delays.
    package var milliseconds = 0
    /// The last delayed answer: the broker's name, its delay in milliseconds, and the moment of the report.
    package var latest: (broker: String, milliseconds: Int, at: ContinuousClock.Instant)?

    /// No answer was delayed.
    package init() {}
}

/// State that librdkafka's callbacks of one client may touch. librdkafka holds it by the client's opaque pointer, so it
/// lives until the client is destroyed.
///
/// Unchecked Sendable: the rebalances belong to the thread that polls; the other members may be used from any thread.
final class ClientContext: @unchecked Sendable {
    let logger: Logger
    /// Counts only for a transactional producer.
    let transactionRequests = TransactionRequests()
    /// The last failure to reach a broker, in librdkafka's words. Written by the thread that polls and by librdkafka's
    /// own threads.
    private let lastReason = Mutex<ClientTrouble?>(nil)
    /// Answers that a broker's quota delayed since the last ``takeThrottles()``.
    private let throttles = Mutex<ClientThrottles>(ClientThrottles())
    /// Rebalances that librdkafka has reported and `poll` has not handed out, oldest first.
    private var rebalances: [Rebalance] = []
    /// Spares `poll` the look at the array for every message.
    private(set) var hasRebalances = false

    init(logger: Logger) {
        self.logger = logger
    }

    var lastTrouble: ClientTrouble? { lastReason.withLock { $0 } }

    var lastFailure: String? { lastTrouble?.reason }

    func note(throttle milliseconds: Int, broker: String) {
        throttles.withLock { throttles in
            throttles.milliseconds += milliseconds
            throttles.latest = (broker, milliseconds, .now)
        }
    }

    func takeThrottles() -> ClientThrottles {
        throttles.withLock { throttles in
            defer { throttles = ClientThrottles() }
            return throttles
        }
    }

    func note(failure reason: String) {
        lastReason.withLock { $0 = ClientTrouble(reason: reason, time: .now) }
    }

    func note(_ rebalance: Rebalance) {
        rebalances.append(rebalance)
        hasRebalances = true
    }

    func takeRebalance() -> Rebalance? {
        guard hasRebalances else { return nil }
        let first = rebalances.removeFirst()
        hasRebalances = !rebalances.isEmpty
        return first
    }

    /// The context of the client that a callback is about.
    static func of(_ client: OpaquePointer?) -> ClientContext? {
        guard let client, let opaque = rd_kafka_opaque(client) else { return nil }
        return Unmanaged<ClientContext>.fromOpaque(opaque).takeUnretainedValue()
    }

    /// Puts our callbacks into a configuration.
    static func install(into configuration: OpaquePointer, consumer: Bool) {
        // Fires on any thread: librdkafka's own and ours. Logger is safe to use from all.
        rd_kafka_conf_set_log_cb(configuration) { client, level, facility, line in
            guard let context = ClientContext.of(client), let line else { return }
            context.log(
                level: level, facility: facility.map { String(cString: $0) } ?? "", line: String(cString: line))
        }
        // Fires on the thread that polls (consumers, administration); producers get events instead.
        rd_kafka_conf_set_error_cb(configuration) { client, code, reason, _ in
            guard let context = ClientContext.of(client) else { return }
            context.report(rd_kafka_resp_err_t(code), reason.map { String(cString: $0) } ?? "", of: client)
        }
        // Fires on the thread that polls. A time of 0 says that throttling is over.
        rd_kafka_conf_set_throttle_cb(configuration) { client, name, number, milliseconds, _ in
            guard milliseconds > 0, let context = ClientContext.of(client) else { return }
            context.note(throttle: Int(milliseconds), broker: name.map { String(cString: $0) } ?? "\(number)")
        }
        guard consumer else { return }
        // Fires on the thread that polls, inside rd_kafka_consumer_poll or while a close is served. librdkafka keeps
        // fetching paused and waits for assign or unassign, however long that takes, so the callback only notes the
        // rebalance. The yield makes the poll return at once, so that no message comes out after the rebalance in the
        // same call.
        rd_kafka_conf_set_rebalance_cb(configuration) { client, code, partitions, _ in
            guard let client, let context = ClientContext.of(client) else { return }
            let concerned = PartitionList.read(partitions)
            switch code {
            case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
                context.note(.assigned(concerned))
            case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
                context.note(rd_kafka_assignment_lost(client) != 0 ? .lost(concerned) : .revoked(concerned))
            default:
                // librdkafka's report that the assignment failed as a whole.
                context.note(.lost(concerned))
            }
            rd_kafka_yield(client)
        }
    }

    /// Handles an error of the client as a whole. Most are in the log already, by log_cb.
    func report(_ code: rd_kafka_resp_err_t, _ reason: String, of client: OpaquePointer?) {
        // "1/1 brokers are down" would replace the actual cause.
        if code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || lastFailure == nil { note(failure: reason) }
        var metadata: Logger.Metadata = ["error": "\(String(cString: rd_kafka_err2name(code)))"]
        switch code {
        case RD_KAFKA_RESP_ERR__FATAL:
            let fatal = client.flatMap { Self.fatalError(of: $0) }
            // The lane makes a new producer, or ends the worker with a line of its own.
            logger.warning("Kafka client stopped: \(fatal?.reason ?? reason)", metadata: metadata)
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
            guard let unlogged = LogBound.shared.admit("ALL_BROKERS_DOWN", "") else { return }
            if unlogged > 0 { metadata["unlogged"] = .stringConvertible(unlogged) }
            logger.warning("No Kafka broker can be reached: \(reason)", metadata: metadata)
        default:
            logger.debug("Kafka client error: \(reason)", metadata: metadata)
        }
    }

    /// The client's fatal error, if it has one. A fatal error disables the client for good.
    static func fatalError(of client: OpaquePointer) -> (code: rd_kafka_resp_err_t, reason: String)? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(client, &text, text.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return (code, text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
    }

    private func log(level: Int32, facility: String, line: String) {
        // One set of properties serves consumers and producers, so a property of the other kind is no mistake.
        if facility == "CONFWARN", line.contains("will be ignored by this") { return }
        if facility == "FAIL" { note(failure: Self.withoutThread(line)) }
        let text = Self.withoutThread(line)
        let level = Self.level(of: level)
        // Lines that an operator has turned on with `debug` are logged without a bound.
        guard level >= .info else {
            logger.log(level: level, "\(text)", metadata: ["facility": "\(facility)"])
            return
        }
        guard let unlogged = LogBound.shared.admit(facility, text) else { return }
        var metadata: Logger.Metadata = ["facility": "\(facility)"]
        if unlogged > 0 { metadata["unlogged"] = .stringConvertible(unlogged) }
        logger.log(level: level, "\(text)", metadata: metadata)
    }

    /// Removes the thread's name, with which librdkafka starts most lines: `[thrd:main]: `.
    private static func withoutThread(_ line: String) -> String {
        guard line.hasPrefix("[thrd:"), let end = line.range(of: "]: ") else { return line }
        return String(line[end.upperBound...])
    }

    /// Maps librdkafka's syslog levels by consequence. librdkafka retries by itself after errors that it calls
    /// critical, such as a broker that hung up. The worker logs the errors that end it itself, at level error.
    private static func level(of syslog: Int32) -> Logger.Level {
        switch syslog {
        case ...4: .warning
        case 5: .notice
        case 6: .info
        default: .debug
        }
    }
}
