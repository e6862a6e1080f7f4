import Foundation

/// The time that a paced replay goes by.
package protocol ReplayClock: Sendable {
    /// Since some fixed moment; never runs backwards.
    var now: Duration { get }

    /// Waits on the calling thread; may come back a little late, never early by more than the clock's own grain.
    func wait(_ time: Duration)
}

/// The machine's clock.
package struct SystemReplayClock: ReplayClock {
    private let origin = ContinuousClock.now

    package init() {}

    package var now: Duration { ContinuousClock.now - origin }

    package func wait(_ time: Duration) { Thread.sleep(forTimeInterval: time / .seconds(1)) }
}
