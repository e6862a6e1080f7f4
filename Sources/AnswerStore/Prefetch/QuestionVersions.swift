import Bytes
import CPrefetch
import Synchronization

/// A question's version in a store: while it stays equal, lookups of the question return the same answers.
package struct QuestionVersion: Equatable {
    var store: UInt64
    var change: UInt64
}

/// The last change of each of a store's questions, by the question's hash: questions share slots, so one may seem
/// changed when only another was.
struct QuestionVersions {
    private static let count = 1 << 15
    /// Numbers are unique in the process; a store that loses changes gets a new one.
    private static let lastStore = Atomic<UInt64>(0)

    private var store = Self.nextStore
    private var change: UInt64 = 0
    private let changes: UnsafeMutablePointer<UInt64>

    init() {
        changes = .allocate(capacity: Self.count)
        changes.initialize(repeating: 0, count: Self.count)
    }

    func free() { changes.deallocate() }

    @inline(__always)
    subscript(hash: UInt64) -> QuestionVersion {
        QuestionVersion(store: store, change: changes[Int(hash >> 49)])
    }

    @inline(__always)
    func fetch(_ hash: UInt64) { prefetch(changes + Int(hash >> 49)) }

    /// Call before a change to a question's stored data.
    @inline(__always)
    mutating func noteChange(of question: Bytes) {
        change &+= 1
        changes[Int(Checksum.hash(question) >> 49)] = change
    }

    /// Marks every question as possibly changed.
    mutating func noteChangeOfAll() { store = Self.nextStore }

    private static var nextStore: UInt64 { lastStore.add(1, ordering: .relaxed).newValue }
}
