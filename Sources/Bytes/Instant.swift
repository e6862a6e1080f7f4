/// A point in time, exact to an attosecond (1e-18 s), so that answers sort by the time at which they were written.
///
/// Two texts with different offsets are equal when they denote the same moment.
package struct Instant: Comparable, Hashable, Sendable {
    /// Whole seconds since 1970-01-01T00:00:00Z as POSIX counts them, leap seconds left out; negative before.
    package var seconds: Int64

    /// The fraction of a second to add to `seconds`, in `0..<1e18`.
    package var attoseconds: UInt64

    /// - Parameter attoseconds: below 1e18.
    package init(seconds: Int64, attoseconds: UInt64) {
        self.seconds = seconds
        self.attoseconds = attoseconds
    }

    /// The earlier one is the smaller one.
    package static func < (left: Instant, right: Instant) -> Bool {
        left.seconds != right.seconds ? left.seconds < right.seconds : left.attoseconds < right.attoseconds
    }
}
