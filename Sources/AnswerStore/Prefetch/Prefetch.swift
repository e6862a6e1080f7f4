#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The switch for this folder's code, prefetching searches in LMDB's map, and for the cache of rendered answers.
///
/// When off, LMDB does every lookup's search and every event is rendered; the output bytes are the same. So a fault
/// that disappears with `REJOINDER_PREFETCH=off` is in this code.
package enum Prefetch {
    /// The environment variable; only the value `off` has an effect.
    package static let variable = "REJOINDER_PREFETCH"

    /// Read once, at the first use. Always off with an LMDB version whose page format is unknown.
    package static let isOn = isOn(
        value: getenv(variable).map { String(cString: $0) }, pagesAreKnown: LMDBVersion.pagesAreKnown)

    static func isOn(value: String?, pagesAreKnown: Bool) -> Bool { pagesAreKnown && value != "off" }
}
