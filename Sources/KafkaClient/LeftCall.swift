import Dispatch
import Synchronization

/// A call of librdkafka's on a thread of its own, which its caller can abandon: some calls exceed their timeouts while
/// a broker is away (`rd_kafka_send_offsets_to_transaction`: librdkafka issue 5456), and no call can be interrupted.
///
/// `@unchecked Sendable`: the mutex guards `state`; closures and results are handed from one thread to the other.
final class LeftCall<Result>: @unchecked Sendable {
    private enum State {
        case running
        case returned(Result)
        /// The caller has gone; the closure takes the result if the call returns after all.
        case left((Result) -> Void)
    }

    private var state = State.running
    private let lock = Mutex<Void>(())

    /// Starts the call.
    /// - Parameter wake: ends the caller's wait. Runs on the call's thread before the caller can see the result, so
    ///   that the caller may free the closure's captures afterwards. Must not wait itself.
    init(_ call: @escaping () -> Result, wake: @escaping () -> Void) {
        let work = Work(call: call, wake: wake)
        DispatchQueue(label: "rejoinder.kafka.call").async { [self] in end(work.call(), wake: work.wake) }
    }

    private func end(_ result: Result, wake: () -> Void) {
        let finish: ((Result) -> Void)? = lock.withLock { _ in
            if case .left(let finish) = state { return finish }
            state = .returned(result)
            wake()
            return nil
        }
        finish?(result)
    }

    /// The result, once the call has returned.
    var result: Result? {
        lock.withLock { _ in
            if case .returned(let result) = state { result } else { nil }
        }
    }

    /// Abandons the call.
    /// - Parameter finish: takes the result on the call's thread if the call returns after all.
    /// - Returns: false when the call has returned meanwhile; `finish` is not used then.
    func leave(_ finish: @escaping (Result) -> Void) -> Bool {
        lock.withLock { _ in
            guard case .running = state else { return false }
            state = .left(finish)
            return true
        }
    }

    /// `@unchecked Sendable`: made by the caller, used by the call's thread alone.
    private struct Work: @unchecked Sendable {
        let call: () -> Result
        let wake: () -> Void
    }
}
