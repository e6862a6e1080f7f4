#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The times at which an event's phases ended, in nanoseconds of ``Monotonic``. Reused; set only for the sampled
/// events.
package struct EventStamps {
    /// The event's bytes were checked.
    package var checked: Int64 = 0
    /// The event's answers were found.
    package var lookedUp: Int64 = 0
    /// The enriched value was complete in the buffer.
    package var rendered: Int64 = 0

    /// All 0: no phase has ended.
    package init() {}
}

/// A monotonic clock as a plain integer: `Duration`'s 128-bit arithmetic costs more than reading the clock.
package enum Monotonic {
    /// Nanoseconds since an arbitrary moment before the process began.
    package static var nanoseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }
}
