import Foundation

/// The clock of a paced replay.
package protocol ReplayClock: Sendable {
    /// The time since a fixed moment; never runs backwards.
    var now: Duration { get }

    /// Blocks the calling thread. May return a little late, but early at most by the clock's own resolution.
    func wait(_ time: Duration)
}

/// The machine's clock.
package struct SystemReplayClock: ReplayClock {
    private let origin = ContinuousClock.now

    /// A clock that reads zero now.
    package init() {}

    package var now: Duration { ContinuousClock.now - origin }

    package func wait(_ time: Duration) { Thread.sleep(forTimeInterval: time / .seconds(1)) }
}
