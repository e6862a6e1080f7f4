import CLMDB

/// A version of LMDB, and whether its data file has the format that `PageFormat` describes.
package struct LMDBVersion: Equatable, Sendable {
    var major: Int32
    var minor: Int32
    var patch: Int32

    /// The version of the LMDB library in use.
    static var running: LMDBVersion {
        var version = LMDBVersion(major: 0, minor: 0, patch: 0)
        _ = mdb_version(&version.major, &version.minor, &version.patch)
        return version
    }

    /// The version of the LMDB header that this program was compiled with.
    static let compiled = LMDBVersion(
        major: MDB_VERSION_MAJOR, minor: MDB_VERSION_MINOR, patch: MDB_VERSION_PATCH)

    /// Only 0.9.x below 0.9.70: 0.9.70 began the development of 1.0, whose pages carry transaction numbers.
    var hasKnownPages: Bool { major == 0 && minor == 9 && patch < 70 }

    /// Whether pages may be read without LMDB. Otherwise lookups are not prefetched, and stores are checked through
    /// LMDB's cursors.
    static let pagesAreKnown = compiled.hasKnownPages && running.hasKnownPages

    /// The LMDB library's version, such as "0.9.24".
    package static var text: String { running.description }
}

extension LMDBVersion: CustomStringConvertible {
    /// Major, minor and patch number with dots.
    package var description: String { "\(major).\(minor).\(patch)" }
}
