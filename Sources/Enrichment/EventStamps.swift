#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// When an event was done with each part of its way: nanoseconds of ``Monotonic``. Reused; for the few events whose time is
/// taken.
package struct EventStamps {
    /// Its bytes were checked.
    package var checked: Int64 = 0
    /// Its answers were found.
    package var lookedUp: Int64 = 0
    /// Its enriched bytes stood in the buffer.
    package var rendered: Int64 = 0

    package init() {}
}

/// A clock that only goes forward, as a plain number: `Duration`'s arithmetic in 128 bits costs more than reading the clock.
package enum Monotonic {
    /// Nanoseconds since some moment before the process began.
    package static var nanoseconds: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) &* 1_000_000_000 &+ Int64(now.tv_nsec)
    }
}
