import Foundation

/// The last resort of a stop: ends a process whose lanes have not ended by themselves.
///
/// Each wait of a lane has a limit of its own, and together they stay below ``limit``. The deadline is for a wait
/// without one: a supervisor that kills the process instead leaves no word of where it stood.
///
/// `@unchecked Sendable`: `isOver` is guarded by `condition`.
final class StopDeadline: @unchecked Sendable {
    /// From the request to stop. Below the 45 s that docs/operating.md promises.
    static let limit = Duration.seconds(43)

    private let limit: Duration
    private let condition = NSCondition()
    private var isOver = false

    init(limit: Duration = StopDeadline.limit) { self.limit = limit }

    /// Starts the countdown.
    /// - Parameter end: ends the process; called on a thread of its own when the time is up.
    func begin(_ end: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            let deadline = Date(timeIntervalSinceNow: limit / .seconds(1))
            condition.lock()
            while !isOver, condition.wait(until: deadline) {}
            let isLate = !isOver
            condition.unlock()
            if isLate { end() }
        }
        thread.name = "stop-deadline"
        thread.start()
    }

    /// Ends the countdown: the lanes have ended.
    func cancel() {
        condition.withLock {
            isOver = true
            condition.broadcast()
        }
    }
}
