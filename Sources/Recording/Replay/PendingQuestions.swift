import Bytes

/// Remembers the questions of a batch of table changes, well enough to rule out most others.
///
/// A place for each hash, stamped with the batch's number. When two questions share a place, a batch is applied earlier
/// than necessary, which changes no result.
struct PendingQuestions {
    private static let places = 1 << 14

    private let stamps: UnsafeMutablePointer<UInt32>
    private var batch: UInt32 = 1

    init() {
        stamps = .allocate(capacity: Self.places)
        stamps.initialize(repeating: 0, count: Self.places)
    }

    /// Called once, by the owner's `deinit`.
    func free() { stamps.deallocate() }

    @inline(__always)
    func insert(_ key: Bytes) { stamps[Self.place(of: key)] = batch }

    @inline(__always)
    func mayContain(_ key: Bytes) -> Bool { stamps[Self.place(of: key)] == batch }

    mutating func removeAll() {
        batch &+= 1
        if batch == 0 {
            stamps.update(repeating: 0, count: Self.places)
            batch = 1
        }
    }

    @inline(__always)
    private static func place(of key: Bytes) -> Int {
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var hash = UInt64(truncatingIfNeeded: key.count) &* factor
        var index = 0
        while index &+ 8 <= key.count {
            hash = (hash ^ key.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* factor
            hash ^= hash >> 29
            index &+= 8
        }
        while index < key.count {
            hash = (hash ^ UInt64(key[index])) &* factor
            index &+= 1
        }
        hash ^= hash >> 32
        return Int(truncatingIfNeeded: hash &* factor >> 40) & (places - 1)
    }
}
