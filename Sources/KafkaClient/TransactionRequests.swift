import CRDKafka
import Foundation
import Synchronization

/// Counts a transactional producer's requests that can change a transaction: fully sent, and answered.
///
/// A request that was sent and never answered may still be on its way: after a broken connection, in a proxy, in a
/// broker's queue. The broker accepts it whenever it arrives, as long as the producer's epoch is the same, even for a
/// later transaction (KIP-890; librdkafka issue 5423). librdkafka repeats such requests by itself, so its calls succeed
/// and do not report them. Only a new epoch refuses the late one: ``Producer/requestsInDoubt``.
///
/// Written by librdkafka's broker threads, read by any thread.
final class TransactionRequests: Sendable {
    private let sent = Atomic<Int>(0)
    private let answered = Atomic<Int>(0)
    private let additions = Atomic<Int>(0)
    /// librdkafka's main thread, as a number; 0 before it starts.
    private let mainThread = Atomic<UInt>(0)

    /// Requests without an answer.
    var unanswered: Int { sent.load(ordering: .acquiring) - answered.load(ordering: .acquiring) }

    /// AddPartitionsToTxn and AddOffsetsToTxn requests sent, repeated ones included.
    var additionsSent: Int { additions.load(ordering: .acquiring) }

    /// Whether a request changes a transaction: Kafka's API keys of Produce, AddPartitionsToTxn, AddOffsetsToTxn,
    /// EndTxn and TxnOffsetCommit.
    private static func concerns(_ apiKey: Int16) -> Bool {
        switch apiKey {
        case 0, 24, 25, 26, 28: true
        default: false
        }
    }

    /// Makes librdkafka report each request. `requests` must outlive the client that is made from the configuration.
    static func watch(_ configuration: OpaquePointer, _ requests: TransactionRequests) {
        let opaque = Unmanaged.passUnretained(requests).toOpaque()
        // librdkafka accepts interceptors of requests only while it makes the client.
        rd_kafka_conf_interceptor_add_on_new(
            configuration, "rejoinder",
            { client, _, opaque, _, _ in
                TransactionRequests.install(in: client, opaque)
                return RD_KAFKA_RESP_ERR_NO_ERROR
            }, opaque)
    }

    private static func install(in client: OpaquePointer?, _ opaque: UnsafeMutableRawPointer?) {
        // Fires on the broker connection's thread, when the last byte was handed to the socket.
        rd_kafka_interceptor_add_on_request_sent(
            client, "rejoinder",
            { _, _, _, _, apiKey, _, _, _, opaque in
                TransactionRequests.of(opaque)?.noteSent(apiKey)
                return RD_KAFKA_RESP_ERR_NO_ERROR
            }, opaque)
        rd_kafka_interceptor_add_on_thread_start(
            client, "rejoinder",
            { _, type, _, opaque in
                if type == RD_KAFKA_THREAD_MAIN { TransactionRequests.of(opaque)?.noteMainThread() }
                return RD_KAFKA_RESP_ERR_NO_ERROR
            }, opaque)
        // Fires on the connection's thread, and with the error for requests that librdkafka gave up. Where the answer
        // is passed on to librdkafka's main thread it fires there once more; that one does not count.
        rd_kafka_interceptor_add_on_response_received(
            client, "rejoinder",
            { _, _, _, _, apiKey, _, _, _, _, error, opaque in
                if error == RD_KAFKA_RESP_ERR_NO_ERROR { TransactionRequests.of(opaque)?.noteAnswered(apiKey) }
                return RD_KAFKA_RESP_ERR_NO_ERROR
            }, opaque)
    }

    private static func of(_ opaque: UnsafeMutableRawPointer?) -> TransactionRequests? {
        opaque.map { Unmanaged<TransactionRequests>.fromOpaque($0).takeUnretainedValue() }
    }

    private func noteSent(_ apiKey: Int16) {
        if Self.concerns(apiKey) { sent.add(1, ordering: .releasing) }
        if apiKey == 24 || apiKey == 25 { additions.add(1, ordering: .releasing) }
    }

    private func noteMainThread() { mainThread.store(Self.currentThread, ordering: .releasing) }

    private static var currentThread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    private func noteAnswered(_ apiKey: Int16) {
        guard mainThread.load(ordering: .acquiring) != Self.currentThread else { return }
        if Self.concerns(apiKey) { answered.add(1, ordering: .releasing) }
    }
}
