import CPrefetch
import Records
import Synchronization

/// What a store says of a question at one moment: as long as it says the same, a lookup gives the same.
package struct QuestionVersion: Equatable {
    var store: UInt64
    var change: UInt64
}

/// Which of a store's questions changed when: by the hash of the question, so that one number stands for many questions, and a
/// question now and then seems to have changed that has not.
struct QuestionVersions {
    private static let count = 1 << 15
    /// No two stores of a process have the same number, and neither has one that lost changes.
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

    /// Something that is stored of the question is about to change.
    @inline(__always)
    mutating func noteChange(of question: Bytes) {
        change &+= 1
        changes[Int(AnswerStore.hash(of: question) >> 49)] = change
    }

    /// Any question may have changed.
    mutating func noteChangeOfAll() { store = Self.nextStore }

    private static var nextStore: UInt64 { lastStore.add(1, ordering: .relaxed).newValue }
}

extension AnswerStore {
    /// The hash that `version(ofQuestionHashed:)` wants.
    @inline(__always)
    package static func hash(of question: Bytes) -> UInt64 { RowChecksum.hash(question) }

    /// The version will be asked for soon: has it fetched into the CPU's caches.
    @inline(__always)
    package func expectVersion(ofQuestionHashed hash: UInt64) { versions.fetch(hash) }

    /// Changes with every `apply` that is about the question, and with every loss of what was applied.
    @inline(__always)
    package func version(ofQuestionHashed hash: UInt64) -> QuestionVersion { versions[hash] }
}
