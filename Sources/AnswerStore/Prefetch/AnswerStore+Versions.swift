import Bytes

extension AnswerStore {
    /// The hash for `version(ofQuestionHashed:)`.
    @inline(__always)
    package static func hash(of question: Bytes) -> UInt64 { Checksum.hash(question) }

    /// Prefetches the version into the CPU's caches.
    @inline(__always)
    package func expectVersion(ofQuestionHashed hash: UInt64) { versions.fetch(hash) }

    /// Changes with every `apply` that concerns the question, and whenever applied changes are lost.
    @inline(__always)
    package func version(ofQuestionHashed hash: UInt64) -> QuestionVersion { versions[hash] }
}
