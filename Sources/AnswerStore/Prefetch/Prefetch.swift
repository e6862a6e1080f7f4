#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The switch of everything in this folder: searches in LMDB's map before lookups ask, and keeping rendered answers.
///
/// Off, every lookup is a search by LMDB and every event is rendered; the bytes that come out are the same. So a fault that goes
/// away with `REJOINDER_PREFETCH=off` is in here.
package enum Prefetch {
    /// The environment variable; `off` is the one value that counts.
    package static let variable = "REJOINDER_PREFETCH"

    /// Read once, at the first use. Always off with a version of LMDB whose pages are not known.
    package static let isOn = isOn(
        value: getenv(variable).map { String(cString: $0) }, pagesAreKnown: LMDBVersion.pagesAreKnown)

    static func isOn(value: String?, pagesAreKnown: Bool) -> Bool { pagesAreKnown && value != "off" }
}
