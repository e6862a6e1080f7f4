import Synchronization

/// Tells the lanes to stop. Set once, from any thread; read by each lane between steps and while it waits for a broker.
package final class StopSignal: Sendable {
    /// Longest wait of a stopping lane for a broker that does not answer; after it the lane leaves its uncommitted
    /// work.
    static let grace = Duration.seconds(15)

    /// Time of the request to stop, in nanoseconds of the continuous clock since `origin`; 0: none yet.
    private let requested = Atomic<Int64>(0)
    private let origin = ContinuousClock.now

    /// No stop is requested.
    package init() {}

    /// Requests the stop, from any thread; later requests change nothing.
    package func request() {
        let elapsed = max(1, Int64((ContinuousClock.now - origin) / .nanoseconds(1)))
        _ = requested.compareExchange(expected: 0, desired: elapsed, ordering: .relaxed)
    }

    /// Whether any thread has requested the stop.
    package var isRequested: Bool { requested.load(ordering: .relaxed) != 0 }

    /// Whether the stop was requested longer than ``grace`` ago.
    var graceIsOver: Bool {
        let at = requested.load(ordering: .relaxed)
        return at != 0 && ContinuousClock.now - origin > .nanoseconds(at) + Self.grace
    }
}
